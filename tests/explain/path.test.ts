import { describe, expect, it } from 'vitest'
import { Dense, Embedding, Flatten, MaxPooling2D, Conv2D, Sequential, initializers, ops, tensor } from '../../src'
import { integratedGradients } from '../../src/entries/explain'
import { errorOf } from '../helpers/training'

/** relu units whose kinks are spread along the path. */
function bent(): Sequential {
  const kernelInitializer = new initializers.RandomNormal({ stddev: 0.4, seed: 3 })
  return new Sequential([
    new Dense({
      units: 24,
      activation: 'relu',
      kernelInitializer,
      biasInitializer: new initializers.RandomNormal({ stddev: 1, seed: 4 }),
      inputShape: [5],
    }),
    new Dense({ units: 8, activation: 'relu', kernelInitializer }),
    new Dense({ units: 3, kernelInitializer }),
  ])
}

const x = ops.multiply(
  ops.sin(ops.reshape(ops.cast(tensor(Int32Array.from({ length: 30 }, (_, i) => i * i + 1)), 'float32'), [6, 5])),
  2,
)

describe('integrated gradients in pieces', () => {
  it('sum to the difference where one rule does not', async () => {
    const model = bent()
    const once = await integratedGradients(model, x)
    expect(Math.max(...[...once.gap.data].map(Math.abs))).toBeGreaterThan(3e-4)
    const exact = await integratedGradients(model, x, { tolerance: 1e-4 })
    expect(Math.max(...[...exact.gap.data].map(Math.abs))).toBeLessThan(1e-4)
    expect([...exact.value.data]).toEqual([...once.value.data])
    expect([...exact.units!.data]).toEqual([...once.units!.data])
    // A rule with very many points gives the same.
    const fine = await integratedGradients(model, x, { points: 900 })
    exact.attributions.data.forEach((each, i) => expect(Math.abs(each - fine.attributions.data[i]!)).toBeLessThan(5e-3))
  })

  it('from a baseline for each row, and for a function of the outputs', async () => {
    const model = bent()
    const baseline = ops.multiply(x, -0.5)
    const { gap, attributions } = await integratedGradients(model, x, {
      baseline,
      tolerance: 1e-4,
      output: (y) => ops.sum(ops.square(y), 1),
    })
    expect(attributions.shape).toEqual([6, 5])
    expect(Math.max(...[...gap.data].map(Math.abs))).toBeLessThan(1e-4)
  })

  it('of a convolution with pooling', async () => {
    const model = new Sequential([
      new Conv2D({ filters: 4, kernelSize: 3, activation: 'relu', inputShape: [8, 8, 1] }),
      new MaxPooling2D(),
      new Flatten(),
      new Dense({ units: 2, activation: 'softmax' }),
    ])
    const images = ops.sin(
      ops.reshape(ops.cast(tensor(Int32Array.from({ length: 128 }, (_, i) => i * i)), 'float32'), [2, 8, 8, 1]),
    )
    const { gap } = await integratedGradients(model, images, { tolerance: 1e-4, logits: true })
    gap.data.forEach((each) => expect(Math.abs(each)).toBeLessThan(1e-4))
  })

  it('stops at the precision of float32 if the tolerance is impossible', async () => {
    const { gap } = await integratedGradients(bent(), x, { tolerance: 1e-12 })
    gap.data.forEach((each) => expect(Math.abs(each)).toBeLessThan(1e-3))
  })

  it('raise an error for integers', async () => {
    const model = new Sequential([
      new Embedding({ inputDim: 5, outputDim: 2, inputShape: [3] }),
      new Flatten(),
      new Dense({ units: 1 }),
    ])
    const error = await errorOf(() =>
      integratedGradients(model, tensor([[1, 2, 3]], undefined, 'int32'), { tolerance: 1e-4 }),
    )
    expect(error.message).toMatch(/the input is int32, for which tolerance is not supported/)
    expect((await errorOf(() => integratedGradients(bent(), x, { tolerance: 0 }))).message).toMatch(/tolerance/)
  })
})
