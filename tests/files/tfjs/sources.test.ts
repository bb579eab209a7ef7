// Where models of TensorFlow.js are read from and written to: files, addresses, the storage of a page.
// modes: simd

import { createServer } from 'node:http'
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { ArgumentError, Dense, FormatError, Sequential, StateError, loadModel, ops } from '../../../src'
import { openFile } from '../../../src/engine/runtime/beside'
import { readTfjs, tfjsFormat, writeTfjs } from '../../../src/entries/tfjs'
import { FakeDatabase, FakeStorage } from './page'
import { bytesOf, filesOf, jsonOf, pathOf } from './goldens'

const folders: string[] = []
function folderOf(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tfjs-'))
  folders.push(folder)
  return folder
}
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
  vi.unstubAllGlobals()
})

const KERNEL = 8
const kernelOf = (model: { getWeights(): readonly { readonly data: ArrayLike<number> }[] }): number[] =>
  Array.from(model.getWeights()[0]!.data).slice(0, KERNEL)

async function shards(): Promise<number[]> {
  return kernelOf(await readTfjs(pathOf('shards')))
}

/** The files of a page that the user has chosen. */
function chosen(): File[] {
  const weights = Object.entries(filesOf('shards')).map(([name, bytes]) => new File([bytes], name))
  return [...weights.reverse(), new File([bytesOf('shards.json')], 'model.json')]
}

describe('a model is read from', () => {
  it('a folder, a path and a file URL', async () => {
    const folder = folderOf()
    for (const name of Object.keys(filesOf('shards'))) writeFileSync(join(folder, name), filesOf('shards')[name]!)
    copyFileSync(pathOf('shards'), join(folder, 'model.json'))
    for (const source of [
      folder,
      join(folder, 'model.json'),
      pathToFileURL(folder),
      pathToFileURL(`${folder}/model.json`),
    ])
      expect(kernelOf(await readTfjs(source))).toEqual(await shards())
  })

  it('the files of a file chooser, in any order', async () => {
    expect(kernelOf(await readTfjs(chosen()))).toEqual(await shards())
    await expect(readTfjs(chosen().slice(0, -1))).rejects.toThrow(/is not JSON/)
    await expect(readTfjs(chosen().slice(1))).rejects.toThrow(/needs the file 'shards-4of4.bin'/)
    await expect(readTfjs([])).rejects.toThrow(ArgumentError)
  })

  it('bytes with the files, by path or by name', async () => {
    const json = bytesOf('shards.json')
    const files = filesOf('shards')
    expect(kernelOf(await readTfjs(json, { files }))).toEqual(await shards())
    const { weightsManifest, ...others } = jsonOf<{ weightsManifest: { paths: string[] }[] }>('shards.json')
    const moved = weightsManifest.map((group) => ({ ...group, paths: group.paths.map((path) => `./deep/${path}`) }))
    const deep = new TextEncoder().encode(JSON.stringify({ ...others, weightsManifest: moved }))
    expect(kernelOf(await readTfjs(deep, { files }))).toEqual(await shards())
    const blobs = Object.fromEntries(Object.entries(files).map(([path, bytes]) => [`deep/${path}`, new Blob([bytes])]))
    expect(kernelOf(await readTfjs(deep.buffer, { files: blobs }))).toEqual(await shards())
    await expect(readTfjs(json)).rejects.toThrow(/needs the file 'shards-1of4.bin'. Pass its content/)
    await expect(readTfjs(json, { files: { a: 1 as never } })).rejects.toThrow(ArgumentError)
  })

  it.each([undefined, null])(
    'model.json without a manifest, which is %s: refused, no weight is random',
    async (manifest) => {
      const json = { ...jsonOf<Record<string, unknown>>('shards.json'), weightsManifest: manifest }
      const bytes = new TextEncoder().encode(JSON.stringify(json))
      await expect(readTfjs(bytes)).rejects.toThrow(/has no weightsManifest.*Save the model with its weights/)
      await expect(loadModel(bytes)).rejects.toThrow(FormatError)
    },
  )

  it('an address, with or without model.json', async () => {
    const server = createServer((request, response) => {
      const name = request.url!.slice('/models/'.length)
      const bytes = name === 'model.json' ? bytesOf('shards.json') : filesOf('shards')[name]
      response.writeHead(bytes === undefined ? 404 : 200).end(bytes)
    })
    await new Promise<void>((resolve) => server.listen(0, resolve))
    try {
      const { port } = server.address() as AddressInfo
      for (const end of ['', 'model.json'])
        expect(kernelOf(await readTfjs(`http://localhost:${port}/models/${end}`))).toEqual(await shards())
      await expect(readTfjs(`http://localhost:${port}/other/model.json`)).rejects.toThrow(StateError)
    } finally {
      server.close()
    }
  })
})

describe('the format for models', () => {
  it('reads, fills and writes', async () => {
    const folder = folderOf()
    const model = await readTfjs(pathOf('shards'))
    const json = await tfjsFormat.write(model as never, join(folder, 'model.json'), {})
    const file = await openFile(join(folder, 'model.json'), 'test')
    expect(Uint8Array.from(file.bytes)).toEqual(json)
    const again = await tfjsFormat.read(file, {})
    expect(kernelOf(again)).toEqual(kernelOf(model))
    again.setWeights(again.getWeights().map((weight) => ops.multiply(weight, 0)))
    await tfjsFormat.fill(again, json, join(folder, 'model.json'), null)
    expect(kernelOf(again)).toEqual(kernelOf(model))
    const other = new Sequential([new Dense({ units: 3, inputShape: [4] })])
    const { fill } = tfjsFormat
    await expect(fill(other, json, join(folder, 'model.json'), null)).rejects.toThrow(/the weights do not fit/)
  })

  it('reads by addresses that are relative to the page', async () => {
    const asked: string[] = []
    const builtin = vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined)
    vi.stubGlobal('fetch', async (address: string | URL) => {
      asked.push(String(address))
      return new Response(new Uint8Array([1]))
    })
    try {
      const folder = await openFile('models/digits/', 'test')
      await folder.beside!('group1.bin')
      const file = await openFile('models/digits/model.json?from=a/b#c/d', 'test')
      await file.beside!('group1.bin')
    } finally {
      builtin.mockRestore()
      vi.unstubAllGlobals()
    }
    expect(asked).toEqual([
      'models/digits/model.json',
      'models/digits/group1.bin',
      'models/digits/model.json?from=a/b#c/d',
      'models/digits/group1.bin',
    ])
  })
})

describe('files outside of the folder', () => {
  const withPaths = (paths: unknown): Uint8Array<ArrayBuffer> => {
    const json = jsonOf<{ weightsManifest: object[] }>('uint8.json')
    return new TextEncoder().encode(
      JSON.stringify({ ...json, weightsManifest: [{ ...json.weightsManifest[0], paths }] }),
    )
  }

  it.each([
    '../secret.bin',
    '/etc/passwd',
    'a/../../secret.bin',
    'C:\\secret',
    '..\\secret',
    'http://host/x',
    'file:///etc/passwd',
    '',
  ])('are not read: %j', async (path) => {
    const folder = folderOf()
    mkdirSync(join(folder, 'model'))
    writeFileSync(join(folder, 'secret.bin'), filesOf('uint8')['uint8.bin']!)
    writeFileSync(join(folder, 'model', 'model.json'), withPaths([path]))
    await expect(readTfjs(join(folder, 'model'))).rejects.toThrow(/leads out of the folder/)
    await expect(readTfjs(withPaths([path]), { files: { [path]: filesOf('uint8')['uint8.bin']! } })).rejects.toThrow(
      FormatError,
    )
  })

  it('are not read through a link', async () => {
    const folder = folderOf()
    mkdirSync(join(folder, 'model'))
    writeFileSync(join(folder, 'secret.bin'), filesOf('uint8')['uint8.bin']!)
    symlinkSync(join(folder, 'secret.bin'), join(folder, 'model', 'uint8.bin'))
    writeFileSync(join(folder, 'model', 'model.json'), withPaths(['uint8.bin']))
    await expect(readTfjs(join(folder, 'model'))).rejects.toThrow(/leads out of the folder/)
  })

  it.skipIf(process.platform === 'win32')(
    'are not read from a pipe, which does not end, or from a folder',
    async () => {
      const folder = folderOf()
      writeFileSync(join(folder, 'model.json'), withPaths(['uint8.bin']))
      execFileSync('mkfifo', [join(folder, 'uint8.bin')])
      await expect(readTfjs(folder)).rejects.toThrow(/'uint8.bin' is not a regular file/)
      rmSync(join(folder, 'uint8.bin'))
      mkdirSync(join(folder, 'uint8.bin'))
      await expect(readTfjs(folder)).rejects.toThrow(/'uint8.bin' is not a regular file/)
    },
  )

  it.each([
    [['uint8.bin', './uint8.bin'], /names the file 'uint8.bin' twice/],
    [Array.from({ length: 10_001 }, (_, i) => `${i}.bin`), /more than 10000 files/],
    ['uint8.bin', /without a list of paths/],
    [[1], /without a list of paths/],
    [[], /needs 32 bytes, but 0 are left/],
  ])('and other paths are refused', async (paths, message) => {
    const read = readTfjs(withPaths(paths), { files: filesOf('uint8') })
    await expect(read).rejects.toThrow(message)
    await expect(readTfjs(withPaths(paths), { files: filesOf('uint8') })).rejects.toThrow(FormatError)
  })

  it('that are missing are an error of the file system', async () => {
    const folder = folderOf()
    writeFileSync(join(folder, 'model.json'), withPaths(['absent.bin']))
    await expect(readTfjs(folder)).rejects.toThrow(StateError)
  })
})

describe('the storage of a page', () => {
  const made = (): Sequential => {
    const model = new Sequential([new Dense({ units: 3, inputShape: [4], name: 'only' })])
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
    return model
  }

  it.each(['indexeddb://', 'localstorage://'])('%s holds models in the layout of TensorFlow.js', async (scheme) => {
    const [storage, database] = [new FakeStorage(), new FakeDatabase()]
    vi.stubGlobal('localStorage', storage)
    vi.stubGlobal('indexedDB', database)
    const model = made()
    await model.fit([[1, 2, 3, 4]], [[1, 2, 3]], { epochs: 2, verbose: 0 })
    await writeTfjs(model, `${scheme}digits/one`)
    const again = await readTfjs(`${scheme}digits/one`)
    expect(kernelOf(again)).toEqual(kernelOf(model))
    expect(again.optimizer.iterations.value.item()).toBe(2)
    await expect(readTfjs(`${scheme}other`)).rejects.toThrow(/there is no model/)
    await expect(readTfjs(scheme)).rejects.toThrow(ArgumentError)
    if (scheme === 'localstorage://') {
      expect([...storage.items.keys()].sort()).toEqual(
        ['info', 'model_metadata', 'model_topology', 'weight_data', 'weight_specs'].map(
          (part) => `tensorflowjs_models/digits/one/${part}`,
        ),
      )
      const info = JSON.parse(storage.items.get('tensorflowjs_models/digits/one/info')!) as Record<string, unknown>
      expect(info).toMatchObject({ modelTopologyType: 'JSON', weightDataBytes: 4 * (15 + 1 + 30) })
      return
    }
    expect([...database.stores.keys()].sort()).toEqual(['model_info_store', 'models_store'])
    const record = database.stores.get('models_store')!.get('digits/one') as { modelArtifacts: Record<string, unknown> }
    expect(Object.keys(record.modelArtifacts)).toEqual(
      expect.arrayContaining(['modelTopology', 'weightSpecs', 'weightData', 'format', 'trainingConfig']),
    )
    expect(record.modelArtifacts['weightData']).toBeInstanceOf(ArrayBuffer)
    expect(database.stores.get('model_info_store')!.get('digits/one')).toHaveProperty('modelArtifactsInfo.dateSaved')
  })

  it('keeps the old model if a new one has no room', async () => {
    const storage = new FakeStorage(20_000)
    vi.stubGlobal('localStorage', storage)
    const model = made()
    await writeTfjs(model, 'localstorage://m')
    const large = new Sequential([new Dense({ units: 100, inputShape: [100] })])
    await expect(writeTfjs(large, 'localstorage://m')).rejects.toThrow(StateError)
    expect(kernelOf(await readTfjs('localstorage://m'))).toEqual(kernelOf(model))
  })

  it('may be absent, or hold other things', async () => {
    await expect(readTfjs('indexeddb://m')).rejects.toThrow(/there is no IndexedDB/)
    await expect(writeTfjs(made(), 'localstorage://m')).rejects.toThrow(/there is no localStorage/)
    const [storage, database] = [new FakeStorage(), new FakeDatabase()]
    vi.stubGlobal('localStorage', storage)
    vi.stubGlobal('indexedDB', database)
    for (const part of ['info', 'model_topology', 'weight_specs', 'weight_data', 'model_metadata'])
      storage.items.set(`tensorflowjs_models/m/${part}`, part === 'weight_data' ? '!' : '{}')
    await expect(readTfjs('localstorage://m')).rejects.toThrow(FormatError)
    const cyclic: Record<string, unknown> = { weightData: new ArrayBuffer(4) }
    cyclic['modelTopology'] = cyclic
    const records = [undefined, null, 7, cyclic, { weightData: 'x' }, { weightData: new ArrayBuffer(4) }]
    for (const modelArtifacts of records) {
      database.stores.set('models_store', new Map([['m', { modelPath: 'm', modelArtifacts }]]))
      await expect(readTfjs('indexeddb://m')).rejects.toThrow(FormatError)
    }
  })
})

it('reading leaves the given bytes as they are', async () => {
  const bytes = filesOf('float16')['float16.bin']!
  const copy = bytes.slice()
  await readTfjs(bytesOf('float16.json'), { files: { 'float16.bin': bytes } })
  expect(bytes).toEqual(copy)
  expect(Uint8Array.from(readFileSync(new URL('../../golden/tfjs/layers/float16.bin', import.meta.url)))).toEqual(copy)
})
