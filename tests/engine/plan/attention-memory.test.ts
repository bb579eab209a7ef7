// The memory of attention: proportional to the steps of a sequence, not to their square.
// modes: simd

import { expect, it } from 'vitest'
import { GroupedQueryAttention, Input, Model, MultiHeadAttention, ops, type Tensor } from '../../../src'
import { currentTrace, trace } from '../../../src/ops/trace'
import { planTape } from '../../../src/engine/tape'

const FEATURES = 16

/** Bytes of workspace for a training step of a block over one sequence of `steps`. */
function bytesFor(steps: number, block: (x: Tensor) => Tensor): number {
  const inputs = Input({ shape: [steps, FEATURES] })
  const model = new Model({ inputs, outputs: block(inputs) })
  const { graph } = trace([{ shape: [1, steps, FEATURES], dtype: 'float32' }], ([x]) => {
    const loss = ops.mean(ops.square(model.apply(x!, { training: true })))
    return currentTrace()!.gradients(
      loss,
      model.trainableWeights.map(({ value }) => value),
    )
  })
  return planTape(graph, { fuse: true }).memory.workspaceBytes
}

it.each([
  [
    'MultiHeadAttention, causal',
    (x: Tensor) => new MultiHeadAttention({ numHeads: 2, keyDim: 8 }).apply(x, { useCausalMask: true }),
  ],
  [
    'MultiHeadAttention with a sliding window',
    (x: Tensor) => new MultiHeadAttention({ numHeads: 2, keyDim: 8, slidingWindow: 100 }).apply(x),
  ],
  [
    'GroupedQueryAttention',
    (x: Tensor) => new GroupedQueryAttention({ numQueryHeads: 4, numKeyValueHeads: 2, headDim: 4 }).apply(x),
  ],
])('%s takes twice as much for twice the steps', (_name, block) => {
  const [small, large] = [1024, 2048].map((steps) => bytesFor(steps, block)) as [number, number]
  expect(large / small).toBeLessThan(2.01)
  // The scores of one head alone would take more.
  expect(large).toBeLessThan(4 * 2048 * 2048)
})
