// Inferred shapes of layers and ops whose inputs have open lengths, against the shapes of real results.
// modes: simd

import { describe, expect, it } from 'vitest'
import { Input, Lambda, Layer, Model, ops, random, setRandomSeed, type Tensor } from '../../src'
import { seedState } from '../../src/ops/random/seed'

type Formula = (x: Tensor) => Tensor

class Formulated extends Layer {
  constructor(private readonly formula: Formula) {
    super()
  }
  call(x: Tensor): Tensor {
    return this.formula(x)
  }
}

const window = (size: number): Tensor => ops.ones([size, 4, 3])

/** The formula, its shape for [null, null, 4], and the lengths that it accepts. */
const formulas: Readonly<Record<string, readonly [Formula, readonly (number | null)[], readonly number[]]>> = {
  'a pool of 2': [(x) => ops.maxPool(x, 2, { strides: 2 }), [null, null, 4], [2, 3, 4, 9]],
  'a pool of 100': [(x) => ops.maxPool(x, 100, { strides: 100 }), [null, null, 4], [100, 199, 200, 350]],
  'a pool of 100 with padding': [
    (x) => ops.averagePool(x, 100, { strides: 100, padding: 'same' }),
    [null, null, 4],
    [1, 100, 101, 350],
  ],
  'a pool of 700': [(x) => ops.maxPool(x, 700, { strides: 700 }), [null, null, 4], [700, 1400]],
  'a convolution of 7': [(x) => ops.conv(x, window(7)), [null, null, 3], [7, 8, 30]],
  'a convolution of 7 with stride 5': [(x) => ops.conv(x, window(7), { strides: 5 }), [null, null, 3], [7, 12, 30]],
  'a convolution of 400 with stride 160': [
    (x) => ops.conv(x, window(400), { strides: 160 }),
    [null, null, 3],
    [400, 560, 900],
  ],
  'every 50th step': [(x) => ops.take(x, ops.arange(0, x.shape[1]!, 50), 1), [null, null, 4], [1, 50, 51, 120]],
  'the first 10 steps at most': [
    (x) => ops.slice(x, [0, 0, 0], [-1, Math.min(10, x.shape[1]!), -1]),
    [null, null, 4],
    [3, 10, 11],
  ],
  'the first 10 steps': [(x) => ops.slice(x, [0, 0, 0], [-1, 10, -1]), [null, 10, 4], [10, 11, 300]],
  'the steps as groups of 16': [(x) => ops.reshape(x, [x.shape[0]!, -1, 16, 4]), [null, null, 16, 4], [16, 32, 64]],
  'the mean of all steps': [(x) => ops.mean(x, 1), [null, 4], [1, 2, 30]],
  'products of steps': [(x) => ops.matmul(x, ops.swapAxes(x, 1, 2)), [null, null, null], [1, 5, 8]],
  'rows of the batch and the steps': [(x) => ops.reshape(x, [-1, 4]), [null, 4], [1, 5, 8]],
}

describe.each(Object.entries(formulas))('%s', (_, [formula, expected, lengths]) => {
  const input = (): Tensor => Input({ shape: [null, 4] })

  it.each<[string, (x: Tensor) => Tensor]>([
    ['as a layer', (x) => new Formulated(formula).apply(x)],
    ['as a Lambda', (x) => new Lambda((each) => formula(each as Tensor)).apply(x)],
    ['as a model', (x) => new Model({ inputs: x, outputs: new Formulated(formula).apply(x) }).apply(x)],
  ])('%s', (_, made) => {
    expect(made(input()).shape).toEqual(expected)
  })

  it('agrees with results', () => {
    const layer = new Formulated(formula)
    const { shape } = layer.apply(input())
    for (const length of lengths)
      for (const batch of [1, 5]) {
        const result = layer.apply(ops.ones([batch, length, 4])).shape
        expect(result).toEqual(shape.map((extent, i) => extent ?? result[i]))
        expect(result).toHaveLength(shape.length)
      }
  })
})

describe('ops on symbols with open lengths', () => {
  const x = Input({ shape: [null, 4] })
  const picture = Input({ shape: [null, null, 4] })
  it.each<[string, () => Tensor, readonly (number | null)[]]>([
    ['a pool', () => ops.maxPool(x, 2, { strides: 2 }), [null, null, 4]],
    ['a pool of pictures', () => ops.averagePool(picture, [3, 50], { strides: [3, 50] }), [null, null, null, 4]],
    ['a convolution of 7', () => ops.conv(x, window(7)), [null, null, 3]],
    ['a convolution of 400', () => ops.conv(x, window(400), { strides: 160 }), [null, null, 3]],
    ['a convolution of pictures', () => ops.conv(picture, ops.ones([7, 1, 4, 2])), [null, null, null, 2]],
    ['another order of axes', () => ops.transpose(x, [1, 0, 2]), [null, null, 4]],
    ['a sum of axes in different orders', () => ops.add(ops.transpose(x, [1, 0, 2]), ops.mean(x, 1)), [null, null, 4]],
  ])('%s', (_, made, expected) => expect(made().shape).toEqual(expected))
})

it('a layer with inner layers that need a length is built', () => {
  class Inner extends Layer {
    readonly inner = new Formulated((x) => ops.conv(x, window(7)))
    call(x: Tensor): Tensor {
      return this.inner.apply(x)
    }
  }
  expect(new Inner().apply(Input({ shape: [null, 4] })).shape).toEqual([null, null, 3])
})

it('a formula that refuses every length is refused', () => {
  const layer = new Formulated((x) => ops.matmul(x, ops.ones([5, 2])))
  expect(() => layer.apply(Input({ shape: [null, 4] }))).toThrow('received [3, 480, 4] · [5, 2]')
})

it('later random numbers do not depend on open lengths', () => {
  const drawn = (length: number | null): number => {
    setRandomSeed(1)
    new Formulated((x) => ops.add(x, random.normal([4]))).apply(Input({ shape: [length, 4] }))
    return seedState().drawn
  }
  expect(drawn(null)).toBe(drawn(6))
})

it.each([
  ['a layer without open lengths is traced twice', [6, 4], 2],
  ['a layer with open lengths is traced four times', [null, 4], 4],
] as const)('%s', (_, shape, times) => {
  let count = 0
  new Formulated((x) => (count++, ops.multiply(x, 2))).apply(Input({ shape }))
  expect(count).toBe(times)
})
