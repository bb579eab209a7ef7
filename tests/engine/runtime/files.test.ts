// Saving to a file: it is either complete or unchanged, whatever happens meanwhile, and the last call wins. KILLS=200 kills that
// many processes that save.
// modes: simd

import { spawn, spawnSync } from 'node:child_process'
import * as promises from 'node:fs/promises'
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { bundle } from '../../helpers/built'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { Dense, Sequential, loadModel, tensor } from '../../../src'
import { GrowingFile } from '../../../src/engine/runtime/files'

const kills = Number(process.env['KILLS'] ?? 0)
const onWindows = process.platform === 'win32'
let folder: string
let place: string
let count = 0
/** src/engine/runtime/files.ts as a module that a separate process can import. */
let built: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'myelin-'))
  const outDir = join(folder, 'built')
  await bundle(['src/engine/runtime/files.ts'], outDir)
  const [file] = (await readdir(outDir)).filter((name) => name.startsWith('files'))
  built = pathToFileURL(join(outDir, file!)).href
})

beforeEach(async () => {
  place = join(folder, String(count++))
  await mkdir(place)
})

afterAll(() => rm(folder, { recursive: true }))

function model(units: number): Sequential {
  return new Sequential([new Dense({ units, inputShape: [units] })])
}

/** A script with writeFile and its arguments: the target path, then files of bytes. */
const PRELUDE = `
import { readFileSync } from 'node:fs'
const { writeFile } = await import(process.argv[2])
const path = process.argv[3]
const contents = process.argv.slice(4).map((file) => readFileSync(file))
`

async function script(name: string, body: string): Promise<string> {
  const file = join(folder, name)
  await writeFile(file, PRELUDE + body)
  return file
}

/** Kills a process that saves in a loop, `delay` milliseconds after its first save. */
function killWhileSaving(file: string, path: string, contents: readonly string[], delay: number): Promise<void> {
  const child = spawn(process.execPath, [file, built, path, ...contents], { stdio: ['ignore', 'pipe', 'inherit'] })
  child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), delay))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => (signal === 'SIGKILL' ? resolve() : reject(new Error(`exit code ${code}`))))
  })
}

describe('a file that save writes', () => {
  it(
    'is complete whenever the process is killed',
    async () => {
      const bytes = await Promise.all([300, 310].map((units) => model(units).save()))
      const contents = await Promise.all(
        bytes.map(async (content, i) => {
          const name = join(place, `content-${i}`)
          await writeFile(name, content)
          return name
        }),
      )
      const loop = await script(
        'loop.mjs',
        `await writeFile(path, contents[0])\nconsole.log('saved')\nfor (let i = 1; ; i++) await writeFile(path, contents[i % 2])`,
      )
      const path = join(place, 'model')
      for (let round = 0; round < Math.max(10, kills / 3); round++) {
        const paths = [0, 1, 2].map((i) => `${path}-${i}`)
        await Promise.all(paths.map((each, i) => killWhileSaving(loop, each, contents, (7 * round + 5 * i) % 24)))
        // The next save removes what the killed ones left.
        await model(3).save(join(place, 'next'))
        expect((await readdir(place)).filter((name) => name.endsWith('.tmp'))).toEqual([])
        for (const each of paths) {
          const found = await readFile(each)
          expect(
            bytes.some((content) => found.equals(content)),
            `${found.length} bytes`,
          ).toBe(true)
          const kernel = (await loadModel(each)).getWeights()[0]!
          expect([300, 310]).toContain(kernel.shape[0])
        }
      }
    },
    60_000 + 1000 * kills,
  )

  it.skipIf(onWindows)('is the old one if the disk is full', async () => {
    const path = join(place, 'model')
    const old = await model(3).save(path)
    const large = join(place, 'large')
    await writeFile(large, await model(300).save())
    const full = await script(
      'full.mjs',
      `await writeFile(path, contents[0]).catch(({ cause }) => console.log(cause.code))`,
    )
    // The process may write no file of more than 32 blocks, 16 kB here or 32 elsewhere.
    const child = spawnSync('sh', ['-c', 'ulimit -f 32; exec "$@"', 'sh', process.execPath, full, built, path, large], {
      encoding: 'utf8',
    })
    expect(child).toMatchObject({ stdout: 'EFBIG\n', stderr: '', status: 0 })
    expect((await readFile(path)).equals(old)).toBe(true)
    expect((await readdir(place)).sort()).toEqual(['large', 'model'])
  })

  it('contains the bytes of the last of many calls without await, however the path is written', async () => {
    const path = join(place, 'model')
    const ways = [path, pathToFileURL(path), pathToFileURL(path).href, relative(process.cwd(), path)]
    const saved = model(40)
    const saves = Array.from({ length: 20 }, (_, i) => {
      saved.setWeights([tensor(new Float32Array(1600).fill(i), [40, 40]), tensor(new Float32Array(40).fill(i))])
      return saved.save(ways[i % ways.length])
    })
    const bytes = await Promise.all(saves)
    expect((await readFile(path)).equals(bytes[19]!)).toBe(true)
    for (const [i, content] of bytes.entries()) {
      const values = (await loadModel(content)).getWeights().flatMap(({ data }) => [...data])
      expect(new Set(values), `save ${i}`).toEqual(new Set([i]))
    }
    expect(await readdir(place)).toEqual(['model'])
  })

  it('is written by the next call after a failed one', async () => {
    const path = join(place, 'late', 'model')
    const failing = model(2).save(path)
    await expect(failing).rejects.toThrow('ENOENT')
    await mkdir(join(place, 'late'))
    const bytes = await model(2).save(path)
    expect((await readFile(path)).equals(bytes)).toBe(true)
  })

  it.skipIf(onWindows)('keeps the mode of the previous file', async () => {
    const path = join(place, 'model')
    await model(2).save(path)
    for (const mode of [0o600, 0o640, 0o777]) {
      await chmod(path, mode)
      await model(2).save(path)
      expect((await stat(path)).mode & 0o777).toBe(mode)
    }
  })

  it.skipIf(onWindows)('is the target of a link, also of a link to a missing file', async () => {
    const [target, link, second] = ['target', 'link', 'second'].map((name) => join(place, name)) as [
      string,
      string,
      string,
    ]
    await symlink('target', link)
    await symlink('link', second)
    for (let i = 0; i < 2; i++) {
      const bytes = await model(2 + i).save(second)
      expect((await readFile(target)).equals(bytes)).toBe(true)
    }
    expect(
      (await readdir(place, { withFileTypes: true }))
        .filter((entry) => entry.isSymbolicLink())
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['link', 'second'])
  })

  it.skipIf(onWindows)('does not replace a device', async () => {
    await model(2).save('/dev/null')
    expect((await stat('/dev/null')).isCharacterDevice()).toBe(true)
  })
})

describe('an appended file', () => {
  /** node:fs/promises with writes of at most `most` bytes. */
  function withWrites<Result>(most: number, body: () => Promise<Result>): Promise<Result> {
    const open: typeof promises.open = async (...given) => {
      const handle = await promises.open(...given)
      const write = handle.write.bind(handle) as (...inputs: [Uint8Array, number, number, number]) => Promise<object>
      Object.assign(handle, {
        write: (bytes: Uint8Array, from: number, length: number, at: number) =>
          write(bytes, from, Math.min(length, most), at),
      })
      return handle
    }
    const { getBuiltinModule } = process
    const spy = vi
      .spyOn(process, 'getBuiltinModule')
      .mockImplementation(((name: string) =>
        name === 'node:fs/promises' ? { ...promises, open } : getBuiltinModule(name)) as typeof getBuiltinModule)
    return body().finally(() => spy.mockRestore())
  }

  it('contains all bytes even if a write takes only some of them', async () => {
    const path = join(place, 'log')
    const file = new GrowingFile(path, null)
    await withWrites(3, async () => {
      await file.append(new TextEncoder().encode('epoch,loss\n'))
      await file.append(new TextEncoder().encode('0,0.5\n'))
    })
    expect(await readFile(path, 'utf8')).toBe('epoch,loss\n0,0.5\n')
    expect(file.known).toBe(17)
  })

  it('reports when nothing more can be written, and continues after the complete part', async () => {
    const path = join(place, 'log')
    const file = new GrowingFile(path, null)
    await file.append(Uint8Array.of(65))
    await expect(withWrites(0, () => file.append(Uint8Array.of(66, 67)))).rejects.toThrow(
      /log' is incomplete: only 0 of 2/,
    )
    await file.append(Uint8Array.of(68))
    expect(await readFile(path, 'utf8')).toBe('AD')
  })
})

describe('without a file system', () => {
  it('save reports it', async () => {
    const getBuiltinModule = vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined)
    try {
      await expect(model(2).save(join(place, 'model'))).rejects.toThrow(
        'Writing files requires Node 20.16, 22.3 or later',
      )
    } finally {
      getBuiltinModule.mockRestore()
    }
  })
})
