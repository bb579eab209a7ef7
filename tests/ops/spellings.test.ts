// Calls in the spellings of Keras: arguments in its order, under its names, and of all its kinds. Values are those of Keras 3.15.
// modes: simd

import { describe, expect, it } from 'vitest'
import { ArgumentError, jit, ops, tensor, type Tensor } from '../../src'

const range = (...shape: number[]): Tensor =>
  ops.reshape(
    ops.arange(
      0,
      shape.reduce((all, extent) => all * extent),
      1,
      { dtype: 'float32' },
    ),
    shape,
  )
const ints = (...values: number[]): Tensor => tensor(Int32Array.from(values))

describe('convolutions take their options in order', () => {
  const x = range(1, 5, 5, 2)
  const options = { strides: 2, padding: 'same', dilationRate: 1 } as const

  it.each([
    ['conv', ops.conv, [range(3, 3, 2, 3)]],
    ['depthwiseConv', ops.depthwiseConv, [range(3, 3, 2, 2)]],
    ['separableConv', ops.separableConv, [range(3, 3, 2, 2), range(1, 1, 4, 3)]],
  ] as const)('%s', (_name, op, kernels) => {
    const call = (...given: unknown[]): Tensor => (op as (...all: unknown[]) => Tensor)(x, ...kernels, ...given)
    const wanted = call(options).toArray()
    expect(call(2, 'same', null, 1).toArray()).toEqual(wanted)
    expect(call(2, 'same', { dilationRate: 1 }).toArray()).toEqual(wanted)
    expect(call(2, { padding: 'same' }).toArray()).toEqual(wanted)
    expect(() => call(2, 'same', 'channelsFirst')).toThrow(ArgumentError)
  })

  it('convTranspose', () => {
    const kernel = range(3, 3, 3, 2)
    const wanted = ops.convTranspose(x, kernel, { strides: 2, padding: 'same', outputPadding: 1 }).toArray()
    expect(ops.convTranspose(x, kernel, 2, 'same', 1, null, 1).toArray()).toEqual(wanted)
    expect(ops.convTranspose(x, kernel, 2, 'same', { outputPadding: 1 }).toArray()).toEqual(wanted)
  })
})

it('expandDims adds several axes, which are those of the result', () => {
  const shapes = [[0, -1], [-1, 0], [1, 2], [-2]].map((axis) => ops.expandDims(range(2, 3), axis).shape)
  expect(shapes).toEqual([
    [1, 2, 3, 1],
    [1, 2, 3, 1],
    [2, 1, 1, 3],
    [2, 1, 3],
  ])
  expect(ops.expandDims(range(2), { axis: [0, 1] }).shape).toEqual([1, 1, 2])
  expect(() => ops.expandDims(range(2), [0, 0])).toThrow('expandDims')
})

it('full takes what broadcasts, and bools', () => {
  expect(ops.full([2, 3], [1, 2, 3]).toArray()).toEqual([
    [1, 2, 3],
    [1, 2, 3],
  ])
  expect(ops.full([2], true, 'bool').toArray()).toEqual([true, true])
  expect(ops.full([2], true)).toMatchObject({ dtype: 'float32' })
})

it('eye and tri take M, and moments takes axes', () => {
  expect(ops.eye(2, { M: 3 }).toArray()).toEqual([
    [1, 0, 0],
    [0, 1, 0],
  ])
  expect(ops.tri(2, { M: 3, k: 1 }).shape).toEqual([2, 3])
  const { mean, variance } = ops.moments(range(2, 3), { axes: -1, keepdims: true } as never)
  expect([mean.toArray(), variance.shape]).toEqual([
    [[1], [4]],
    [2, 1],
  ])
})

describe('bincount', () => {
  it('of data is as long as the largest number needs', () => {
    expect(ops.bincount([0, 1, 1, 3]).toArray()).toEqual([1, 2, 0, 1])
    expect(ops.bincount([0, 1, 1, 3], { minlength: 2 }).toArray()).toEqual([1, 2, 0, 1])
    expect(ops.bincount(ints(0, 1, 1, 3), [1, 2, 3, 4], 6).toArray()).toEqual([1, 5, 0, 4, 0, 0])
    expect(ops.bincount([[0, 1], [1, 3]]).toArray()).toEqual([
      [1, 1, 0, 0],
      [0, 1, 0, 1],
    ]) // prettier-ignore
    expect(ops.bincount(ints()).shape).toEqual([0])
  })

  it('needs minlength in a traced function', () => {
    expect(() => jit((x: Tensor) => ops.bincount(x))(ints(1))).toThrow('a traced function needs minlength')
    expect(jit((x: Tensor) => ops.bincount(x, { minlength: 3 }))(ints(1, 5)).toArray()).toEqual([0, 1, 0])
  })
})
