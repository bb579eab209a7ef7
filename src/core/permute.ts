// Random permutations of rows. Seeds are chosen in ops/random/seed.ts and data/samples/row-source.ts.

import { threefry2x32 } from './threefry'

/** The initial state of sfc32. */
export type PermutationKey = readonly [a: number, b: number, c: number, counter: number]

export function permutationKey(seed: number): PermutationKey {
  return [...threefry2x32(seed, 0, 0, 1), ...threefry2x32(seed, 0, 1, 1)]
}

/**
 * The first `length` elements of out ← 0 … length − 1 in random order, by the inside-out Fisher–Yates shuffle. The random numbers come
 * from Doty-Humphrey's sfc32, which is several times faster than the counter-based generator, but cannot start at a position. The
 * counter-based generator makes its seed. The kernel `permute` gives the same order.
 */
export function permute(out: Int32Array, length: number, [a, b, c, counter]: PermutationKey): void {
  for (let i = 0; i < length; i++) {
    const mixed = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + mixed) | 0
    // ⌊mixed · (i + 1) / 2³²⌋ in two halves, each exact in float64.
    const low = Math.floor(((mixed & 0xffff) * (i + 1)) / 0x10000)
    const j = Math.floor(((mixed >>> 16) * (i + 1) + low) / 0x10000)
    out[i] = out[j]!
    out[j] = i
  }
}
