// Pixels keep their bits: checksums of what is read from every kind of file, and of what Pillow reads from JPEG files.
// tests/golden/pictures.py and pictures.mjs say what they are of.
// modes: simd

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import type { Tensor } from '../../src'
import { imageFolder, readImage } from '../../src/entries/data'
import golden from '../golden/pictures.json' with { type: 'json' }
import { withoutKernels } from '../helpers/without-kernels'

const folder = mkdtempSync(join(tmpdir(), 'myelin-pictures-'))
afterAll(() => rmSync(folder, { recursive: true }))

const sum = ({ data }: Tensor): number => crc32(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
const resizings = [
  { imageSize: [8, 11] },
  { imageSize: 64, scale: 1 / 255 },
  { imageSize: [16, 9], cropToAspectRatio: true },
  { imageSize: 20, padToAspectRatio: true, dtype: 'int32' },
] as const

describe('the pixels of', () => {
  it.each(Object.entries(golden))('%s', async (name, { bytes: text, pixels }) => {
    const bytes = new Uint8Array(Buffer.from(text, 'base64'))
    mkdirSync(join(folder, name))
    writeFileSync(join(folder, name, name), bytes)
    for (const channels of [1, 3, 4] as const) {
      const sums = [
        sum(await readImage(bytes, { channels })),
        sum(await readImage(bytes, { channels, scale: 1 / 255 })),
      ]
      for (const options of resizings) {
        const images = await imageFolder(join(folder, name), { labels: null, batchSize: null, channels, ...options })
        sums.push(sum((await images.toArray())[0]!))
      }
      expect(sums, `${channels} channels`).toEqual(pixels[channels])
    }
  })
})

describe('JPEG files have the pixels of Pillow', () => {
  const files = Object.entries(golden).flatMap(([name, { bytes, ...sums }]) =>
    'pillow' in sums ? [[name, new Uint8Array(Buffer.from(bytes, 'base64')), sums.pillow] as const] : [],
  )
  const sumOf = async (read: typeof readImage, bytes: Uint8Array, channels: 1 | 3): Promise<number> =>
    crc32(Uint8Array.from((await read(bytes, { channels })).data))

  it.each(files)('%s', async (_name, bytes, expected) => {
    for (const channels of [1, 3] as const) expect(await sumOf(readImage, bytes, channels)).toBe(expected[channels])
  })

  /** What is read from files with a changed byte: checksums and messages. */
  const outcomesOf = async (read: typeof readImage): Promise<string[]> => {
    const outcomes: string[] = []
    for (const [name, bytes] of files)
      for (let i = 1; i <= 40; i++) {
        const changed = bytes.slice()
        changed[Math.floor((bytes.length * i) / 41)]! ^= (37 * i) & 255
        const outcome = await read(changed).then(sum, (error: unknown) => String(error))
        outcomes.push(`${name} ${outcome}`)
      }
    return outcomes
  }

  it('without the kernels as well, and damaged files the same pixels or errors', async () => {
    const outcomes = await outcomesOf(readImage)
    await withoutKernels(async (plain) => {
      for (const [name, bytes, expected] of files)
        for (const channels of [1, 3] as const)
          expect(await sumOf(plain.readImage, bytes, channels), name).toBe(expected[channels])
      expect(await outcomesOf(plain.readImage)).toEqual(outcomes)
    })
  })
})
