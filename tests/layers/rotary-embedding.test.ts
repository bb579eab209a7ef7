// RotaryEmbedding: the formula, options, and errors.

import { expect, it } from 'vitest'
import { RotaryEmbedding, ops, random, tensor } from '../../src'

it('rotates feature i with feature i + n by the step times its frequency', () => {
  const x = random.normal([1, 5, 6], 0, 1, { seed: 1 })
  const rows = x.toArray<number[][][]>()[0]!
  const made = new RotaryEmbedding({ maxWavelength: 100, scalingFactor: 2 }).apply(x).toArray<number[][][]>()[0]!
  rows.forEach((row, t) => {
    for (let i = 0; i < 3; i++) {
      const angle = (t / 2) * 100 ** (-i / 3)
      expect(made[t]![i]).toBeCloseTo(row[i]! * Math.cos(angle) - row[i + 3]! * Math.sin(angle), 5)
      expect(made[t]![i + 3]).toBeCloseTo(row[i + 3]! * Math.cos(angle) + row[i]! * Math.sin(angle), 5)
    }
  })
})

it('products of queries and keys depend on the distance of their steps', () => {
  const [query, key] = [1, 2].map((seed) => ops.repeat(random.normal([1, 1, 8], 0, 1, { seed }), 6, 1))
  const rotary = new RotaryEmbedding()
  const scores = ops
    .matmul(rotary.apply(query!), ops.transpose(rotary.apply(key!), [0, 2, 1]))
    .toArray<number[][][]>()[0]!
  expect(scores[4]![1]).toBeCloseTo(scores[5]![2]!, 4)
  expect(scores[3]![3]).toBeCloseTo(scores[0]![0]!, 4)
})

it('rotates only the first features with fewer frequencies, and scales them', () => {
  const x = random.normal([1, 3, 2, 6], 0, 1, { seed: 3 })
  const made = new RotaryEmbedding({ frequencies: [0.5], magnitude: 2 }).apply(x)
  const rest = (each: typeof x): unknown => ops.slice(each, [0, 0, 0, 2], [1, 3, 2, 4]).toArray()
  expect(rest(made)).toEqual(rest(x))
  expect(made.toArray<number[][][][]>()[0]![0]![1]![0]).toBeCloseTo(2 * x.toArray<number[][][][]>()[0]![0]![1]![0]!, 5)
})

it('has other frequencies for sequences that are longer than the original length', () => {
  const x = random.normal([1, 4, 2], 0, 1, { seed: 4 })
  const rotary = new RotaryEmbedding({ frequencies: [0.5], longFrequencies: [0.25], originalLength: 3 })
  const plain = (frequency: number, of: typeof x) =>
    new RotaryEmbedding({ frequencies: [frequency] }).apply(of).toArray()
  const first = ops.slice(x, [0, 0, 0], [1, 3, 2])
  expect(rotary.apply(first).toArray()).toEqual(plain(0.5, first))
  expect(rotary.apply(x).toArray()).toEqual(plain(0.25, x))
  const incomplete = [
    { frequencies: [1], longFrequencies: [1] },
    { frequencies: [1], longFrequencies: [1, 2], originalLength: 3 },
    { longFrequencies: [1], originalLength: 3 },
    { frequencies: [1], originalLength: 3 },
  ]
  for (const options of incomplete)
    expect(() => new RotaryEmbedding(options)).toThrow(/longFrequencies needs originalLength/)
})

it('refuses what it cannot rotate', () => {
  expect(() => new RotaryEmbedding().apply(tensor([[[1, 2, 3]]]))).toThrow(/must be even/)
  expect(() => new RotaryEmbedding({ frequencies: [1, 2] }).apply(tensor([[[1, 2]]]))).toThrow(/rotate 4 features/)
  expect(() => new RotaryEmbedding({ frequencies: [] })).toThrow(/at least one/)
  expect(() => new RotaryEmbedding({ sequenceAxis: -1 }).apply(tensor([[[1, 2]]]))).toThrow(/must differ/)
})
