import { describe, expect, inject, it } from 'vitest'
import { SeedGenerator, grad, jit, ops, random, setRandomSeed, tensor, type Tensor } from '../../src'
import { settingsOf } from '../helpers/modes'
import { withSettings } from '../helpers/with-settings'

const COUNT = 20_000

function moments({ data }: Tensor) {
  let sum = 0
  let squares = 0
  let cubes = 0
  let min = Infinity
  let max = -Infinity
  for (const value of data) {
    sum += value
    min = Math.min(min, value)
    max = Math.max(max, value)
  }
  const mean = sum / data.length
  for (const value of data) {
    squares += (value - mean) ** 2
    cubes += (value - mean) ** 3
  }
  const std = Math.sqrt(squares / data.length)
  return { mean, std, skew: cubes / data.length / std ** 3, min, max }
}

/** Five standard errors of a mean of COUNT numbers. */
const five = (std: number): number => (5 * std) / Math.sqrt(COUNT)

describe('distributions', () => {
  it('uniform', () => {
    const { mean, std, skew, min, max } = moments(random.uniform([COUNT], { minval: -1, maxval: 3, seed: 1 }))
    const expected = 4 / Math.sqrt(12)
    expect(Math.abs(mean - 1)).toBeLessThan(five(expected))
    expect(Math.abs(std - expected)).toBeLessThan(five(expected))
    expect(Math.abs(skew)).toBeLessThan(five(2))
    expect(min).toBeGreaterThanOrEqual(-1)
    expect(max).toBeLessThan(3)
    expect(min).toBeLessThan(-0.99)
    expect(max).toBeGreaterThan(2.99)
  })

  it('normal', () => {
    const x = random.normal([COUNT], { mean: 2, stddev: 3, seed: 2 })
    const { mean, std, skew, min, max } = moments(x)
    expect(Math.abs(mean - 2)).toBeLessThan(five(3))
    expect(Math.abs(std - 3)).toBeLessThan(five(3))
    expect(Math.abs(skew)).toBeLessThan(five(3))
    expect(max).toBeGreaterThan(2 + 3 * 3)
    expect(min).toBeLessThan(2 - 3 * 3)
    expect(Number.isFinite(min) && Number.isFinite(max)).toBe(true)
    const within = x.data.filter((value) => Math.abs(value - 2) < 3).length / COUNT
    expect(Math.abs(within - 0.6827)).toBeLessThan(five(0.5))
  })

  it('truncatedNormal', () => {
    const { mean, std, min, max } = moments(random.truncatedNormal([COUNT], { mean: -1, stddev: 2, seed: 3 }))
    expect(Math.abs(mean + 1)).toBeLessThan(five(2))
    expect(Math.abs(std - 2 * 0.8796256610342398)).toBeLessThan(five(2))
    expect(min).toBeGreaterThanOrEqual(-5)
    expect(max).toBeLessThanOrEqual(3)
    expect(max).toBeGreaterThan(2.9)
  })

  it('are finite at both ends of the underlying uniform numbers', () => {
    // Seeds whose first number is the smallest, 0, and the largest, 1 − 2⁻²³.
    for (const [seed, first, bound] of [
      [4166419, 0, -1],
      [5994809, 1 - 2 ** -23, 1],
    ] as const) {
      expect(random.uniform([1], { seed }).item()).toBe(first)
      expect(random.normal([1], { seed }).item() * bound).toBeGreaterThan(5)
      expect(random.normal([1], { seed }).item() * bound).toBeLessThan(6)
      expect(random.truncatedNormal([1], { seed }).item() * bound).toBeLessThanOrEqual(2)
      expect(random.truncatedNormal([1], { seed }).item() * bound).toBeGreaterThan(1.999)
      expect(random.randint([1], -3, 4, { seed }).item()).toBe(bound === 1 ? 3 : -3)
    }
  })

  it('randint', () => {
    const x = random.randint([COUNT], -2, 3, { seed: 4 })
    expect(x.dtype).toBe('int32')
    const counts = new Map<number, number>()
    for (const value of x.data) counts.set(value, (counts.get(value) ?? 0) + 1)
    expect([...counts.keys()].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2])
    for (const count of counts.values()) expect(Math.abs(count / COUNT - 0.2)).toBeLessThan(five(0.4))
  })

  it('randint keeps integers that float32 cannot represent', () => {
    const { data } = random.randint([COUNT], 2 ** 30, 2 ** 30 + 3, { seed: 1 })
    expect(new Set(data)).toEqual(new Set([2 ** 30, 2 ** 30 + 1, 2 ** 30 + 2]))
  })

  it('options in any spelling, and no others', () => {
    expect(random.uniform([3], { seed: 5, max_val: 2 } as object).toArray()).toEqual(
      random.uniform([3], { seed: 5, maxval: 2 }).toArray(),
    )
    expect(() => random.normal([3], { std: 2 } as object)).toThrow(
      "Unknown argument of random.normal 'std'. Did you mean 'stddev'?",
    )
    expect(() => random.normal([3], { stddev: -1 })).toThrow('normal: stddev must be a finite number ≥ 0, received -1')
    expect(() => random.uniform(['3'] as never)).toThrow("uniform: the shape must contain integers ≥ 0, received ['3']")
    expect(() => random.uniform([3], { seed: 0.5 })).toThrow('uniform: seed must be an integer, received 0.5')
    expect(random.randint([9], { minval: -2, maxval: 3, seed: 4 }).data).toEqual(
      random.randint([9], -2, 3, { seed: 4 }).data,
    )
    expect(() => random.randint([3], { minval: 1 } as never)).toThrow('maxval')
    expect(() => random.randint([3], { minval: 1, maxval: 1 })).toThrow('randint: maxval must be an integer ≥ 2')
    expect(() => random.randint([3], 5, 5)).toThrow('randint: maxval must be an integer ≥ 6, received 5')
    expect(() => random.dropout(tensor([1]), 1.5)).toThrow(
      'dropout: rate must be a finite number in [0, 1], received 1.5',
    )
    expect(() => new SeedGenerator('a' as never)).toThrow("SeedGenerator: seed must be an integer, received 'a'")
    expect(() => random.permutation(-1)).toThrow(/permutation/)
    expect(() => setRandomSeed(NaN)).toThrow(
      'setRandomSeed: the seed must be an integer of at most 53 bits, received NaN',
    )
  })

  it('neighbours are independent', () => {
    const { data } = random.uniform([COUNT], { seed: 5 })
    let sum = 0
    for (let i = 1; i < data.length; i++) sum += (data[i]! - 0.5) * (data[i - 1]! - 0.5)
    expect(Math.abs(sum / COUNT / (1 / 12))).toBeLessThan(five(1))
  })

  it('permutation', () => {
    const order = random.permutation(1000, 6)
    expect(Array.from(order).sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i))
    expect(Array.from(order).filter((value, i) => value === i).length).toBeLessThan(10)
    expect(random.permutation(1000, 6)).toEqual(order)
    expect(random.permutation(1000, 7)).not.toEqual(order)
  })
})

describe('seeds', () => {
  it('a number always gives the same, no seed something new', () => {
    expect(random.uniform([8], { seed: 1 }).data).toEqual(random.uniform([8], { seed: 1 }).data)
    expect(random.uniform([8], { seed: 1 }).data).not.toEqual(random.uniform([8], { seed: 2 }).data)
    expect(random.uniform([8]).data).not.toEqual(random.uniform([8]).data)
  })

  it('setRandomSeed makes everything repeatable', () => {
    const draw = (seed: number) => {
      setRandomSeed(seed)
      return [random.uniform([4]).data, random.normal([4]).data, random.permutation(9), new SeedGenerator().next().data]
    }
    const first = draw(1)
    expect(draw(1)).toEqual(first)
    expect(draw(2)).not.toEqual(first)
  })

  it('a generator advances, also in traced functions with every run', () => {
    const own = new SeedGenerator(3)
    const draws = [1, 2, 3].map(() => random.uniform([4], { seed: own }).data.join())
    expect(new Set(draws).size).toBe(3)
    const again = new SeedGenerator(3)
    const traced = jit((x: Tensor) => ops.add(x, random.uniform([4], { seed: again })))
    expect([1, 2, 3].map(() => traced([0, 0, 0, 0]).data.join())).toEqual(draws)
    expect(again.state.value.toArray()).toEqual(own.state.value.toArray())
  })

  it('the first numbers are the same in every mode and on every machine', () => {
    expect(random.uniform([4], { seed: 42 }).data).toMatchInlineSnapshot(`
      Float32Array [
        0.8690483570098877,
        0.3102535009384155,
        0.15063238143920898,
        0.9927533864974976,
      ]
    `)
    expect(random.randint([6], 0, 100, { seed: 42 }).data).toMatchInlineSnapshot(`
      Int32Array [
        86,
        31,
        15,
        99,
        52,
        10,
      ]
    `)
    expect(Array.from(random.normal([3], { seed: 42 }).data, (value) => value.toPrecision(5))).toMatchInlineSnapshot(`
      [
        "1.1219",
        "-0.49513",
        "-1.0337",
      ]
    `)
    expect(random.permutation(8, 42)).toMatchInlineSnapshot(`
      Int32Array [
        0,
        1,
        6,
        2,
        5,
        3,
        7,
        4,
      ]
    `)
  })

  it('a longer tensor begins with the shorter one', () => {
    expect(random.uniform([100], { seed: 9 }).data.slice(0, 7)).toEqual(random.uniform([7], { seed: 9 }).data)
  })

  it('the other backend gives the same bits', async () => {
    const own = random.uniform([33], { seed: 8 }).data
    const backend = settingsOf[inject('mode')].backend === 'wasm' ? 'interpreter' : 'wasm'
    expect(await withSettings({ backend }, () => random.uniform([33], { seed: 8 }).data)).toEqual(own)
  })
})

describe('dropout', () => {
  it('drops at its rate and keeps the mean', () => {
    const x = random.dropout(ops.full([COUNT], 2), 0.3, { seed: 1 })
    const dropped = x.data.filter((value) => value === 0).length / COUNT
    expect(Math.abs(dropped - 0.3)).toBeLessThan(five(0.5))
    for (const value of x.data) if (value !== 0) expect(value).toBeCloseTo(2 / 0.7, 5)
    expect(Math.abs(moments(x).mean - 2)).toBeLessThan(five(2 / 0.7))
  })

  it('keeps all at rate 0 and none at rate 1', () => {
    expect(random.dropout(tensor([1, 2, 3]), 0, { seed: 1 }).toArray()).toEqual([1, 2, 3])
    expect(random.dropout(tensor([1, 2, 3]), 1, { seed: 1 }).toArray()).toEqual([0, 0, 0])
  })

  it('its gradient has the same mask', () => {
    const drop = (x: Tensor): Tensor => random.dropout(x, 0.5, { seed: 7 })
    const x = ops.ones([64])
    expect(grad((x) => ops.sum(drop(x)))(x).data).toEqual(drop(x).data)
  })
})

describe('SeedGenerator', () => {
  it("takes Keras's arguments, in order and by name", () => {
    const drawn = (generator: SeedGenerator): number[] => [...random.normal([3], { seed: generator }).data]
    const expected = drawn(new SeedGenerator(7))
    expect(drawn(new SeedGenerator({ seed: 7 }))).toEqual(expected)
    expect(drawn(new SeedGenerator(7, { name: 'noise' }))).toEqual(expected)
    expect(new SeedGenerator(7, 'noise').state.name).toBe('noise')
    expect(new SeedGenerator(7, { name: 'noise' }).state.name).toBe('noise')
    expect(drawn(new SeedGenerator(null))).toHaveLength(3)
    expect(() => new SeedGenerator('7' as never)).toThrow('SeedGenerator: seed must be an integer')
    expect(() => new SeedGenerator({ sed: 7 } as never)).toThrow("'sed'")
  })
})

// An odd number of elements of several blocks.
describe('a large tensor', () => {
  const shape = [3, 100_001]

  it.each([
    ['uniform', () => random.uniform(shape, -3, 5, { seed: 7 })],
    ['normal', () => random.normal(shape, 1, 2, { seed: 7 })],
    ['truncatedNormal', () => random.truncatedNormal(shape, { seed: 7 })],
  ])('%s is drawn in blocks, with the bits of one program', (_, draw) => {
    const blocks = draw()
    expect(blocks.shape).toEqual(shape)
    expect(blocks.data).toEqual(jit(draw)().data)
  })

  it('takes one key of a generator', () => {
    const generator = new SeedGenerator(7)
    random.normal(shape, { seed: generator })
    expect([...generator.state.value.data]).toEqual([7, 1])
  })
})
