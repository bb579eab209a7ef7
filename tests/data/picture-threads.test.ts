// Pictures that are decoded in worker threads: the order and the bits of one thread, and its errors.
// modes: simd

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { bundle } from '../helpers/built'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Tensor } from '../../src'
import * as source from '../../src/entries/data'
import golden from '../golden/pictures.json' with { type: 'json' }

// Threads need modules that Node can load without a bundler.
const folder = mkdtempSync(join(fileURLToPath(new URL('../../build/', import.meta.url)), 'pictures-'))
const pictures = mkdtempSync(join(tmpdir(), 'myelin-pictures-'))
let built: typeof source

beforeAll(async () => {
  Object.entries(golden).forEach(([name, { bytes }], i) => {
    mkdirSync(join(pictures, `class${i % 2}`), { recursive: true })
    writeFileSync(join(pictures, `class${i % 2}`, name), Buffer.from(bytes, 'base64'))
  })
  await bundle(['src/index.ts', 'src/entries/data.ts'], folder, { ending: 'js' })
  built = (await import(/* @vite-ignore */ pathToFileURL(join(folder, 'data.js')).href)) as typeof source
}, 600_000)
afterAll(() => [folder, pictures].forEach((each) => rmSync(each, { recursive: true })))

const values = (batches: readonly unknown[]) =>
  (batches as readonly [Tensor, Tensor][]).map(([x, y]) => [x.shape, [...x.data], [...y.data]])

describe('with prefetch', () => {
  it.each([
    {},
    { interpolation: 'bicubic', scale: 1 / 255, batchSize: 7 },
    { channels: 1, dtype: 'int32', padToAspectRatio: true },
  ] as const)('a folder has the same batches in the same order: %o', async (more) => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue()
    const folderOf = () => built.imageFolder(pictures, { imageSize: [9, 11], seed: 4, ...more })
    const expected = values(await (await folderOf()).toArray())
    const ahead = (await folderOf()).map((batch) => batch).prefetch(2)
    for (let pass = 0; pass < 2; pass++) {
      const found = values(await ahead.toArray())
      if (pass === 0) expect(found).toEqual(expected)
      else expect(found).not.toEqual(expected)
    }
    expect(warn).not.toHaveBeenCalled()
    warn.mockRestore()
  })

  it('broken pictures are errors that name the file, or are collected', async () => {
    const broken = join(folder, 'broken')
    cpSync(pictures, broken, { recursive: true })
    const name = join(broken, 'class0', Object.keys(golden)[0]!)
    writeFileSync(name, readFileSync(name).subarray(0, 40))
    await expect((await built.imageFolder(broken, { imageSize: 8 })).prefetch(1).toArray()).rejects.toThrow(
      /is a broken picture: it is truncated/,
    )
    const rest = await built.imageFolder(broken, { imageSize: 8, onError: 'collect', batchSize: null })
    expect(await rest.prefetch(3).toArray()).toHaveLength(Object.keys(golden).length - 1)
    expect(rest.errors.map(({ message }) => message)).toEqual([expect.stringContaining(name)])
  })

  it('a signal ends the pass', async () => {
    const controller = new AbortController()
    const images = await built.imageFolder(pictures, { imageSize: 8, batchSize: 4, signal: controller.signal })
    const pass = images.prefetch(2)[Symbol.asyncIterator]()
    await pass.next()
    controller.abort(new Error('enough'))
    await expect(pass.next()).rejects.toThrow('enough')
  })
})

it('where threads cannot load the library, pictures are read in this one, with a warning', async () => {
  const warn = vi.spyOn(console, 'warn').mockReturnValue()
  const folderOf = () => source.imageFolder(pictures, { imageSize: 8, seed: 2 })
  const expected = values(await (await folderOf()).toArray())
  expect(values(await (await folderOf()).prefetch(2).toArray())).toEqual(expected)
  expect(warn.mock.calls).toEqual([[expect.stringMatching(/read in this thread, because a worker thread failed/)]])
  warn.mockRestore()
})
