// Ops that compute indices of large tensors in another way than those of small ones.

import { describe, expect, it } from 'vitest'
import { jit, ops, tensor, type Tensor } from '../../src'
import { generator } from '../helpers/data'

/** The index of the first largest element, or of the first NaN, by a plain loop. */
function firstExtreme(data: ArrayLike<number>, sign: number): number {
  let best = 0
  for (let i = 0; i < data.length; i++) {
    if (Number.isNaN(data[i]!)) return i
    if (sign * data[i]! > sign * data[best]!) best = i
  }
  return best
}

const random = generator(5)
const numbers = (n: number): Float32Array => Float32Array.from({ length: n }, () => random() * 2 - 1)
/** Few different values, so that most extremes are ties. */
const ties = (n: number): Float32Array => Float32Array.from({ length: n }, () => Math.floor(random() * 3))
function withNaN(n: number): Float32Array {
  const data = numbers(n)
  data[n - 7] = data[n - 5000] = NaN
  return data
}

describe('argmax and argmin of all elements', () => {
  // 65537 is a prime, so that there are no rows of equal length.
  it.each([
    ['numbers', tensor(numbers(70000), [70, 1000])],
    ['a vector', tensor(numbers(99000))],
    ['ties', tensor(ties(98304), [3, 32, 1024])],
    ['NaN', tensor(withNaN(98304))],
    ['−∞', tensor(new Float32Array(70000).fill(-Infinity))],
    [
      'int32',
      tensor(
        Int32Array.from(numbers(70000), (x) => x * 1e4),
        [700, 100],
      ),
    ],
    ['a prime number of elements', tensor(numbers(65537))],
  ])('%s', (_title, x) => {
    const [largest, smallest] = [firstExtreme(x.data, 1), firstExtreme(x.data, -1)]
    const both = (value: Tensor): Tensor[] => [ops.argmax(value), ops.argmin(value)]
    for (const found of [both(x), jit(both)(x)]) {
      expect(found.map((each) => [each.dtype, each.item()])).toEqual([
        ['int32', largest],
        ['int32', smallest],
      ])
    }
    expect(ops.argmax(x, { keepDims: true }).shape).toEqual(x.shape.map(() => 1))
  })
})

describe('oneHot of many classes in a traced function', () => {
  const indices = tensor(Int32Array.of(0, 99, 50, 7, 7, 1), [2, 3])
  it.each(['float32', 'int32', 'bool'] as const)('%s', (dtype) => {
    for (const axis of [-1, 0, 1]) {
      const found = jit((index: Tensor) => ops.oneHot(index, 100, { axis, dtype }))(indices)
      const expected = ops.oneHot(indices, 100, { axis, dtype })
      expect([found.dtype, found.shape, found.data]).toEqual([expected.dtype, expected.shape, expected.data])
    }
  })
  it('an index that is not a class gives a row of zeros', () => {
    const found = jit((index: Tensor) => ops.oneHot(index, 64))(
      tensor(Int32Array.of(-1, 64, 63, 2 ** 31 - 1, -(2 ** 31))),
    )
    const sums = ops.sum(found, 1)
    expect([...sums.data]).toEqual([0, 0, 1, 0, 0])
    expect(found.data[2 * 64 + 63]).toBe(1)
  })
  it('no indices', () => {
    expect(jit((index: Tensor) => ops.oneHot(index, 64))(tensor(new Int32Array(0), [0, 2])).shape).toEqual([0, 2, 64])
  })
})
