// Damaged and oversized pictures and archives: an error of this library, in bounded memory, or the same values.
// ATTACK_FLIPS=8 changes each bit of every byte instead of one.
// modes: simd

import { readFileSync } from 'node:fs'
import { crc32, deflateSync } from 'node:zlib'
import { decode } from 'fast-png'
import { zipSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import { DataError, FormatError, MyelinError } from '../../src'
import { readImage, readNpz, writeNpz } from '../../src/entries/data'
import { sizeOfJpeg } from '../../src/data/readers/picture-files'
import { decodePng } from '../../src/data/readers/png'

const file = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../golden/data/${name}`, import.meta.url)))
const flips = Number(process.env['ATTACK_FLIPS'] ?? 1)

/** Every byte with another bit, or with each. */
function* flipped(bytes: Uint8Array, bits: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at++)
    for (let k = 0; k < bits; k++) {
      const changed = bytes.slice()
      changed[at]! ^= 1 << ((at * 5 + k) % 8)
      yield changed
    }
}

/** The number of changed files that are read as other values. */
async function otherValues(
  bytes: Uint8Array,
  read: (bytes: Uint8Array) => Promise<unknown>,
  bits = flips,
): Promise<number> {
  const expected = JSON.stringify(await read(bytes))
  let others = 0
  for (const changed of flipped(bytes, bits)) {
    try {
      if (JSON.stringify(await read(changed)) !== expected) others++
    } catch (error) {
      expect(error).toBeInstanceOf(MyelinError)
    }
  }
  return others
}

describe('a changed bit', () => {
  it.each(['rgb.png', 'gray.png', 'palette.png', 'deep.png'])('of %s is found', async (name) => {
    expect(await otherValues(file(name), async (bytes) => [...(await readImage(bytes)).data])).toBe(0)
  })

  it.each([true, false])('of the arrays of a .npz (compressed: %s) is found', async (compressed) => {
    const bytes = await writeNpz({ x: [1, 2, 3, 4, 5, 6, 7, 8], y: [3] }, null, { compressed })
    const values = async (from: Uint8Array) =>
      Object.entries(await readNpz(from)).map(([name, { data }]) => [name, ...data])
    expect(await otherValues(bytes, values, 8)).toBe(0)
  })
})

describe('a damaged JPEG', () => {
  const names = ['color.jpg', 'gray.jpg', 'halved.jpg', 'progressive.jpg', 'restarts.jpg', 'inks.jpg']

  it.each(names)(
    '%s with a changed bit is refused, or a picture of as many pixels as its header says',
    async (name) => {
      for (const changed of flipped(file(name), flips)) {
        try {
          const { shape } = await readImage(changed)
          const [width, height] = sizeOfJpeg(changed)!
          expect(shape).toEqual([height, width, 3])
        } catch (error) {
          expect(error).toBeInstanceOf(DataError)
        }
      }
    },
  )

  it.each(names)('%s is refused if its end is missing', async (name) => {
    const bytes = file(name)
    for (let end = 0; end < bytes.length - 1; end += end < bytes.length - 60 ? 7 : 1)
      await expect(readImage(bytes.subarray(0, end))).rejects.toThrow(DataError)
  })

  /** Four million grey pixels in 8 kB: each block is two bits. */
  const flat = (scan: readonly number[], count: number): Uint8Array => {
    const tables = [0xff, 0xd8, 0xff, 0xdb, 0, 67, 0, ...Array<number>(64).fill(1)]
    const frame = [0xff, 0xc2, 0, 11, 8, 2000 >> 8, 2000 & 255, 2000 >> 8, 2000 & 255, 1, 1, 0x11, 0]
    // One code, of one bit, for 0.
    const codes = [0, 0x10].flatMap((kind) => [0xff, 0xc4, 0, 20, kind, 1, ...Array<number>(15).fill(0), 0])
    const one = [0xff, 0xda, 0, 8, 1, 1, 0, ...scan, ...Array<number>(7813).fill(0)]
    const scans = Array.from({ length: count }, () => one).flat()
    return Uint8Array.from([...tables, ...frame, ...codes, ...scans, 0xff, 0xd9])
  }

  it('of 8 kB and 4 million pixels is read, and one of many scans is refused in time', async () => {
    const { shape, data } = await readImage(flat([0, 0, 0], 1), { channels: 1 })
    expect([shape, data[0], data.at(-1)]).toEqual([[2000, 2000, 1], 128, 128])
    await expect(readImage(flat([0, 0, 0], 1).subarray(0, -3))).rejects.toThrow(DataError)
    const start = process.cpuUsage()
    const many = flat([1, 63, 0], 200)
    await expect(readImage(many)).rejects.toThrow('it has more than 100 scans')
    const { user } = process.cpuUsage(start)
    expect(user / 1e6).toBeLessThan(4)
  })
})

/** A PNG with filtered rows, which are zeros by default. */
function pngOf(
  [width, height]: readonly [number, number],
  [depth, colour, interlace]: readonly [number, number, number],
  raw: Uint8Array,
): Uint8Array {
  const head = new Uint8Array(13)
  const view = new DataView(head.buffer)
  view.setUint32(0, width)
  view.setUint32(4, height)
  head.set([depth, colour, 0, 0, interlace], 8)
  return Uint8Array.from([
    0x89,
    0x50,
    0x4e,
    0x47,
    0x0d,
    0x0a,
    0x1a,
    0x0a,
    ...chunk('IHDR', head),
    ...chunk('IDAT', deflateSync(raw)),
    ...chunk('IEND', new Uint8Array()),
  ])
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, data.length)
  bytes.set(
    [...type].map((letter) => letter.charCodeAt(0)),
    4,
  )
  bytes.set(data, 8)
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)))
  return bytes
}

describe('PNG', () => {
  const forms = [0, 2, 4, 6].flatMap((colour) =>
    [8, 16].flatMap((depth) => [0, 1].map((how) => [depth, colour, how] as const)),
  )
  it.each(forms)('of depth %i, colour type %i, interlacing %i: the samples of fast-png', async (...form) => {
    const [depth, colour, interlace] = form
    const samples = { 0: 1, 2: 3, 4: 2, 6: 4 }[colour]!
    for (let seed = 1; seed < 12; seed++) {
      const [width, height] = [1 + ((seed * 7) % 11), 1 + ((seed * 5) % 13)]
      const rows = interlace === 0 ? [[width, height] as const] : adam7(width, height)
      let state = seed
      const next = (): number => (state = (state * 1103515245 + 12345) % 2 ** 31) >> 16
      const raw = rows.flatMap(([columns, count]) =>
        Array.from({ length: count }, () => [
          next() % 5,
          ...Array.from({ length: (columns * samples * depth) / 8 }, () => next() & 255),
        ]).flat(),
      )
      const bytes = pngOf([width, height], form, Uint8Array.from(raw))
      const { channels, data, largest } = await decodePng(bytes)
      expect(channels).toBe(samples)
      expect(largest).toBe(2 ** depth - 1)
      expect([...(data as Uint8Array)]).toEqual([...decode(bytes).data])
    }
  })
})

/** The columns and rows of each pass. */
function adam7(width: number, height: number): (readonly [number, number])[] {
  const starts = [
    [0, 0, 8, 8],
    [4, 0, 8, 8],
    [0, 4, 4, 8],
    [2, 0, 4, 4],
    [0, 2, 2, 4],
    [1, 0, 2, 2],
    [0, 1, 1, 2],
  ] as const
  return starts
    .map(([x, y, dx, dy]) => [Math.ceil((width - x) / dx), Math.ceil((height - y) / dy)] as const)
    .filter(([columns, rows]) => columns > 0 && rows > 0)
}

describe('a bomb', () => {
  it('A PNG of 1 bit and 139 million pixels is refused, and read with maxPixels if it is small enough', async () => {
    const bytes = pngOf([9920, 14032], [1, 0, 0], new Uint8Array((1240 + 1) * 14032))
    await expect(readImage(bytes)).rejects.toThrow(/9920 × 14032 has more than \d+ pixels\. .* set maxPixels/)
    const small = pngOf([64, 32], [1, 0, 0], new Uint8Array(9 * 32))
    await expect(readImage(small, { maxPixels: 64 * 31 })).rejects.toThrow('more than 1984 pixels')
    expect((await readImage(small, { maxPixels: 64 * 32 })).shape).toEqual([32, 64, 3])
  })

  it('A PNG with more pixels than its header says is refused before they are decompressed', async () => {
    const bytes = pngOf([8, 8], [8, 2, 0], new Uint8Array(2 ** 26))
    const before = process.memoryUsage().arrayBuffers
    await expect(readImage(bytes)).rejects.toThrow(DataError)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 25)
  })

  it('A .npz that expands to much more than its size is refused, and read with maxBytes', async () => {
    const size = 14_000_000
    const header = `{'descr': '|u1', 'fortran_order': False, 'shape': (${size},), }`.padEnd(117) + '\n'
    const array = new Uint8Array(128 + size)
    array.set([0x93, ...[...'NUMPY'].map((letter) => letter.charCodeAt(0)), 1, 0, 118, 0])
    array.set(
      [...header].map((letter) => letter.charCodeAt(0)),
      10,
    )
    const bytes = zipSync({ 'x.npy': array }, { level: 1 })
    await expect(readNpz(bytes)).rejects.toThrow(/need at least 700\d+ bytes, more than 64\d+\. .* set maxBytes/)
    expect((await readNpz(bytes, { maxBytes: 2 ** 27 }))['x']!.shape).toEqual([size])
  })

  it('A header of a .npy that is too long is refused', async () => {
    const text = "{'descr': [".repeat(30_000)
    const bytes = new Uint8Array(12 + text.length)
    bytes.set([0x93, ...[...'NUMPY'].map((letter) => letter.charCodeAt(0)), 2, 0])
    new DataView(bytes.buffer).setUint32(8, text.length, true)
    bytes.set(
      [...text].map((letter) => letter.charCodeAt(0)),
      12,
    )
    await expect(readNpz(zipSync({ 'x.npy': bytes }))).rejects.toThrow(FormatError)
  })
})
