// Distributions of random ops, compared with exact ones: moments, Kolmogorov-Smirnov and chi-squared distances, with fixed seeds.
// modes: simd, relaxed, unfused, turbo

import { describe, expect, it } from 'vitest'
import { SeedGenerator, grad, jit, ops, random, tensor, type Tensor } from '../../src'

const N = 20_000

/** ln Γ(x), by Lanczos's series. */
function lnGamma(x: number): number {
  const terms = [676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905]
  const last = [-0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7]
  const sum = [...terms, ...last].reduce((total, c, i) => total + c / (x + i), 0.9999999999998099)
  const t = x + 6.5
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum)
}

/** The integral of a density over (0, x) after the substitution x = tˢ, which removes poles at 0. */
function integral(density: (x: number) => number, power: number, x: number, steps = 400): number {
  const end = x ** (1 / power)
  let total = 0
  for (let i = 0; i < steps; i++) {
    const t = ((i + 0.5) * end) / steps
    total += density(t ** power) * power * t ** (power - 1)
  }
  return (total * end) / steps
}

const gammaCdf = (alpha: number, x: number): number =>
  x === 0
    ? 0
    : integral((y) => Math.exp((alpha - 1) * Math.log(y) - y - lnGamma(alpha)), Math.max(1, 2 / alpha), x, 2000)
const betaDensity = (a: number, b: number) => (y: number) =>
  Math.exp((a - 1) * Math.log(y) + (b - 1) * Math.log1p(-y) + lnGamma(a + b) - lnGamma(a) - lnGamma(b))
const betaCdf = (a: number, b: number, x: number): number =>
  x <= 0.5
    ? integral(betaDensity(a, b), Math.max(1, 2 / a), x, 2000)
    : 1 - integral(betaDensity(b, a), Math.max(1, 2 / b), 1 - x, 2000)

/** √n times the largest difference of the distribution functions, at every 100th number; above 1.95 with a probability of 0.001. */
function kolmogorov(x: Tensor, cdf: (x: number) => number): number {
  const sorted = [...x.data].sort((a, b) => a - b)
  let most = 0
  for (let i = 50; i < sorted.length; i += 100)
    most = Math.max(most, Math.abs((i + 0.5) / sorted.length - cdf(sorted[i]!)))
  return most * Math.sqrt(sorted.length)
}

/** (χ² − df) / √(2 df) of counts, where each class expects at least 10: above 4 with a probability of about 0.001. */
function chiSquared(counts: readonly number[], probabilities: readonly number[]): number {
  const total = counts.reduce((a, b) => a + b, 0)
  let [sum, classes, rest, expectedRest] = [0, 0, 0, 0]
  counts.forEach((count, i) => {
    const expected = probabilities[i]! * total
    if (expected < 10) return void ((rest += count), (expectedRest += expected))
    sum += (count - expected) ** 2 / expected
    classes++
  })
  if (expectedRest >= 10) {
    sum += (rest - expectedRest) ** 2 / expectedRest
    classes++
  } else expect(rest).toBeLessThan(40)
  return (sum - (classes - 1)) / Math.sqrt(2 * (classes - 1))
}

const mean = (x: ArrayLike<number>): number => Array.from(x).reduce((a, b) => a + b, 0) / x.length
const variance = (x: ArrayLike<number>): number => {
  const middle = mean(x)
  return mean(Array.from(x, (each) => (each - middle) ** 2))
}

describe('gamma', () => {
  it.each([0.1, 0.4, 0.99, 1, 1.5, 7, 300])('of %d', (alpha) => {
    const x = random.gamma([N], alpha, { seed: 3 })
    expect(Math.abs(mean(x.data) - alpha) / Math.sqrt(alpha / N)).toBeLessThan(4)
    expect(variance(x.data) / alpha).toBeCloseTo(1, 0)
    expect(x.data.every((each) => each >= 0 && each < Infinity)).toBe(true)
    expect(kolmogorov(x, (at) => gammaCdf(alpha, at))).toBeLessThan(1.95)
  })

  it('is close to a normal distribution for a large parameter', () => {
    const x = random.gamma([N], 1e6, { seed: 4 })
    expect(Math.abs(mean(x.data) - 1e6) / Math.sqrt(1e6 / N)).toBeLessThan(4)
    expect(variance(x.data) / 1e6).toBeCloseTo(1, 1)
  })

  it('broadcasts parameters, and gives NaN for those that are not positive', () => {
    const x = random.gamma([1000, 3], [0.5, 50, -1], null, 9)
    expect(mean(ops.slice(x, [0, 0], [1000, 1]).data)).toBeCloseTo(0.5, 0)
    expect(Math.abs(mean(ops.slice(x, [0, 1], [1000, 1]).data) - 50)).toBeLessThan(1)
    expect(ops.slice(x, [0, 2], [1000, 1]).data.every(Number.isNaN)).toBe(true)
    expect(() => random.gamma([2, 2], [1, 2, 3])).toThrow(/broadcast/)
  })

  it('has no gradient', () => {
    expect([...grad((a: Tensor) => ops.sum(random.gamma([4], a, { seed: 1 })))(tensor(2)).data]).toEqual([0])
  })
})

describe('beta', () => {
  it.each([
    [0.5, 0.5],
    [0.02, 0.03],
    [1, 1],
    [2, 5],
    [80, 0.7],
  ])('of %d and %d', (a, b) => {
    const x = random.beta([N], a, b, { seed: 5 })
    expect(x.data.every((each) => each >= 0 && each <= 1)).toBe(true)
    const spread = Math.sqrt((a * b) / ((a + b) ** 2 * (a + b + 1)))
    expect((Math.abs(mean(x.data) - a / (a + b)) / spread) * Math.sqrt(N)).toBeLessThan(4)
    // Numbers next to 0 and 1 are rounded to them.
    if (a >= 0.5 && b >= 0.5) expect(kolmogorov(x, (at) => betaCdf(a, b, at))).toBeLessThan(1.95)
  })
})

describe('binomial', () => {
  const pmf = (n: number, p: number, k: number): number =>
    Math.exp(lnGamma(n + 1) - lnGamma(k + 1) - lnGamma(n - k + 1) + k * Math.log(p) + (n - k) * Math.log1p(-p))
  it.each([
    [1, 0.3],
    [7, 0.5],
    [12, 0.95],
    [19, 0.5],
    [20, 0.5],
    [40, 0.25],
    [60, 0.8],
    [1000, 0.005],
    [1000, 0.02],
    [300, 0.5],
    [5000, 0.7],
  ])('of %d trials with %d', (n, p) => {
    for (const [counts, seed] of [
      [n, 1],
      [tensor(n), 2],
    ] as const) {
      const x = random.binomial([N], counts, p, { seed })
      const found = new Array<number>(n + 1).fill(0)
      for (const k of x.data) found[k]!++
      expect(
        chiSquared(
          found,
          Array.from({ length: n + 1 }, (_, k) => pmf(n, p, k)),
        ),
      ).toBeLessThan(4)
    }
  })

  it('has the moments of a million trials', () => {
    const x = random.binomial([N], 1e6, 0.3, { seed: 6 })
    expect(Math.abs(mean(x.data) - 3e5) / Math.sqrt(2.1e5 / N)).toBeLessThan(4)
    expect(variance(x.data) / 2.1e5).toBeCloseTo(1, 1)
  })

  it('is certain at the ends, and NaN outside', () => {
    expect([...random.binomial([4], [0, 5, 5, 900], [0.5, 0, 1, 1]).data]).toEqual([0, 0, 5, 900])
    expect([...random.binomial([3], [-1, 5, 5], [0.5, -0.1, 1.1]).data]).toEqual([NaN, NaN, NaN])
  })
})

describe('categorical', () => {
  it('draws classes with their probabilities, and never those of −∞', () => {
    const shares = [0.1, 0, 0.55, 0.3, 0.05]
    const logits = [shares.map((p) => Math.log(p) + 3), shares.map((p, i) => (i === 4 ? 40 : Math.log(p)))]
    const x = random.categorical(logits, N, { seed: 11 })
    expect([x.dtype, ...x.shape]).toEqual(['int32', 2, N])
    const counts = shares.map(() => 0)
    for (const k of x.data.slice(0, N)) counts[k]!++
    expect(counts[1]).toBe(0)
    expect(chiSquared(counts, shares)).toBeLessThan(4)
    expect(x.data.slice(N).every((k) => k === 4)).toBe(true)
  })

  it('rejects other logits', () => {
    expect(() => random.categorical([1, 2], 3)).toThrow('expected logits [batch, classes], received [2]')
    expect(() => random.categorical([[1]], -1)).toThrow('numSamples')
    expect(() => random.categorical([[1]], 1, { dtype: 'float32' as 'int32' })).toThrow('int32')
  })
})

describe('shuffle', () => {
  it('gives each order equally often', () => {
    const counts = new Map<string, number>()
    const generator = new SeedGenerator(5)
    const one = jit(() => random.shuffle([0, 1, 2, 3], { seed: generator }))
    for (let i = 0; i < 4800; i++) {
      const key = one().data.join()
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    expect(counts.size).toBe(24)
    expect(chiSquared([...counts.values()], new Array<number>(24).fill(1 / 24))).toBeLessThan(4)
  })

  it('keeps slices together along any axis, and the dtype', () => {
    const x = ops.reshape(ops.arange(12), [3, 4])
    const y = random.shuffle(x, 1, 2)
    expect(y.dtype).toBe('int32')
    expect([...ops.sort(y, 1).data]).toEqual([...x.data])
    const column = (of: Tensor, i: number): number[] => [...ops.take(of, [i], 1).data]
    for (let i = 0; i < 4; i++) expect(column(y, i).map((each) => each % 4)).toEqual(new Array(3).fill(y.data[i]))
    expect([...random.shuffle(x, -1, 2).data]).toEqual([...y.data])
  })
})

describe('randint', () => {
  it.each([
    [0, 10],
    [-3, 2],
    [0, 2 ** 15 + 1],
    [5, 3_000_000],
    [-(2 ** 31), 2 ** 31],
    [-(2 ** 31), 2 ** 31 - 1],
    [0, 2 ** 31],
  ])('is uniform in %d … %d', (low, high) => {
    const x = random.randint([N], low, high, { seed: 8 })
    expect(x.data.every((each) => each >= low && each < high)).toBe(true)
    const width = high - low
    const bins = Math.min(width, 64)
    const counts = new Array<number>(bins).fill(0)
    for (const each of x.data) counts[Math.floor(((each - low) / width) * bins)]!++
    const sizes = counts.map((_, i) => Math.ceil(((i + 1) * width) / bins) - Math.ceil((i * width) / bins))
    expect(
      chiSquared(
        counts,
        sizes.map((size) => size / width),
      ),
    ).toBeLessThan(4)
    // The last digits are random, too.
    const even = x.data.filter((each) => each % 2 === 0).length
    if (width > 1000) expect(Math.abs(even - N / 2)).toBeLessThan(4 * Math.sqrt(N / 4))
  })

  it('rejects ranges outside of int32', () => {
    expect(() => random.randint([2], 0, 2 ** 31 + 1)).toThrow('maxval')
    expect(() => random.randint([2], -(2 ** 31) - 1, 0)).toThrow('minval')
  })
})

describe('random ops', () => {
  const calls: Readonly<Record<string, (seed: number | SeedGenerator) => Tensor>> = {
    uniform: (seed) => random.uniform([9], -1, 3, { seed }),
    normal: (seed) => random.normal([9], 1, 2, { seed }),
    truncatedNormal: (seed) => random.truncatedNormal([9], 1, { stddev: 2, seed }),
    randint: (seed) => random.randint([9], 0, 100, { seed }),
    gamma: (seed) => random.gamma([9], 0.7, { seed }),
    beta: (seed) => random.beta([9], 0.7, 3, { seed }),
    binomial: (seed) => random.binomial([9], 100, [0.01, 0.5, 0.9, 0.02, 0.3, 0.4, 0.5, 0.6, 0.7], { seed }),
    categorical: (seed) => random.categorical([[0, 1, 2, 3]], 9, { seed }),
    shuffle: (seed) => random.shuffle(ops.arange(9), { seed }),
    dropout: (seed) => random.dropout(ops.ones([60]), 0.5, { seed }),
  }

  it.each(Object.entries(calls))('%s gives the same numbers for a seed, also compiled', (_name, call) => {
    const first = [...call(4).data]
    expect([...call(4).data]).toEqual(first)
    expect([...call(5).data]).not.toEqual(first)
    expect([...jit(() => call(4))().data]).toEqual(first)
  })

  it.each(Object.entries(calls))('%s gives new numbers for a generator', (_name, call) => {
    const run = (): number[][] => {
      const generator = new SeedGenerator(4)
      const compiled = jit(() => call(generator))
      return [call(generator), compiled(), compiled()].map((x) => [...x.data])
    }
    const [a, b, c] = run()
    expect(new Set([a, b, c].map(String)).size).toBe(3)
    expect(run()).toEqual([a, b, c])
  })

  it('reads options by position, by name, and the last ones by name', () => {
    const expected = [...random.uniform([4], { minval: 2, maxval: 5, seed: 1 }).data]
    for (const other of [
      random.uniform([4], 2, 5, null, 1),
      random.uniform([4], 2, 5, 'float32', 1),
      random.uniform([4], 2, { maxval: 5, seed: 1 }),
      random.uniform([4], 2, 5, { seed: 1 }),
    ])
      expect([...other.data]).toEqual(expected)
    expect(() => random.uniform([4], 2, { minval: 1 } as object)).toThrow('minval is given twice')
    expect(() => Reflect.apply(random.uniform, undefined, [[4], { minval: 1 }, 5])).toThrow(
      'random.uniform: minval must be a finite number, received',
    )
    expect(() => random.uniform([4], 0, 1, 'int32' as 'float32')).toThrow('float32')
    expect(() => random.gamma([4], 1, { sede: 1 } as object)).toThrow('seed')
  })
})
