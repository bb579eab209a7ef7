// dotProductAttention compared with Keras, its second derivatives with plain ops, and its errors.
// primitives/attention-cases.ts tests the kernels; plan/attention-memory.test.ts the memory.

import { describe, expect, it } from 'vitest'
import { grad, ops, tensor, type Tensor } from '../../src'
import type { AttentionCase, AttentionFile } from '../golden/format'
import { expectNear, expectTensor, readFixture, toTensor } from '../helpers/golden'

const { cases } = readFixture<AttentionFile>('attention')

function attended({ bias, mask, options }: AttentionCase) {
  const seen = mask === null ? null : tensor(Int32Array.from(mask.data), mask.shape, 'bool')
  const inputs = (...[query, key, value, added]: Tensor[]) =>
    ops.dotProductAttention(query!, key!, value!, { ...options, mask: seen, bias: added ?? null })
  return { inputs, given: bias === null ? [] : [toTensor(bias)] }
}

/** The same with ops that store all scores. */
function stored({ mask, options }: AttentionCase) {
  return ([query, key, value, bias]: readonly Tensor[]) => {
    const headsFirst = (x: Tensor) => ops.transpose(x, [0, 2, 1, 3])
    const matched = (x: Tensor) => headsFirst(ops.repeat(x, query!.shape[2]! / x.shape[2]!, 2))
    const scale = options.scale ?? 1 / Math.sqrt(query!.shape[3]!)
    const products = ops.multiply(ops.matmul(headsFirst(query!), ops.swapAxes(matched(key!), 2, 3)), scale)
    let scores = bias === undefined ? products : ops.add(products, bias)
    if (mask !== null) scores = ops.where(tensor(Int32Array.from(mask.data), mask.shape, 'bool'), scores, -1e9)
    const [rows, columns] = scores.shape.slice(2) as [number, number]
    const later = ops.less(ops.expandDims(ops.arange(rows), 1), ops.arange(columns))
    if (options.isCausal === true) scores = ops.where(later, -1e9, scores)
    return headsFirst(ops.matmul(ops.softmax(scores), matched(value!)))
  }
}

/** Relative to the largest element: sums of large terms may be 0. */
function expectAlike(received: Tensor, expected: Tensor, where: string): void {
  const largest = Math.max(...expected.data.map(Math.abs), 1e-6)
  expectNear(ops.divide(received, largest).data, ops.divide(expected, largest).data, where, 2e-5)
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

describe('dotProductAttention has second derivatives:', () => {
  it.each(cases)('$name', (each) => {
    const { inputs, given } = attended(each)
    const all = [...each.inputs.map(toTensor), ...given]
    const argnums = all.map((_, i) => i)
    const penaltyOf = (attend: (all: readonly Tensor[]) => Tensor) => {
      const loss = (...tensors: Tensor[]) =>
        ops.sum(ops.multiply(ops.square(attend(tensors)), toTensor(each.outputWeights)))
      return (...tensors: Tensor[]) => {
        const gradients = grad(loss, { argnums })(...tensors) as unknown as Tensor[]
        return gradients.reduce(
          (sum, gradient, i) => ops.add(sum, ops.multiply(ops.sum(ops.square(gradient)), i + 1)),
          ops.zeros([]),
        )
      }
    }
    const [received, expected] = [(tensors: readonly Tensor[]) => inputs(...tensors), stored(each)].map(
      (attend) => grad(penaltyOf(attend), { argnums })(...all) as unknown as Tensor[],
    )
    received!.forEach((gradient, i) => expectAlike(gradient, expected![i]!, `of operand ${i}`))
  })

  it('and third ones', () => {
    const along = (attend: (all: readonly Tensor[]) => Tensor) => (x: Tensor) =>
      ops.sum(ops.square(attend([x, ops.sin(x), ops.cos(x)])))
    const x = ops.reshape(ops.divide(ops.arange(12), 7), [1, 3, 2, 2])
    const thrice = (loss: (x: Tensor) => Tensor) =>
      grad((a: Tensor) => ops.sum(ops.square(grad((b: Tensor) => ops.sum(ops.square(grad(loss)(b))))(a))))(x)
    const [primitive, plain] = [
      ([q, k, v]: readonly Tensor[]) => ops.dotProductAttention(q!, k!, v!, { isCausal: true }),
      stored({ mask: null, options: { isCausal: true } } as AttentionCase),
    ]
    expectAlike(thrice(along(primitive!)), thrice(along(plain!)), 'third')
  })
})

describe('dotProductAttention', () => {
  const zeros = (...shape: number[]) => ops.zeros(shape)
  const key = zeros(2, 4, 2, 3)

  it('takes masks and biases with fewer axes, and numbers for true', () => {
    const query = zeros(2, 5, 2, 3)
    const value = ops.reshape(ops.arange(48), [2, 4, 2, 3])
    const first = ops.dotProductAttention(query, key, value, { mask: [1, 0, 0, 0] })
    expect(Array.from(first.data)).toEqual(Array.from(ops.broadcastTo(ops.take(value, [0], 1), [2, 5, 2, 3]).data))
    const last = ops.dotProductAttention(query, key, value, { bias: [[0, 0, 0, 200]] })
    expect(Array.from(last.data)).toEqual(Array.from(ops.broadcastTo(ops.take(value, [3], 1), [2, 5, 2, 3]).data))
  })

  it('reports arguments that do not fit', () => {
    expect(() => ops.dotProductAttention(zeros(2, 5, 6), key, key)).toThrow(
      /dotProductAttention: expected query \[batch, steps, heads, size\].*received \[2, 5, 6\]/,
    )
    expect(() => ops.dotProductAttention(zeros(2, 5, 3, 3), key, key)).toThrow(/a divisor of them/)
    expect(() => ops.dotProductAttention(zeros(2, 5, 2, 4), key, key)).toThrow(/dotProductAttention: expected query/)
    expect(() => ops.dotProductAttention(key, key, key, { mask: zeros(3, 1, 1) })).toThrow(
      'dotProductAttention: the mask must broadcast to [batch, heads, query steps, key steps], here [2, 2, 4, 4], received [3, 1, 1]',
    )
    expect(() => ops.dotProductAttention(key, key, key, { bias: zeros(1, 2, 2, 4, 4) })).toThrow(
      'the bias must broadcast to [batch, heads, query steps, key steps], here [2, 2, 4, 4]',
    )
    expect(() => ops.dotProductAttention(key, key, key, { causal: true } as object)).toThrow(/isCausal/)
  })
})
