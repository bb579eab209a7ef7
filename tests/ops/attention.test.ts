// dotProductAttention against Keras, and what its errors say. The kernels themselves: primitives/attention-cases.ts; memory:
// plan/attention-memory.test.ts.

import { describe, expect, it } from 'vitest'
import type { Tensor } from '../../src'
import { grad, ops, tensor } from '../../src'
import type { AttentionCase, AttentionFile } from '../golden/format'
import { expectTensor, readFixture, toTensor } from '../helpers/golden'

const { cases } = readFixture<AttentionFile>('attention')

function attended({ bias, mask, options }: AttentionCase) {
  const seen = mask === null ? null : tensor(Int32Array.from(mask.data), mask.shape, 'bool')
  const inputs = (...[query, key, value, added]: Tensor[]) => ops.dotProductAttention(query!, key!, value!, { ...options, mask: seen, bias: added ?? null })
  return { inputs, given: bias === null ? [] : [toTensor(bias)] }
}

describe('dotProductAttention agrees with Keras:', () => {
  it.each(cases)('$name, in its output', (each) => {
    const { inputs, given } = attended(each)
    expectTensor(inputs(...each.inputs.map(toTensor), ...given), each.output, 'output')
  })

  it.each(cases)('$name, in its gradients', (each) => {
    const { inputs, given } = attended(each)
    const all = [...each.inputs.map(toTensor), ...given]
    const weights = toTensor(each.outputWeights)
    const loss = (...tensors: Tensor[]) => ops.sum(ops.multiply(inputs(...tensors), weights))
    const received = grad(loss, { argnums: all.map((_, i) => i) })(...all) as unknown as Tensor[]
    expect(received).toHaveLength(each.gradients.length)
    received.forEach((gradient, i) => expectTensor(gradient, each.gradients[i]!, `gradient ${i}`))
  })
})

describe('dotProductAttention', () => {
  const zeros = (...shape: number[]) => ops.zeros(shape)
  const key = zeros(2, 4, 2, 3)

  it('takes masks and biases of fewer axes, and numbers for true', () => {
    const query = zeros(2, 5, 2, 3)
    const value = ops.reshape(ops.arange(48), [2, 4, 2, 3])
    const first = ops.dotProductAttention(query, key, value, { mask: [1, 0, 0, 0] })
    expect(Array.from(first.data)).toEqual(Array.from(ops.broadcastTo(ops.take(value, [0], 1), [2, 5, 2, 3]).data))
    const last = ops.dotProductAttention(query, key, value, { bias: [[0, 0, 0, 200]] })
    expect(Array.from(last.data)).toEqual(Array.from(ops.broadcastTo(ops.take(value, [3], 1), [2, 5, 2, 3]).data))
  })

  it('says what does not fit', () => {
    expect(() => ops.dotProductAttention(zeros(2, 5, 6), key, key)).toThrow(/dotProductAttention: expected query \[batch, steps, heads, size\].*received \[2, 5, 6\]/)
    expect(() => ops.dotProductAttention(zeros(2, 5, 3, 3), key, key)).toThrow(/a divisor of them/)
    expect(() => ops.dotProductAttention(zeros(2, 5, 2, 4), key, key)).toThrow(/dotProductAttention: expected query/)
    expect(() => ops.dotProductAttention(key, key, key, { mask: zeros(3, 1, 1) })).toThrow('dotProductAttention: the mask must broadcast to [2, 2, 4, 4], received [3, 1, 1]')
    expect(() => ops.dotProductAttention(key, key, key, { bias: zeros(1, 2, 2, 4, 4) })).toThrow('the bias must broadcast to [2, 2, 4, 4]')
    expect(() => ops.dotProductAttention(key, key, key, { causal: true } as object)).toThrow(/isCausal/)
  })
})
