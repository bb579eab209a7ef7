// Masks of pairs in the attention layers: the meaning of each shape, and the errors for others. layers/golden.test.ts
// has the numbers.

import { describe, expect, it } from 'vitest'
import { AdditiveAttention, Attention, GroupedQueryAttention, MultiHeadAttention, ops, type Tensor } from '../../src'
import { expectNear } from '../helpers/golden'

const query = ops.sin(ops.reshape(ops.arange(2 * 3 * 4), [2, 3, 4]))
const value = ops.cos(ops.reshape(ops.arange(2 * 5 * 4), [2, 5, 4]))
const pairs = ops.less(ops.sin(ops.reshape(ops.arange(2 * 3 * 5), [2, 3, 5])), 0.3)

const ofHeads = [
  new MultiHeadAttention({ numHeads: 4, keyDim: 2, name: 'attention' }),
  new GroupedQueryAttention({ headDim: 2, numQueryHeads: 4, numKeyValueHeads: 2, name: 'attention' }),
]
const all = [...ofHeads, new Attention({ name: 'attention' }), new AdditiveAttention({ name: 'attention' })]
const named = (layers: typeof all) =>
  layers.map((layer) => [(layer.constructor as typeof Attention).className, layer] as const)

/** With returned scores, and without. */
const ways = (layer: (typeof all)[number], attentionMask: Tensor, mask?: Tensor[]): Tensor[] => [
  layer.apply([query, value], { attentionMask, ...(mask && { mask }) }),
  layer.applyWithScores([query, value], { attentionMask, ...(mask && { mask }) })[0],
]

describe.each(named(all))('%s', (_, layer) => {
  it('takes attentionMask with fewer axes, and with extents of 1', () => {
    const [expected] = ways(layer, pairs)
    const first = ops.slice(pairs, [0, 0, 0], [1, 3, 5])
    const [forAll] = ways(layer, ops.broadcastTo(first, [2, 3, 5]))
    expect(expected!.data).not.toEqual(forAll!.data)
    for (const received of [...ways(layer, first), ...ways(layer, ops.squeeze(first, 0))])
      expectNear(received.data, forAll!.data, 'for all samples')
  })

  it('reports the required shape of attentionMask', () => {
    for (const isStored of [false, true]) {
      const call = (attentionMask: Tensor) => () =>
        isStored
          ? layer.applyWithScores([query, value], { attentionMask })
          : layer.apply([query, value], { attentionMask })
      expect(call(ops.ones([2, 5, 3]))).toThrow(
        /"attention": attentionMask must be \[batch, query steps, value steps\].*here \[2, 3, 5\].*; received \[2, 5, 3\]$/,
      )
      expect(call(ops.ones([1, 1, 1, 3, 5]))).toThrow(/attentionMask must be .* received \[1, 1, 1, 3, 5\]$/)
    }
  })
})

describe.each(named(ofHeads))('%s', (_, layer) => {
  it('takes attentionMask for each head, together with a mask of steps', () => {
    const steps = ops.less(ops.reshape(ops.arange(10), [2, 5]), 8)
    const seen = ops.logicalAnd(ops.expandDims(pairs, 1), ops.expandDims(ops.expandDims(steps, 1), 1))
    const [expected] = ways(layer, ops.repeat(seen, 4, 1))
    const mask = [ops.ones([2, 3], 'bool'), steps]
    for (const received of [
      ...ways(layer, pairs, mask),
      ...ways(layer, ops.repeat(ops.expandDims(pairs, 1), 4, 1), mask),
    ])
      expectNear(received.data, expected!.data, 'both')
  })

  it('reports the allowed shapes of attentionMask', () => {
    expect(() => layer.apply([query, value], { attentionMask: ops.ones([2, 2, 3, 5]) })).toThrow(
      'attentionMask must be [batch, query steps, value steps] or [batch, heads, query steps, value steps], here [2, 3, 5] or [2, 4, 3, 5], where any extent may be 1; received [2, 2, 3, 5]',
    )
  })
})
