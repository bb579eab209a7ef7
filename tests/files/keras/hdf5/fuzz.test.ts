// Damaged files: flipped and replaced bytes, cut and spliced files. Each gives a FormatError or values, within the limits of
// time and memory. A wrong checksum is corrected, as someone who builds a hostile file would do.
// modes: simd

import { assert, asyncProperty, constantFrom, integer, nat, oneof, record, tuple, type Arbitrary } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FormatError } from '../../../../src'
import { openHdf5 } from '../../../../src/files/keras/hdf5/read'
import type { Hdf5Dataset, Hdf5Group } from '../../../../src/files/keras/hdf5/types'
import { fixture, fixtures, refused } from './helpers'

/** HDF5_MUTATIONS=100000 takes ten minutes. */
const mutations = Number(process.env['HDF5_MUTATIONS'] ?? 400)
const MOST_MILLISECONDS = 2000
const MOST_MEMORY = 100 * 2 ** 20

const files = new Map<string, Uint8Array>([
  ...fixtures.map((name) => [name, fixture(name)] as const),
  ...refused.map((name) => [`refused/${name}`, fixture(`refused/${name}`)] as const),
])

/** Reads all values, and corrects checksums on the way. */
async function readAll(bytes: Uint8Array): Promise<number> {
  for (let tries = 0; ; tries++) {
    try {
      return countValues(await openHdf5(bytes))
    } catch (error) {
      const [, at, computed] = /checksum of .* at byte (\d+) is \d+, not (\d+)/.exec(String(error)) ?? []
      if (at === undefined || tries === 20) throw error
      new DataView(bytes.buffer).setUint32(Number(at), Number(computed), true)
    }
  }
}

function countValues(item: Hdf5Group | Hdf5Dataset): number {
  if (item.kind === 'dataset') return item.read().values.length
  return Array.from(item.members.values(), countValues).reduce((a, b) => a + b, 0)
}

type Mutation =
  | { readonly kind: 'bit'; readonly at: number; readonly bit: number }
  | { readonly kind: 'byte'; readonly at: number; readonly value: number }
  | { readonly kind: 'number'; readonly at: number; readonly value: bigint }
  | { readonly kind: 'copy'; readonly at: number; readonly from: number; readonly size: number }
  | { readonly kind: 'cut'; readonly at: number }

/** A part of the file's size in 2³⁰. */
const place = nat(2 ** 30 - 1)

const mutation: Arbitrary<Mutation> = oneof(
  record({ kind: constantFrom('bit' as const), at: place, bit: nat(7) }),
  record({
    kind: constantFrom('byte' as const),
    at: place,
    value: oneof(constantFrom(0, 1, 2, 127, 128, 255), nat(255)),
  }),
  record({
    kind: constantFrom('number' as const),
    at: place,
    value: oneof(constantFrom(0n, 8n, 96n, 1n << 16n, 1n << 31n, 1n << 40n, 1n << 63n, -1n), nat(100_000).map(BigInt)),
  }),
  record({
    kind: constantFrom('copy' as const),
    at: place,
    from: place,
    size: oneof(constantFrom(8, 40, 328, 544), integer({ min: 1, max: 600 })),
  }),
  record({ kind: constantFrom('cut' as const), at: place }),
)

function mutated(original: Uint8Array, mutations: readonly Mutation[]): Uint8Array {
  let bytes = new Uint8Array(original)
  /** The next byte that is not 0: much of a file is unused. */
  const used = (part: number, multiple = 1): number => {
    const at = Math.floor((part / 2 ** 30) * bytes.length)
    const found = bytes.findIndex((byte, i) => i >= at && byte !== 0)
    return Math.floor((found < 0 ? at : found) / multiple) * multiple
  }
  for (const each of mutations) {
    if (bytes.length < 8) return bytes
    if (each.kind === 'bit') bytes[used(each.at)]! ^= 1 << each.bit
    else if (each.kind === 'byte') bytes[used(each.at)] = each.value
    else if (each.kind === 'number')
      new DataView(bytes.buffer).setBigUint64(
        Math.min(used(each.at, 4), bytes.length - 8),
        BigInt.asUintN(64, each.value),
        true,
      )
    else if (each.kind === 'copy')
      bytes.copyWithin(used(each.at, 8), used(each.from, 8), used(each.from, 8) + each.size)
    else bytes = bytes.slice(0, used(each.at))
  }
  return bytes
}

function memory(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

describe('a damaged file', () => {
  it('gives a FormatError or values, in bounded time and memory', { timeout: 3_600_000 }, async () => {
    const outcomes = { values: 0, refused: 0 }
    await assert(
      asyncProperty(
        oneof(
          { weight: 4, arbitrary: constantFrom(...fixtures) },
          { weight: 1, arbitrary: constantFrom(...refused.map((name) => `refused/${name}`)) },
        ),
        oneof(tuple(mutation), tuple(mutation, mutation), tuple(mutation, mutation, mutation)),
        async (name, mutations) => {
          const bytes = mutated(files.get(name)!, mutations)
          const before = memory()
          const start = process.cpuUsage()
          try {
            await readAll(bytes)
            outcomes.values++
          } catch (error) {
            if (!(error instanceof FormatError)) throw error
            outcomes.refused++
          }
          // Not the time on the clock: the machine may be busy.
          const { user, system } = process.cpuUsage(start)
          expect((user + system) / 1000).toBeLessThan(MOST_MILLISECONDS)
          expect(memory() - before).toBeLessThan(MOST_MEMORY + bytes.length)
        },
      ),
      { numRuns: mutations },
    )
    // Both are reached: the mutations are neither too harmless nor too harmful.
    expect(Math.min(outcomes.values, outcomes.refused)).toBeGreaterThan(mutations / 20)
  })

  it.each([...files.keys()])('gives a FormatError wherever %s is cut', async (name) => {
    const bytes = files.get(name)!
    for (let i = 0; i < 20; i++) {
      const cut = bytes.slice(0, Math.floor((bytes.length * i) / 20))
      await expect(openHdf5(cut)).rejects.toThrow(FormatError)
    }
  })
})
