// remat: the same values and gradients, with less memory.

import { describe, expect, it } from 'vitest'
import {
  Dense,
  Dropout,
  Input,
  Model,
  ops,
  random,
  setRandomSeed,
  tensor,
  valueAndGrad,
  type Tensor,
} from '../../src/index'
import { planTape } from '../../src/engine/tape'
import { Layer } from '../../src/layers/layer'
import { currentTrace, trace } from '../../src/ops/trace'

type Wrap = (f: (h: Tensor) => Tensor) => (h: Tensor) => Tensor

const weights = Array.from({ length: 6 }, (_, i) => random.normal([24, 24], 0, 0.3, { seed: i }))
const x = random.normal([16, 24], 0, 1, { seed: 9 })

const stack =
  (wrap: Wrap) =>
  (h: Tensor): Tensor => {
    const block =
      (w: Tensor) =>
      (z: Tensor): Tensor =>
        ops.add(z, ops.matmul(ops.tanh(ops.matmul(ops.gelu(ops.matmul(z, w)), w)), w))
    return ops.sum(ops.square(weights.reduce((y, w) => wrap(block(w))(y), h)))
  }

/** A layer that calls another one, and computes it again for the gradient. */
class Again extends Layer<Tensor> {
  static readonly className = 'Again'
  constructor(
    readonly inner: Layer<Tensor>,
    private readonly wrap: Wrap,
  ) {
    super()
  }

  call(h: Tensor): Tensor {
    return this.wrap((z) => this.inner.apply(z))(h)
  }
}

async function trained(wrap: Wrap): Promise<number[][]> {
  setRandomSeed(3)
  const input = Input({ shape: [6] })
  let y: Tensor = input
  for (let i = 0; i < 3; i++) {
    y = new Again(new Dense({ units: 12, activation: 'gelu' }), wrap).apply(y)
    y = new Again(new Dropout({ rate: 0.4 }), wrap).apply(y)
  }
  const model = new Model({ inputs: input, outputs: new Dense({ units: 1 }).apply(y) })
  model.compile({ optimizer: 'adam', loss: 'mse' })
  const rows = random.normal([32, 6], 0, 1, { seed: 1 })
  await model.fit(rows, ops.sum(rows, 1), { epochs: 3, batchSize: 8, verbose: 0, shuffle: false })
  return model.getWeights().map((weight) => Array.from(weight.data))
}

describe('remat', () => {
  it('gives the same value and gradient', () => {
    const [value, gradient] = valueAndGrad(stack((f) => f))(x)
    const [again, same] = valueAndGrad(stack((f) => ops.remat(f)))(x)
    expect(again.item()).toBe(value.item())
    expect(Array.from(same.data)).toEqual(Array.from(gradient.data))
  })

  it('trains layers with weights and random numbers to the same bits', async () => {
    expect(await trained((f) => ops.remat(f))).toEqual(await trained((f) => f))
  })

  it('needs the memory of one part at a time', () => {
    const bytes = (wrap: Wrap): number => {
      const { graph } = trace([{ shape: [16, 24], dtype: 'float32' }], ([h]) =>
        currentTrace()!.gradients(stack(wrap)(h!), [h!]),
      )
      return planTape(graph, { fuse: true }).memory.workspaceBytes
    }
    expect(bytes((f) => ops.remat(f)) / bytes((f) => f)).toBeLessThan(0.7)
  })

  it('is the function itself outside of traces', () => {
    expect(
      ops
        .remat((a: Tensor) => ops.multiply(a, 2))(tensor([1, 2]))
        .toArray(),
    ).toEqual([2, 4])
  })
})
