// Files that were built to mislead a reader: each is a written file with some bytes replaced.
// modes: simd

import { describe, expect, it } from 'vitest'
import { FormatError } from '../../../../src'
import { loadUnzip } from '../../../../src/files/containers/zlib'
import { readHdf5 } from '../../../../src/files/keras/hdf5/read'
import type { Hdf5Array, Hdf5DatasetContent, Hdf5GroupContent } from '../../../../src/files/keras/hdf5/types'
import { writeHdf5 } from '../../../../src/files/keras/hdf5/write'
import { fixture } from './helpers'
import { processorTime } from '../../../helpers/processor-time'

const floats = (...values: number[]): Hdf5Array => ({
  type: 'float32',
  shape: [values.length],
  values: Float32Array.from(values),
})

function dataset(array: Hdf5Array): Hdf5DatasetContent {
  return { kind: 'dataset', read: () => array }
}

/** Two datasets, two attributes, and a group. */
function written(): Uint8Array {
  const content: Hdf5GroupContent = {
    kind: 'group',
    attributes: new Map([
      ['name1', { type: 'string', shape: [], values: ['a text'] }],
      ['name2', { type: 'string', shape: [2], values: ['one', 'two'] }],
    ]),
    members: new Map<string, Hdf5GroupContent | Hdf5DatasetContent>([
      ['data1', dataset(floats(1, 2, 3, 4))],
      ['data2', dataset(floats(5, 6, 7, 8))],
      ['inner', { kind: 'group', members: new Map() }],
    ]),
  }
  return writeHdf5(content)
}

const latin = new TextDecoder('latin1')

/** The position of text in a file, the last one if it is there several times. */
function find(bytes: Uint8Array, text: string): number {
  const at = latin.decode(bytes).lastIndexOf(text)
  expect(at).toBeGreaterThan(0)
  return at
}

/** Replaces the number at an offset from a text. */
function patched(text: string, offset: number, value: bigint, size: 1 | 2 | 4 | 8 = 8): Uint8Array {
  const bytes = written()
  const view = new DataView(bytes.buffer)
  const at = find(bytes, text) + offset
  if (size === 8) view.setBigUint64(at, BigInt.asUintN(64, value), true)
  else for (let i = 0; i < size; i++) view.setUint8(at + i, Number((value >> BigInt(8 * i)) & 255n))
  return bytes
}

function renamed(from: string, to: string): Uint8Array {
  const bytes = written()
  bytes.set(new TextEncoder().encode(to), find(bytes, from))
  return bytes
}

/** A message of the layout of values in one piece: version 3, class 1. Of the last dataset. */
const LAYOUT = '\x08\0\x18\0\0\0\0\0\x03\x01'
/** A message of a shape: version 1, rank 1. */
const SHAPE = '\x01\0\x10\0\0\0\0\0\x01\x01\0\0\0\0\0\0'
const address = (bytes: Uint8Array, text: string): bigint => BigInt(find(bytes, text))

describe('readHdf5 refuses', () => {
  const first = written()
  const valuesOf1 = new DataView(first.buffer).getBigUint64(latin.decode(first).indexOf(LAYOUT) + LAYOUT.length, true)
  it.each<[string, Uint8Array, string | RegExp]>([
    [
      'two members with one name',
      renamed('data2', 'data1'),
      "'/': the file is damaged: it has two members with the name 'data1'",
    ],
    [
      'two attributes with one name',
      renamed('name2', 'name1'),
      "'/': the file is damaged: it has two attributes with the name 'name1'",
    ],
    ['a path as a name', renamed('data2', '../..'), "a member has the name '../..'"],
    [
      'values of another dataset',
      patched(LAYOUT, LAYOUT.length, valuesOf1),
      /'\/data\d': .* overlaps another structure/,
    ],
    [
      'values after the end',
      patched(LAYOUT, LAYOUT.length, 1n << 40n),
      'the file is truncated or damaged: the values should be at',
    ],
    [
      'an address of 64 bits',
      patched(LAYOUT, LAYOUT.length, -2n),
      'a number in a message of an object header is too large',
    ],
    [
      'a shape that is larger than its values',
      patched(SHAPE, SHAPE.length, 1n << 40n),
      /the values have \d+ bytes, the shape needs/,
    ],
    ['a shape of 2⁶³', patched(SHAPE, SHAPE.length, 1n << 63n), 'is too large'],
    ['a B-tree that contains itself', patched('TREE', 32, address(first, 'TREE')), /symbol table|overlaps/],
    ['a B-tree with more levels than nodes', patched('TREE', 5, 200n, 1), 'overlaps|B-tree should begin with TREE'],
    ['a full B-tree with few entries', patched('TREE', 6, 65_535n, 2), 'should be at bytes'],
    ['a heap of names without an end', patched('HEAP', 8, 1n << 50n), 'should be at bytes'],
    ['a heap of texts without an end', patched('GCOL', 8, 1n << 50n), 'should be at bytes'],
    ['a heap of texts with a negative size', patched('GCOL', 8, 0n), /should be at bytes|overlaps|heap/],
    ['a text longer than its heap', patched('GCOL', 24, 1n << 30n), 'needs more than its'],
  ])('%s', (_, bytes, message) => {
    expect(() => readHdf5(bytes)).toThrow(FormatError)
    expect(() => readHdf5(bytes)).toThrow(
      message instanceof RegExp || !message.includes('|') ? message : new RegExp(message),
    )
  })

  it('compressed values without a function that decompresses', () => {
    const gzip = readHdf5(fixture('chunks')).members.get('gzip')
    expect(() => gzip?.kind === 'dataset' && gzip.read()).toThrow("'/gzip': the values are compressed")
  })
})

function attempt<Result>(body: () => Result): Result | null {
  try {
    return body()
  } catch {
    return null
  }
}

describe('inflate', () => {
  const deflate = async (size: number): Promise<Uint8Array> => (await import('fflate')).zlibSync(new Uint8Array(size))

  it('stops at the limit', async () => {
    const inflate = await loadUnzip()
    const bomb = await deflate(2 ** 23)
    const start = processorTime()
    expect(() => inflate(bomb, 1000)).toThrow('it has more than 1000 bytes')
    expect(processorTime() - start).toBeLessThan(10_000)
    expect(inflate(await deflate(5000), 5000)).toEqual(new Uint8Array(5000))
  })

  it('refuses truncated and damaged data', async () => {
    const inflate = await loadUnzip()
    const bytes = await deflate(5000)
    for (let i = 0; i < bytes.length; i++) {
      expect(() => inflate(bytes.slice(0, i), 5000), `cut at ${i}`).toThrow()
      const damaged = bytes.slice()
      damaged[i]! ^= 16
      // Some bits change nothing.
      const result = attempt(() => inflate(damaged, 5000))
      expect(result ?? new Uint8Array(5000)).toEqual(new Uint8Array(5000))
    }
  })
})
