// Every place that takes a seed uses all 53 bits of it, and refuses what is no such integer.
// modes: simd

import { describe, expect, it } from 'vitest'
import { Dense, Dropout, SeedGenerator, Sequential, Tensor, initializers, random, setRandomSeed } from '../../src'
import { Dataset, kFold, trainTestSplit } from '../../src/entries/data'
import { permutation } from '../../src/ops/random/permutation'
import { seedWord } from '../../src/core/threefry'

const rows = Array.from({ length: 40 }, (_, i) => i)
const numbersOf = ({ data }: Tensor): number[] => [...data]

/** The numbers that follow from a seed. */
const PLACES: Readonly<Record<string, (seed: number) => unknown>> = {
  'random.uniform': (seed) => numbersOf(random.uniform([8], { seed })),
  'random.normal': (seed) => numbersOf(random.normal([8], { seed })),
  'random.shuffle': (seed) => numbersOf(random.shuffle(rows, { seed })),
  SeedGenerator: (seed) => numbersOf(random.uniform([8], { seed: new SeedGenerator(seed) })),
  initializers: (seed) => numbersOf(new initializers.GlorotUniform({ seed }).call([4, 4])),
  Dropout: (seed) =>
    numbersOf(
      new Dropout({ rate: 0.5, seed }).apply(new Tensor(new Float32Array(64).fill(1), [64], 'float32'), {
        training: true,
      }),
    ),
  setRandomSeed(seed) {
    setRandomSeed(seed)
    return numbersOf(random.uniform([8]))
  },
  'the order of fit'(seed) {
    setRandomSeed(seed)
    return new Sequential([new Dense({ units: 1, inputShape: [1] })]).training.shuffleState.seed
  },
  permutation: (seed) => [...permutation(40, seed)],
  'Dataset.shuffle': (seed) => Dataset.from(rows).shuffle(40, { seed }).toArray(),
  trainTestSplit: (seed) => JSON.stringify(trainTestSplit(rows, rows, { testSize: 0.5, seed })),
  kFold: (seed) => JSON.stringify(kFold(40, { folds: 2, shuffle: true, seed }).map(({ train }) => [...train])),
}

describe.each(Object.entries(PLACES))('%s', (_name, at) => {
  it('gives other numbers for seeds that differ in any bit', async () => {
    const seeds = [0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 33, 2 ** 52, 2 ** 53 - 2, 2 ** 53 - 1, -(2 ** 40)]
    const found = new Set<string>()
    for (const seed of seeds) {
      const numbers = JSON.stringify(await at(seed))
      expect(JSON.stringify(await at(seed))).toBe(numbers)
      found.add(numbers)
    }
    expect(found.size).toBe(seeds.length)
  })

  it.each([2 ** 53, 1e300, 0.5, NaN, Infinity])('refuses %s', async (seed) => {
    await expect((async () => at(seed))()).rejects.toThrow(
      Number.isInteger(seed) ? /seed.* must be an integer of at most 53 bits/ : /seed.* must be an integer/,
    )
  })
})

it('a seed of 32 bits is itself', () => {
  for (const seed of [0, 1, 7, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, -1, -(2 ** 31)]) expect(seedWord(seed)).toBe(seed | 0)
})
