// Indices outside an axis: an error if they are constants, and never another element.

import { describe, expect, it } from 'vitest'
import { tensor } from '../../../src'
import { loadOnnx } from '../../../src/entries/onnx'
import { floatTensor, longTensor, modelBytes, valueBytes, type NodeText } from '../../helpers/onnx'

/** x [2, 3] = [[1, 2, 3], [4, 5, 6]] */
const x = floatTensor('x', [2, 3], [1, 2, 3, 4, 5, 6])

interface Case {
  readonly node: NodeText
  readonly shape: readonly number[]
  readonly inside: readonly number[]
  readonly outside: readonly number[]
  readonly expected: readonly number[]
  readonly updates?: readonly number[]
}

const node = (type: string, attributes: NonNullable<NodeText['attributes']> = {}): NodeText => ({
  type,
  inputs: type.startsWith('Scatter') ? ['x', 'i', 'u'] : ['x', 'i'],
  outputs: ['y'],
  attributes,
})

const cases: Readonly<Record<string, Case>> = {
  'Gather above': {
    node: node('Gather', { axis: 1 }),
    shape: [2],
    inside: [2, -3],
    outside: [3, 0],
    expected: [NaN, 1, NaN, 4],
  },
  'Gather below': { node: node('Gather'), shape: [1], inside: [-2], outside: [-3], expected: [NaN, NaN, NaN] },
  GatherElements: {
    node: node('GatherElements', { axis: 1 }),
    shape: [2, 2],
    inside: [0, 2, -1, 1],
    outside: [0, 3, -4, 1],
    expected: [1, NaN, NaN, 5],
  },
  'GatherND of elements': {
    node: node('GatherND'),
    shape: [2, 2],
    inside: [0, 2, -1, -3],
    outside: [0, 3, -1, -3],
    expected: [NaN, 4],
  },
  'GatherND of rows': {
    node: node('GatherND'),
    shape: [2, 1],
    inside: [1, 0],
    outside: [2, 0],
    expected: [NaN, NaN, NaN, 1, 2, 3],
  },
  'GatherND with batch_dims': {
    node: node('GatherND', { batch_dims: 1 }),
    shape: [2, 1],
    inside: [2, -3],
    outside: [3, 0],
    expected: [NaN, 4],
  },
  ScatterElements: {
    node: node('ScatterElements', { axis: 1 }),
    shape: [2, 1],
    inside: [0, -1],
    outside: [3, 0],
    updates: [10, 20],
    expected: [1, 2, 3, 20, 5, 6],
  },
  ScatterND: {
    node: node('ScatterND'),
    shape: [2, 2],
    inside: [0, 0, 1, 2],
    outside: [0, 3, 1, 2],
    updates: [10, 20],
    expected: [1, 2, 3, 4, 5, 20],
  },
}

const file = ({ node, shape, updates }: Case, indices: readonly number[] | null, isData: boolean): Uint8Array =>
  modelBytes(
    {
      nodes: isData ? [{ type: 'Mul', inputs: ['x0', 'one'], outputs: ['x'] }, node] : [node],
      initializers: [
        ...(isData ? [floatTensor('x0', [2, 3], [1, 2, 3, 4, 5, 6])] : [x]),
        ...(indices === null ? [] : [longTensor('i', shape, indices)]),
        ...(updates === undefined
          ? []
          : [floatTensor('u', [updates.length, ...(node.type === 'ScatterND' ? [] : [1])], updates)]),
      ],
      inputs: [...(indices === null ? [valueBytes('i', shape, 7)] : []), ...(isData ? [valueBytes('one', [1])] : [])],
      outputs: [valueBytes('y', null)],
    },
    { opset: 17 },
  )

describe('an index outside an axis', () => {
  it.each(Object.entries(cases))('%s: is an error as a constant', async (_name, each) => {
    await expect(loadOnnx(file(each, each.outside, true))).rejects.toThrow(/outside|must be integers in/)
    const model = await loadOnnx(file(each, each.inside, true))
    expect([...model.predictOnBatch(tensor([1])).data].every(Number.isFinite)).toBe(true)
    model.dispose()
  })

  it.each(Object.entries(cases))('%s: never reaches another element as data', async (_name, each) => {
    const model = await loadOnnx(file(each, null, false))
    const given = { data: Int32Array.from(each.outside), shape: [...each.shape] }
    expect([...model.predictOnBatch(given as never).data]).toEqual(each.expected)
    model.dispose()
  })
})
