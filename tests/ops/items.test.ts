// Items of tensors, views of their bits, and vectorized functions.
import { describe, expect, it } from 'vitest'
import { ArgumentError, ShapeError, grad, jit, ops, tensor, type Tensor } from '../../src'

const int = (...values: number[]): Tensor => tensor(Int32Array.from(values))
const cube = ops.reshape(ops.arange(24), [2, 3, 4])
type Key = ops.ItemKey | readonly ops.ItemKey[]

describe('getItem', () => {
  /** The elements of Python’s range over an axis. */
  const range = (extent: number, start: number | null, stop: number | null, step: number): number[] => {
    const clip = (at: number, low: number, high: number) => Math.min(Math.max(at < 0 ? at + extent : at, low), high)
    const found: number[] = []
    if (step > 0)
      for (let i = clip(start ?? 0, 0, extent); i < clip(stop ?? extent, 0, extent); i += step) found.push(i)
    else {
      const end = stop === null ? -1 : clip(stop, -1, extent - 1)
      for (let i = clip(start ?? extent - 1, -1, extent - 1); i > end; i += step) found.push(i)
    }
    return found
  }

  it('ranges are those of Python', () => {
    const bounds = [null, -9, -5, -4, -1, 0, 1, 3, 5, 9]
    const x = int(10, 11, 12, 13, 14)
    for (const start of bounds)
      for (const stop of bounds)
        for (const step of [null, 1, 2, 3, 7, -1, -2, -7]) {
          const key = `${start ?? ''}:${stop ?? ''}${step === null ? '' : `:${step}`}`
          expect(ops.getItem(x, key).toArray(), key).toEqual(range(5, start, stop, step ?? 1).map((i) => 10 + i))
        }
  })

  it.each<[string, Key, number[], number[]]>([
    ['a number', 1, [3, 4], [12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]],
    ['negative numbers', [-1, -1, -1], [], [23]],
    ['all but one axis', [0, '...', 2], [3], [2, 6, 10]],
    ['a new axis', [0, null, '1:', ':1'], [1, 2, 1], [4, 8]],
    ['new axes at the end', ['...', 0, null], [2, 3, 1], [0, 4, 8, 12, 16, 20]],
    ['ranges', ['::-1', ':2', '1::2'], [2, 2, 2], [13, 15, 17, 19, 1, 3, 5, 7]],
    ['indices', [':', [2, -3], 1], [], []],
    ['a list of indices', ['1:', [2, -3], '0:1'], [1, 2, 1], [20, 12]],
    ['a matrix of indices', [int(1), ':1', ':2'], [1, 1, 2], [12, 13]],
    ['nothing', [], [2, 3, 4], Array.from({ length: 24 }, (_, i) => i)],
    ['dots alone', '...', [2, 3, 4], Array.from({ length: 24 }, (_, i) => i)],
  ])('%s', (title, key, shape, data) => {
    if (title === 'indices') return expect(() => ops.getItem(cube, key)).toThrow(ArgumentError)
    const item = ops.getItem(cube, key)
    expect([item.shape, [...item.data], item.dtype]).toEqual([shape, data, 'int32'])
  })

  it('has a gradient, and runs on symbols', () => {
    const slope = grad((x: Tensor) => ops.sum(ops.getItem(x, [':', '::-2'])))
    expect(slope([[1, 2, 3]]).toArray()).toEqual([[1, 0, 1]])
    expect(jit((x: Tensor) => ops.getItem(x, [1, '1:']))(cube).shape).toEqual([2, 4])
  })

  it('rejects values outside', () => {
    expect(() => ops.getItem(cube, [0, 3])).toThrow(/3 is outside axis 0|3 is outside/)
    expect(() => ops.getItem(cube, [0, 0, 0, 0])).toThrow(ShapeError)
    expect(() => ops.getItem(cube, ['...', '...'])).toThrow(ShapeError)
    expect(() => ops.getItem(cube, '1')).toThrow(ArgumentError)
    expect(() => ops.getItem(cube, '::0')).toThrow(ArgumentError)
    expect(() => ops.getItem(cube, 0.5)).toThrow(ArgumentError)
    expect(() => ops.getItem(cube, [[0], [1]])).toThrow(ArgumentError)
  })
})

describe('ndim, size and copy', () => {
  it('need no data', () => {
    expect([ops.ndim(cube), ops.size(cube), ops.ndim(3), ops.size([])]).toEqual([3, 24, 0, 0])
    const other = ops.copy(cube)
    expect(other).not.toBe(cube)
    expect(other.toArray()).toEqual(cube.toArray())
  })
})

describe('view', () => {
  it('has the same bits', () => {
    const x = [1, -0, 1e-45, -Infinity]
    const bits = Int32Array.from([0x3f800000, -(2 ** 31), 1, 0xff800000 | 0])
    expect(ops.view(x, 'int32').data).toEqual(bits)
    expect(ops.view(bits, 'float32').data).toEqual(Float32Array.from(x))
    expect(ops.view(x).dtype).toBe('float32')
  })

  it('joins computations before and after', () => {
    const magnitude = jit((x: Tensor) => ops.view(ops.mod(ops.view(ops.negative(x), 'int32'), 2 ** 24), 'float32'))
    const x = Float32Array.of(3, -2.5)
    const expected = new Float32Array(
      new Int32Array(x.map((each) => -each).buffer).map((each) => ((each % 2 ** 24) + 2 ** 24) % 2 ** 24).buffer,
    )
    expect(magnitude(x).data).toEqual(expected)
  })

  it('rejects bool, and has no gradient', () => {
    expect(() => ops.view(true, 'int32')).toThrow(ArgumentError)
    expect(() => ops.view(1, 'bool')).toThrow(ArgumentError)
    const slope = grad((x: Tensor) => ops.sum(ops.cast(ops.view(x, 'int32'), 'float32')))
    expect(slope(tensor([1, 2])).toArray()).toEqual([0, 0])
  })
})

describe('vectorize', () => {
  it('broadcasts scalars', () => {
    const f = ops.vectorize((a, b) => ops.where(ops.less(a, b), a, ops.multiply(b, 2)))
    expect(f([[1], [5]], [2, 3, 4]).toArray()).toEqual([
      [1, 1, 1],
      [4, 6, 8],
    ])
    expect(f(1, 2).toArray()).toBe(1)
  })

  it('passes the parts of a signature', () => {
    const product = ops.vectorize((a, b) => ops.sum(ops.multiply(a, b), -1), { signature: '(m, n),(n)->(m)' })
    const [a, b] = [ops.reshape(ops.arange(24, null, 1, 'float32'), [2, 1, 3, 4]), ops.ones([5, 4])]
    expect(product(a, b).toArray()).toEqual(
      ops
        .matmul(a, ops.reshape(b, [5, 4, 1]))
        .toArray<number[][][][]>()
        .map((each) => each.map((row) => row.flat())),
    )
    const both = ops.vectorize((x) => [ops.max(x), ops.cumsum(x)], { signature: '(n)->(),(n)' })
    expect(
      both([
        [1, 2],
        [4, 3],
      ]).map((each) => each.toArray()),
    ).toEqual([
      [2, 4],
      [
        [1, 3],
        [4, 7],
      ],
    ])
  })

  it('passes excluded arguments as they are', () => {
    const given: unknown[] = []
    const f = ops.vectorize(
      (x, other) => {
        given.push(other)
        return ops.multiply(x, 2)
      },
      { excluded: [1] },
    )
    expect(f([1, 2], [7, 8]).toArray()).toEqual([2, 4])
    expect(given).toEqual([[7, 8]])
  })

  it('has a gradient', () => {
    const slope = grad((x: Tensor) => ops.sum(ops.vectorize((each) => ops.square(each))(x)))
    expect(
      slope([
        [1, 2],
        [3, 4],
      ]).toArray(),
    ).toEqual([
      [2, 4],
      [6, 8],
    ])
  })

  it('rejects what does not fit', () => {
    const f = (x: Tensor): Tensor => x
    expect(() => ops.vectorize(3 as never)).toThrow(ArgumentError)
    for (const signature of ['(n)', 'n->n', '(n)->(n', '(n-m)->()'])
      expect(() => ops.vectorize(f, { signature }), signature).toThrow(ArgumentError)
    expect(() => ops.vectorize(f, { signature: '(n),(n)->()' })([1])).toThrow(/has 2 arguments/)
    expect(() => ops.vectorize(f, { signature: '(n,m)->()' })([1])).toThrow(ShapeError)
    expect(() => ops.vectorize(f, { signature: '(n)->()' })([1])).toThrow(ShapeError)
    expect(() => ops.vectorize((a, b) => ops.add(a, b), { signature: '(n),(n)->(n)' })([1], [1, 2])).toThrow(ShapeError)
    expect(() => ops.vectorize((x) => ops.stack([x, x]))([1])).toThrow(ShapeError)
    expect(() => ops.vectorize((x) => [x, x], { signature: '()->()' })([1])).toThrow(/1 results/)
  })
})
