// The counter-based random generator in plain arithmetic: the counterpart of assembly/kernels/random.ts for the
// interpreter, and the generator for shuffling rows. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3"
// (2011).

import type { NumericArray } from './dtypes'

const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24]
const PARITY = 0x1bd11bda

/** A seed as one word: itself if 32 bits hold it, otherwise a mix of all its 53 bits. */
export function seedWord(seed: number): number {
  const word = seed | 0
  return word === seed || word >>> 0 === seed ? word : threefry2x32(word, Math.floor(seed / 2 ** 32), 0, 0)[0]
}

/**
 * Threefry-2x32 with 20 rounds: a key of two words and a counter of two words give two random words (as int32).
 * @param seed the first word of the key, or any seed: see seedWord
 */
export function threefry2x32(seed: number, key1: number, counter0: number, counter1: number): [number, number] {
  const key0 = seedWord(seed)
  const keys = [key0 | 0, key1 | 0, PARITY ^ key0 ^ key1]
  let x0 = (counter0 + key0) | 0
  let x1 = (counter1 + key1) | 0
  for (let round = 0; round < 20; round++) {
    x0 = (x0 + x1) | 0
    const by = ROTATIONS[round & 7]!
    // Rotates to the left.
    x1 = ((x1 << by) | (x1 >>> (32 - by))) ^ x0
    if ((round & 3) === 3) {
      const injection = (round + 1) >> 2
      x0 = (x0 + keys[injection % 3]!) | 0
      x1 = (x1 + keys[(injection + 1) % 3]! + injection) | 0
    }
  }
  return [x0, x1]
}

/** Fills `out` with numbers in [0, 1): 23 random bits each. Elements 2j and 2j+1 come from counter `before` + j. */
export function threefryUniform(seed: number, key1: number, stream: number, out: NumericArray, before = 0): void {
  const key0 = seedWord(seed)
  for (let i = 0; i < out.length; i += 2) {
    const words = threefry2x32(key0, key1, before + (i >>> 1), stream)
    out[i] = (words[0] >>> 9) * 2 ** -23
    if (i + 1 < out.length) out[i + 1] = (words[1] >>> 9) * 2 ** -23
  }
}
