// BatchNormalization at prediction scales the kernel of the product before it, and gives the numbers of the formula.
// modes: simd, relaxed

import { describe, expect, it } from 'vitest'
import {
  BatchNormalization,
  Conv2D,
  Dense,
  DepthwiseConv2D,
  Input,
  Model,
  ReLU,
  SeparableConv2D,
  setRandomSeed,
  disassemble,
  type Layer,
  type Tensor,
} from '../../src'
import { floats } from '../helpers/data'
import { expectNear } from '../helpers/golden'

const producers: Readonly<Record<string, () => Layer>> = {
  'a convolution': () => new Conv2D({ filters: 6, kernelSize: 3, useBias: false }) as Layer,
  'a convolution with a bias': () => new Conv2D({ filters: 6, kernelSize: 3, biasInitializer: 'uniform' }) as Layer,
  'a convolution in groups': () => new Conv2D({ filters: 4, kernelSize: 3, groups: 2 }) as Layer,
  'a depthwise convolution': () => new DepthwiseConv2D({ kernelSize: 3, biasInitializer: 'uniform' }) as Layer,
  'a separable convolution': () => new SeparableConv2D({ filters: 5, kernelSize: 3 }) as Layer,
  'a dense layer': () => new Dense(6, { biasInitializer: 'uniform' }) as Layer,
  'a convolution with an activation': () => new Conv2D({ filters: 6, kernelSize: 3, activation: 'relu' }) as Layer,
}

function normalized(made: () => Layer, axis = -1): { readonly model: Model; readonly parts: Model } {
  setRandomSeed(3)
  const input = Input({ shape: [12, 12, 4] })
  const y = made().apply(input) as Tensor
  const normalization = new BatchNormalization({ axis, epsilon: 0.01 })
  const model = new Model({ inputs: input, outputs: new ReLU().apply(normalization.apply(y)) })
  normalization.setWeights(
    normalization.getWeights().map((weight, i) => floats(weight.shape, 0.5, 2, i + 1).data as never),
  )
  // The input of the normalization is a result, so nothing replaces it.
  return { model, parts: new Model({ inputs: input, outputs: y }) }
}

const SAMPLES = 20
const x = floats([SAMPLES, 12, 12, 4], -1, 1, 4)

describe.each(Object.entries(producers))('%s', (title, made) => {
  it('agrees with the formula', () => {
    const { model, parts } = normalized(made)
    const [gamma, beta, mean, variance] = model.layers[2]!.getWeights().map(({ data }) => data) as Float32Array[]
    const channels = gamma!.length
    const y = parts.predictOnBatch(x).data as Float32Array
    const expected = Array.from(y, (value, i) => {
      const c = i % channels
      return Math.max(0, (gamma![c]! * (value - mean![c]!)) / Math.sqrt(variance![c]! + 0.01) + beta![c]!)
    })
    expectNear(model.predictOnBatch(x).data, expected, title)
  })
})

it('multiplies no result: the program has one product with a bias and an activation', () => {
  const { model } = normalized(producers['a convolution']!)
  model.predictOnBatch(x)
  const [program] = [...disassemble(model).values()]
  expect(program).toContain('convolution+add+relu')
  // The chains compute with kernels and channels only.
  const counts = Array.from(program!.matchAll(/ count=(\d+)/g), ([, count]) => Number(count))
  expect(Math.max(...counts)).toBe(3 * 3 * 4 * 6)
})
