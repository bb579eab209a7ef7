// Wrong arguments of save and load: values that are not paths, paths that do not exist, files of other libraries,
// unknown options; and leftovers of killed processes.
// modes: simd
import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zipSync } from 'fflate'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { ArgumentError, FormatError, MyelinError, StateError, loadModel } from '../../src'
import { imageFolder, readCsv, readImage, readNpy, writeNpy } from '../../src/entries/data'
import { loadKerasWeights, readKeras } from '../../src/entries/keras'
import { loadOnnx } from '../../src/entries/onnx'
import { loadModel as loadToPredict } from '../../src/entries/predict'
import { readTfjs } from '../../src/entries/tfjs'
import { readWeights, torchMapping } from '../../src/entries/weights'
import { FolderStore } from '../../src/engine/runtime/store'
import { temporaryName } from '../../src/engine/runtime/temporary'
import { bundledLibrary, freshLibrary } from '../helpers/fresh-library'
import { binaryModel, errorOf } from '../helpers/training'

let folder: string
const made: string[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'myelin-'))
  made.push(folder)
})
afterAll(() => Promise.all(made.map((each) => rm(each, { recursive: true }))))

const calls = (): [string, (path: never) => Promise<unknown>][] => {
  const model = binaryModel()
  return [
    ['save', (path) => model.save(path)],
    ['saveWeights', (path) => model.saveWeights(path)],
    ['loadModel', (path) => loadModel(path)],
    ['loadWeights', (path) => model.loadWeights(path)],
  ]
}

describe('an argument that is not a path', () => {
  it.each<[string, unknown]>([
    ['a number', 7],
    ['null', null],
    ['an empty string', ''],
    ['an object', {}],
    ['an array', ['a']],
    ['a string with a zero', 'a\0b'],
  ])('%s', async (_title, path) => {
    for (const [name, call] of calls()) {
      const error = await errorOf(() => call(path as never))
      expect(error, name).toBeInstanceOf(ArgumentError)
      expect(error.message).toMatch(new RegExp(`^${name}: expected a path or a URL, received`))
    }
  })

  it('a URL is not written to', async () => {
    for (const path of ['https://example.com/a', new URL('https://example.com/a')]) {
      const error = await errorOf(() => binaryModel().save(path))
      expect(error).toBeInstanceOf(ArgumentError)
      expect(error.message).toContain("save: 'https://example.com/a' is an address")
    }
    expect(await errorOf(() => binaryModel().save(new URL('ftp://example.com/a')))).toBeInstanceOf(ArgumentError)
  })
})

describe('a path that does not exist', () => {
  it('the error has the path, the problem and the cause', async () => {
    await writeFile(join(folder, 'file'), '')
    await mkdir(join(folder, 'folder.safetensors'))
    for (const [name, call] of calls()) {
      for (const [path, code] of [
        [join(folder, 'no', 'model.safetensors'), 'ENOENT'],
        [join(folder, 'folder.safetensors'), 'EISDIR'],
        [join(folder, 'file', 'model.safetensors'), 'ENOTDIR'],
      ] as const) {
        const error = await errorOf(() => call(path as never))
        expect(error, `${name} ${code}`).toBeInstanceOf(StateError)
        expect(error.message).toContain(
          `${name}: '${path}' cannot be ${name.startsWith('save') ? 'written' : 'read'}: `,
        )
        expect(error.message).toContain(code)
        expect(error.cause).toMatchObject({ code })
      }
    }
    expect((await errorOf(() => binaryModel().save(join(folder, 'no', 'model')))).message).toContain('Make the folder')
    expect((await readdir(folder)).sort()).toEqual(['file', 'folder.safetensors'])
  })

  it('also in readers', async () => {
    const path = join(folder, 'none')
    const reads: (() => Promise<unknown>)[] = [
      () => readNpy(path),
      () => readImage(path),
      () => imageFolder(path, { imageSize: [2, 2] }),
      () => writeNpy([1], join(path, 'a')),
      async () => {
        for await (const row of readCsv(path)) throw new Error(String(row))
      },
    ]
    for (const read of reads) {
      const error = await errorOf(read)
      expect(error).toBeInstanceOf(MyelinError)
      expect(error.message).toContain(`'${path}`)
    }
  })
})

describe('unknown options', () => {
  it('are refused with the nearest name, before anything is written', async () => {
    const model = binaryModel()
    const path = join(folder, 'model')
    const bytes = await model.save()
    const wrong: [() => Promise<unknown>, string][] = [
      [
        () => model.save(path, { includeOptimiser: false } as never),
        "option of save 'includeOptimiser'. Did you mean 'includeOptimizer'?",
      ],
      [() => model.save(path, { includeOptimizer: 1 } as never), 'save: includeOptimizer must be true or false'],
      [
        () => loadModel(bytes, { customObject: {} } as never),
        "option of loadModel 'customObject'. Did you mean 'customObjects'?",
      ],
      [() => loadModel(bytes, { compile: 'no' } as never), 'loadModel: compile must be true or false'],
      [() => model.saveWeights(path, { byName: true } as never), "option of saveWeights 'byName'"],
      [() => model.loadWeights(bytes, { byName: true } as never), "option of loadWeights 'byName'"],
    ]
    for (const [call, message] of wrong) {
      const error = await errorOf(call)
      expect(error).toBeInstanceOf(ArgumentError)
      expect(error.message).toContain(message)
    }
    expect(await readdir(folder)).toEqual([])
    // Keras's spelling, as everywhere.
    expect(
      (await loadModel(await model.save(path, { include_optimizer: false } as never))).training.compiled,
    ).toBeNull()
  })
})

describe('leftovers of killed processes', () => {
  /** The id of a process that has ended. */
  const gone = (): number => spawnSync(process.execPath, ['-e', '']).pid
  const left = async (name: string, hours = 0): Promise<string> => {
    await writeFile(join(folder, name), 'half')
    const then = Date.now() / 1000 - 3600 * hours
    await utimes(join(folder, name), then, then)
    return name
  }
  const named = (pid: number): string => temporaryName().replace(/-\d+-/, `-${pid}-`)
  const otherScope = (pid: number): string => `.myelin-00000000-${pid}-abc.tmp`

  it('are removed by the next save to the folder: of dead processes here, of others after a day', async () => {
    await left(named(gone()))
    await left(otherScope(gone()), 25)
    await left(`.myelin-${gone()}-k3j.tmp`, 25)
    const stays = await Promise.all([
      left(named(process.pid)),
      left(named(process.ppid), 100),
      left(otherScope(gone())),
      left(otherScope(gone()).replace('abc', 'abd'), 23),
      left(otherScope(process.pid), 100),
      left('.myelin-notes.tmp', 100),
      left('other.tmp', 100),
    ])
    await mkdir(join(folder, named(gone()).replace('.tmp', '-folder')))
    await binaryModel().save(join(folder, 'model'))
    const names = (await readdir(folder)).filter((name) => !name.endsWith('-folder'))
    expect(names.sort()).toEqual([...stays, 'model'].sort())
  })

  it('are removed by the next checkpoint, and by a backup', async () => {
    const name = await left(named(gone()))
    await new FolderStore(folder).write('model', Uint8Array.of(1))
    expect(await readdir(folder)).not.toContain(name)
    await left(named(gone()))
    const alive = await left(named(process.ppid))
    await new FolderStore(folder).tidy()
    expect((await readdir(folder)).sort()).toEqual([alive, 'model'].sort())
    expect([...(await readFile(join(folder, 'model')))]).toEqual([1])
  })
})

describe('a damaged file', () => {
  it.each<[string, (path: string) => Promise<unknown>]>([
    ['loadModel', (path) => loadModel(path)],
    ['loadModel of myelin/predict', (path) => loadToPredict(path, { layers: [] })],
    ['readWeights', (path) => readWeights(binaryModel(), path)],
    ['torchMapping', (path) => torchMapping(binaryModel(), path)],
    ['readKeras', (path) => readKeras(path)],
    ['loadKerasWeights', (path) => loadKerasWeights(binaryModel(), path)],
    ['loadOnnx', (path) => loadOnnx(path)],
    ['readTfjs', (path) => readTfjs(path)],
  ])('is named by %s', async (_name, load) => {
    const path = join(folder, 'damaged')
    await writeFile(path, 'PK\x03\x04')
    const error = await errorOf(() => load(path))
    expect(error).toBeInstanceOf(FormatError)
    expect(error.message.slice(0, path.length + 4)).toBe(`'${path}': `)
    expect((error.cause as Error).message).toBe(error.message.slice(path.length + 4))
  })

  it('is named in short if its address has its content', async () => {
    const error = await errorOf(() => loadModel(`data:,${'a'.repeat(1000)}`))
    expect(error).toBeInstanceOf(FormatError)
    expect(error.message.length).toBeLessThan(400)
  })
})

describe('files of other libraries', () => {
  const ascii = (text: string): number[] => Array.from(text, (letter) => letter.charCodeAt(0))
  const zip = (name: string): number[] => Array.from(zipSync({ [name]: Uint8Array.of(1, 2, 3) }))

  it.each<[string, number[], RegExp]>([
    ['.pkl', [0x80, 4, 0x95, 10, 0, 0, 0, 0, 0, 0, 0, 0x2e], /a Python pickle/],
    ['.pt', zip('archive/data.pkl'), /a PyTorch file/],
    ['.npz', zip('arr_0.npy'), /NumPy arrays \(\.npz\).*model\.loadWeights/],
    ['.npy', ascii('\x93NUMPY\x01\x00'), /a NumPy array/],
    ['.tflite', [0x1c, 0, 0, 0, ...ascii('TFL3'), ...new Array(90).fill(0)], /TensorFlow Lite/],
  ])('%s', async (_title, numbers, message) => {
    const { Dense, FormatError, Sequential, loadModel } = await freshLibrary()
    const bytes = Uint8Array.from(numbers)
    const model = new Sequential([new Dense({ units: 1, inputShape: [2] })])
    // loadWeights reads .npz, and looks for arrays in other archives.
    const isArchive = bytes[0] === 0x50
    if (isArchive) expect(await errorOf(() => model.loadWeights(bytes))).toBeInstanceOf(FormatError)
    for (const load of [() => loadModel(bytes), ...(isArchive ? [] : [() => model.loadWeights(bytes)])]) {
      const error = await errorOf(load)
      expect(error).toBeInstanceOf(FormatError)
      expect(error.message).toMatch(/^This is not a saved model of this library: it is /)
      expect(error.message).toMatch(message)
      expect(error.message).toMatch(/loadWeights|setWeights|modelFromJSON/)
    }
  })
})

it('a bundle without files of weights has no option overwrite', async () => {
  const { ArgumentError, Dense, Sequential } = await bundledLibrary()
  const model = new Sequential([new Dense({ units: 1, inputShape: [2] })])
  const error = await errorOf(() => model.saveWeights(join(folder, 'model'), { overwrite: true } as never))
  expect(error).toBeInstanceOf(ArgumentError)
  expect(error.message).toContain("option of saveWeights 'overwrite'")
  expect(await readdir(folder)).toEqual([])
})
