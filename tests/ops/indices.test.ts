// Indices below 0 count from the end, and data indices outside the axis are refused. In a program they give NaN, the
// least int32 or true, and have no gradient, as in Keras on JAX: the numbers here are those of Keras 3.15 on JAX.

import { describe, expect, it } from 'vitest'
import { DataError, Embedding, grad, jit, ops, tensor } from '../../src'

const x = tensor([10, 20, 30])
const INDICES = [-1, -3, -4, 3, 100, -100]
const indices = tensor(Int32Array.from(INDICES))

describe('negative indices', () => {
  it('count from the end', () => {
    expect(ops.take([10, 20, 30], [-1]).toArray()).toEqual([30])
    expect(
      ops
        .take(
          [
            [1, 2],
            [3, 4],
          ],
          [-1, 0],
          1,
        )
        .toArray(),
    ).toEqual([
      [2, 1],
      [4, 3],
    ])
    expect(
      ops
        .takeAlongAxis(
          [
            [1, 2],
            [3, 4],
          ],
          [[-1], [0]],
          1,
        )
        .toArray(),
    ).toEqual([[2], [3]])
    expect(ops.scatterAdd([1, 2, 3], [-1, 0, -1], 3).toArray()).toEqual([2, 0, 4])
  })

  it('have the gradient of the same element', () => {
    const weights = tensor([1, 2, 4])
    const at = tensor(Int32Array.of(-1, -1, 0))
    const total = (of: typeof x) => ops.sum(ops.multiply(ops.take(of, at, 0), weights))
    expect(grad(total)(x).toArray()).toEqual([4, 0, 3])
  })
})

describe('indices outside the axis', () => {
  it('are refused in data', () => {
    for (const wrong of [[3], [-4], [0.5], [NaN]]) {
      expect(() => ops.take(x, wrong)).toThrow(DataError)
      expect(() => ops.takeAlongAxis(x, wrong, 0)).toThrow(DataError)
      expect(() => ops.scatterAdd([1], wrong, 3)).toThrow(DataError)
    }
    expect(() => ops.take(x, [0, 3])).toThrow('the indices must be integers in −3 … 2, received 3 as element 1')
    expect(() => new Embedding({ inputDim: 3, outputDim: 2 }).apply([[3]])).toThrow(DataError)
  })

  it.each([
    ['take', (of: typeof x, at: typeof x) => ops.take(of, at)],
    ['takeAlongAxis', (of: typeof x, at: typeof x) => ops.takeAlongAxis(of, at)],
  ])('give NaN, the least int32 or true in a program: %s', (_name, pick) => {
    const least = -(2 ** 31)
    const run = jit(pick)
    expect(run(x, indices).toArray()).toEqual([30, 10, NaN, NaN, NaN, NaN])
    expect(run(ops.cast(x, 'int32'), indices).toArray()).toEqual([30, 10, least, least, least, least])
    expect(run(ops.greater(x, 15), indices).toArray()).toEqual([true, false, true, true, true, true])
  })

  it('fill whole slices, without overlap between the rows of a matrix', () => {
    const rows = tensor([
      [1, 2, 3, 4, 5],
      [6, 7, 8, 9, 10],
    ])
    const lost = new Array<number>(5).fill(NaN)
    const run = jit((of: typeof x, at: typeof x) => ops.take(of, at, 0))
    expect(run(rows, tensor(Int32Array.of(-1, 2, 0))).toArray()).toEqual([[6, 7, 8, 9, 10], lost, [1, 2, 3, 4, 5]])
    const along = jit((of: typeof x, at: typeof x) => ops.takeAlongAxis(of, at, 1))
    expect(along(rows, tensor(Int32Array.of(5, -6), [2, 1])).toArray()).toEqual([[NaN], [NaN]])
  })

  it('have no gradient', () => {
    const total = (of: typeof x, at: typeof x) => {
      const picked = ops.take(of, at, 0)
      return ops.sum(ops.multiply(ops.where(ops.isnan(picked), 0, picked), [1, 2, 3, 4, 5, 6]))
    }
    expect(grad(total)(x, indices).toArray()).toEqual([2, 0, 1])
  })
})

it('take without an axis selects from all elements', () => {
  expect(
    ops
      .take(
        [
          [1, 2],
          [3, 4],
        ],
        [3, 0],
      )
      .toArray(),
  ).toEqual([4, 1])
})

describe('normalize', () => {
  it('takes the order of the norm', () => {
    const row = [
      [1, -3, 4],
      [0, 0, 0],
    ]
    expect(ops.normalize(row, -1, 1).toArray()).toEqual([
      [0.125, -0.375, 0.5],
      [0, 0, 0],
    ])
    expect(ops.normalize(row, { order: Infinity }).toArray()).toEqual([
      [0.25, -0.75, 1],
      [0, 0, 0],
    ])
    expect(ops.norm(ops.normalize([1, -3, 4], -1, 3), 3).item()).toBeCloseTo(1, 5)
    expect(() => ops.normalize(row, -1, 0)).toThrow('order')
    expect(() => ops.normalize(row, { order: 1 } as never, 1)).toThrow('normalize: axis must be an integer')
  })
})
