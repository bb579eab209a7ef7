// Inputs of a call by the names that they have in Keras, alone and beside inputs by position.

import { describe, expect, it } from 'vitest'
import {
  AdditiveAttention,
  Attention,
  GRUCell,
  GroupedQueryAttention,
  Input,
  Model,
  MultiHeadAttention,
  ops,
  tensor,
  type Tensor,
} from '../../src'

const rows = (steps: number, scale: number): Tensor =>
  tensor(
    Float32Array.from({ length: 2 * steps * 4 }, (_, i) => Math.sin(scale * i)),
    [2, steps, 4],
  )
const [q, v, k] = [rows(3, 1), rows(5, 2), rows(5, 3)]

const LAYERS = [
  ['MultiHeadAttention', new MultiHeadAttention(2, 4)],
  ['GroupedQueryAttention', new GroupedQueryAttention(4, 4, 2)],
  ['Attention', new Attention()],
  ['AdditiveAttention', new AdditiveAttention()],
] as const

describe.each(LAYERS)('%s', (_, layer) => {
  const attention = layer as MultiHeadAttention

  it('takes its inputs by name, in any order and beside others', () => {
    const three = attention.apply([q, v, k]).data
    for (const output of [
      attention.apply({ query: q, value: v, key: k }),
      attention.apply({ key: k, query: q, value: v, training: false }),
      attention.apply(q, { value: v, key: k }),
      attention.apply(q, v, { key: k }),
      attention.apply([q, v] as never, { key: k } as never),
    ])
      expect(output.data).toEqual(three)
    expect(attention.apply(q, { value: v }).data).toEqual(attention.apply(q, v).data)
    expect(attention.apply({ query: q, value: q }).data).toEqual(attention.apply([q, q]).data)
  })

  it('takes masks and options by name', () => {
    const mask = tensor([
      [true, true, false, true, false],
      [true, false, false, true, true],
    ])
    const expected = attention.apply([q, v], { mask: [null, mask] }).data
    expect(attention.apply({ query: q, value: v, valueMask: mask }).data).toEqual(expected)
    expect(attention.apply(q, v, { value_mask: mask } as never).data).toEqual(expected)
    expect(attention.apply(q, { value: q, useCausalMask: true }).data).toEqual(
      attention.apply([q, q], { useCausalMask: true }).data,
    )
  })

  it('says what is missing, or given twice', () => {
    expect(() => attention.apply({ query: q, key: k })).toThrow('the call needs value, too')
    expect(() => attention.apply({ value: v })).toThrow('the call needs query, too')
    expect(() => attention.apply(q, v, { value: k })).toThrow('the value is given twice')
    expect(() => attention.apply(q, { values: v } as never)).toThrow('Unknown option of a call of')
  })

  it('is recorded by name on symbols', () => {
    const [query, value] = [Input({ shape: [3, 4] }), Input({ shape: [5, 4] })]
    const model = new Model({ inputs: [query, value], outputs: attention.apply({ query, value }) })
    expect(model.predictOnBatch([q, v]).data).toEqual(attention.apply([q, v]).data)
  })
})

describe('a cell', () => {
  it('takes inputs and states by name', () => {
    const cell = new GRUCell(3)
    const [x, h] = [ops.ones([2, 4]), ops.ones([2, 3])]
    const [output] = cell.apply(x, h)
    expect((cell.apply as Function).call(cell, { inputs: x, states: h })[0].data).toEqual(output.data)
    expect((cell.apply as Function).call(cell, x, { states: h, training: false })[0].data).toEqual(output.data)
  })
})
