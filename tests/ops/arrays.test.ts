// Ops on concrete tensors compared with NumPy. tests/engine/ir has the values of single primitives.
import { describe, expect, it } from 'vitest'
import {
  ArgumentError,
  DataError,
  MyelinError,
  ShapeError,
  StateError,
  Tensor,
  Variable,
  grad,
  jit,
  ops,
  tensor,
  type TensorLike,
} from '../../src'
import { inferShape } from '../../src/ops/numpy/shape'
import { expectNear } from '../helpers/golden'

const int = (...values: number[]): Tensor => tensor(Int32Array.from(values))
const m = [
  [1, 2, 3],
  [4, 5, 6],
]

describe('tensor', () => {
  it.each<[string, TensorLike, number[], string]>([
    ['a number', 3, [], 'float32'],
    ['a boolean', true, [], 'bool'],
    ['a vector', [1, 2], [2], 'float32'],
    ['a matrix', m, [2, 3], 'float32'],
    ['booleans', [[true], [false]], [2, 1], 'bool'],
    ['nothing in rows', [[], []], [2, 0], 'float32'],
    ['Int32Array', Int32Array.of(1, 2), [2], 'int32'],
    ['Uint32Array', Uint32Array.of(1, 4294967295), [2], 'float32'],
    ['Uint8Array', Uint8Array.of(1, 2), [2], 'float32'],
    ['Float64Array', Float64Array.of(1, 2), [2], 'float32'],
    ['data with a shape', { data: [1, 2, 3, 4], shape: [2, 2] }, [2, 2], 'float32'],
    ['data with a shape and dtype', { data: [1, 0], shape: [2, 1], dtype: 'bool' }, [2, 1], 'bool'],
  ])('%s', (_title, values, shape, dtype) => {
    const made = tensor(values)
    expect(made).toBeInstanceOf(Tensor)
    expect(made.shape).toEqual(shape)
    expect(made.dtype).toBe(dtype)
    expect(made.rank).toBe(shape.length)
    expect(made.size).toBe(shape.reduce((a, b) => a * b, 1))
  })

  it('copies its argument', () => {
    const data = Float32Array.of(1, 2)
    const made = tensor(data)
    data[0] = 9
    expect(made.toArray()).toEqual([1, 2])
  })

  it('toArray, toJSON, item and toString', () => {
    expect(tensor(m).toArray()).toEqual(m)
    expect(JSON.stringify(tensor([[true], [false]]))).toBe('[[true],[false]]')
    expect(tensor([[7]]).item()).toBe(7)
    expect(() => tensor([1, 2]).item()).toThrow(StateError)
    expect(String(tensor(m))).toBe('Tensor float32 [2, 3] [1, 2, 3, 4, 5, 6]')
    expect(String(ops.arange(20))).toMatch(/…\]$/)
  })

  it('refuses values that are not numbers, and wrong shapes', () => {
    expect(() => tensor('abc' as never)).toThrow(DataError)
    expect(() => tensor([1, 2, 3], [2, 2])).toThrow('tensor: shape [2, 2] needs 4 elements, received 3')
    expect(() => tensor([1], [-1])).toThrow(ShapeError)
    expect(() => tensor([[1], [1, 2]])).toThrow(
      /ragged.*\[1\] must be an array of length 1, received an array of length 2/,
    )
  })
})

describe('broadcasting', () => {
  it.each<[TensorLike, TensorLike, unknown]>([
    [1, 2, 3],
    [
      m,
      10,
      [
        [11, 12, 13],
        [14, 15, 16],
      ],
    ],
    [
      m,
      [10, 20, 30],
      [
        [11, 22, 33],
        [14, 25, 36],
      ],
    ],
    [
      m,
      [[10], [20]],
      [
        [11, 12, 13],
        [24, 25, 26],
      ],
    ],
    [
      [[1], [2]],
      [10, 20],
      [
        [11, 21],
        [12, 22],
      ],
    ],
    [[[[1]]], [[1, 2]], [[[2, 3]]]],
  ])('%j + %j', (a, b, expected) => {
    expect(ops.add(a, b).toArray()).toEqual(expected)
    expect(ops.add(b, a).toArray()).toEqual(expected)
  })

  it('refuses incompatible shapes', () => {
    expect(() => ops.add([1, 2], [1, 2, 3])).toThrow(ShapeError)
    expect(() => ops.add([1, 2], [1, 2, 3])).toThrow(/add: .*\[2\] and \[3\]/)
    expect(() => ops.where([true, false], [1, 2, 3], 0)).toThrow(ShapeError)
  })

  it('broadcastTo repeats', () => {
    expect(ops.broadcastTo([[1], [2]], [2, 2, 2]).toArray()).toEqual([
      [
        [1, 1],
        [2, 2],
      ],
      [
        [1, 1],
        [2, 2],
      ],
    ])
    expect(() => ops.broadcastTo([1, 2], [3])).toThrow(ShapeError)
  })
})

describe('no element', () => {
  it('is an error of extremes without initial', () => {
    const none = ops.zeros([0, 3])
    for (const op of [ops.max, ops.min, ops.amax, ops.amin, ops.ptp]) {
      expect(() => op(none)).toThrow(/\[0, 3\] has no element along the axis/)
      expect(() => op(none, { axis: 0 })).toThrow(ShapeError)
      expect(op(none, 1).shape).toEqual([0])
    }
    expect(ops.max(none, 0, false, -2).toArray()).toEqual([-2, -2, -2])
  })
})

describe('dtypes', () => {
  it.each<[TensorLike, TensorLike, string]>([
    [[true], [false], 'bool'],
    [[true], int(1), 'int32'],
    [int(1), int(2), 'int32'],
    [int(1), 2, 'int32'],
    [int(1), 2.5, 'float32'],
    [int(1), [2], 'float32'],
    [[true], [1], 'float32'],
    [[1], [2], 'float32'],
  ])('%j + %j', (a, b, dtype) => {
    expect(ops.add(a, b).dtype).toBe(dtype)
    expect(ops.multiply(b, a).dtype).toBe(dtype)
  })

  it('division and roots are float32, comparisons bool', () => {
    expect(ops.divide(int(7), int(2)).toArray()).toEqual([3.5])
    expect(ops.sqrt(int(4)).dtype).toBe('float32')
    expect(ops.less(int(1), 2).dtype).toBe('bool')
    expect(ops.less([1, 2, 3], 2).toArray()).toEqual([true, false, false])
    expect(ops.greaterEqual([1, 2, 3], 2).toArray()).toEqual([false, true, true])
    expect(ops.greater(int(2), [1.5]).toArray()).toEqual([true])
    expect(ops.lessEqual(2, 2).toArray()).toBe(true)
    expect(ops.equal([NaN, 1], [NaN, 1]).toArray()).toEqual([false, true])
    expect(ops.notEqual([NaN, 1], [NaN, 1]).toArray()).toEqual([true, false])
  })

  it('arithmetic of integers stays int32', () => {
    const x = int(-7, 0, 7)
    for (const result of [
      ops.abs(x),
      ops.sign(x),
      ops.square(x),
      ops.clip(x, -1, 5),
      ops.round(x),
      ops.negative(x),
      ops.mod(x, 3),
      ops.floorDivide(x, 3),
    ]) {
      expect(result.dtype).toBe('int32')
    }
    expect(ops.sign(int(-2147483648, 0, 2147483647)).toArray()).toEqual([-1, 0, 1])
    expect(ops.square(int(46340, -3)).toArray()).toEqual([2147395600, 9])
    expect(ops.round(int(16777217)).item()).toBe(16777217)
    expect(ops.clip(int(-5, 2147483647), 0, 1e10)).toMatchObject({ dtype: 'float32' })
    expect(ops.sign([[true, false]])).toMatchObject({ dtype: 'int32' })
  })

  it('mod and floorDivide have the sign of the divisor, exactly', () => {
    const [a, b] = [int(7, -7, 7, -7, 2147483647, -2147483648, 5, 0), int(3, 3, -3, -3, 10, -1, 0, 0)]
    expect(ops.mod(a, b).toArray()).toEqual([1, 2, -2, -1, 7, 0, 0, 0])
    expect(ops.floorDivide(a, b).toArray()).toEqual([2, -3, -3, 2, 214748364, -2147483648, 0, 0])
    expect(ops.floorDivide([7, -7], 2).toArray()).toEqual([3, -4])
    expect(ops.mod(int(7), 2.5)).toMatchObject({ dtype: 'float32' })
  })

  it('cast rounds towards zero, and to bool by ≠ 0', () => {
    expect(ops.cast([-1.7, 1.7, 0], 'int32').toArray()).toEqual([-1, 1, 0])
    expect(ops.cast([-1.7, 0, -0], 'bool').toArray()).toEqual([true, false, false])
    expect(ops.cast([true, false], 'float32').toArray()).toEqual([1, 0])
    const x = tensor([1])
    expect(ops.cast(x, 'float32')).toBe(x)
  })

  it('logic treats numbers as ≠ 0', () => {
    expect(ops.logicalAnd([1, 0, 2], [1, 1, 0]).toArray()).toEqual([true, false, false])
    expect(ops.logicalOr([1, 0, 0], [true, true, false]).toArray()).toEqual([true, true, false])
    expect(ops.logicalNot([1, 0]).toArray()).toEqual([false, true])
  })

  it('negative counts booleans, and abs returns them', () => {
    expect(ops.negative([true, false]).toArray()).toEqual([-1, 0])
    expect(ops.abs([true, false]).toArray()).toEqual([true, false])
  })
})

describe('elementwise', () => {
  it.each<[string, TensorLike, TensorLike, TensorLike]>([
    ['subtract', ops.subtract([5, 7], [1, 2]), [4, 5], []],
    ['maximum', ops.maximum([1, 5], [3, 2]), [3, 5], []],
    ['minimum', ops.minimum([1, 5], [3, 2]), [1, 2], []],
    ['power', ops.power([2, 3], [3, 2]), [8, 9], []],
    ['mod', ops.mod([7, -7, 7], [3, 3, -3]), [1, 2, -2], []],
    ['sign', ops.sign([-2, 0, 3]), [-1, 0, 1], []],
    ['floor', ops.floor([1.5, -1.5]), [1, -2], []],
    ['ceil', ops.ceil([1.5, -1.5]), [2, -1], []],
    ['round half to even', ops.round([0.5, 1.5, 2.5, -0.5]), [0, 2, 2, 0], []],
    ['clip', ops.clip([-2, 0.5, 7], -1, 1), [-1, 0.5, 1], []],
    ['isnan', ops.cast(ops.isnan([NaN, Infinity, 1]), 'float32'), [1, 0, 0], []],
    ['isfinite', ops.cast(ops.isfinite([NaN, Infinity, 1]), 'float32'), [0, 0, 1], []],
    ['exp and log', ops.log(ops.exp([0.5, 2])), [0.5, 2], []],
    ['expm1 and log1p', ops.log1p(ops.expm1([1e-5, 2])), [1e-5, 2], []],
    ['rsqrt and reciprocal', ops.multiply(ops.rsqrt([4, 9]), ops.reciprocal([2, 3])), [1 / 4, 1 / 9], []],
    ['sin² + cos²', ops.add(ops.square(ops.sin([1, 2])), ops.square(ops.cos([1, 2]))), [1, 1], []],
    ['erf and erfinv', ops.erfinv(ops.erf([0.25, -0.5])), [0.25, -0.5], []],
    ['sigmoid', ops.sigmoid([0, 100, -100]), [0.5, 1, 0], []],
    ['softplus', ops.softplus([0, 100, -100]), [Math.LN2, 100, 0], []],
    ['tanh', ops.tanh([0, 100]), [0, 1], []],
    ['relu', ops.relu([-1, 2]), [0, 2], []],
    ['linear', ops.linear([-1, 2]), [-1, 2], []],
  ])('%s', (name, received, expected) => {
    expectNear(tensor(received).data, tensor(expected).data, name, 2e-6)
  })

  it('where selects, and has no gradient for elements not selected', () => {
    expect(ops.where([true, false, true], [1, 2, 3], 0).toArray()).toEqual([1, 0, 3])
    expect(ops.where([1, 0], int(5, 6), 7).dtype).toBe('int32')
    const gradient = grad((x) =>
      ops.sum(ops.where(ops.greater(x, 0), ops.sqrt(ops.where(ops.greater(x, 0), x, 1)), 0)),
    )([4, 0, -1])
    expect(gradient.toArray()).toEqual([0.25, 0, 0])
  })

  const bounds = [-Infinity, -1, -0, 0, 0.5, 3, Infinity, NaN].flatMap((low) =>
    [-Infinity, -2, -0, 0, 1, Infinity, NaN].map((high) => [low, high] as const),
  )
  it.each(bounds)('clip between %d and %d, compiled', (low, high) => {
    const special = [NaN, -Infinity, Infinity, 0, -0, 1e-45, -1e-45, -1, 1, 0.25, -7, 2]
    const x = Array.from({ length: 23 }, (_, i) => special[i % special.length]!)
    const expected = x.map((each) => Math.min(Math.max(each, low), high))
    expect([...jit((y: Tensor) => ops.clip(y, low, high))(tensor(x)).data]).toEqual([...Float32Array.from(expected)])
  })

  it('clip of integers, compiled', () => {
    const x = Int32Array.from({ length: 23 }, (_, i) => [-2147483648, -3, -2, 0, 4, 5, 6, 2147483647][i % 8]!)
    for (const [low, high] of [
      [-2, 5],
      [0, 2147483647],
      [5, -2],
    ] as const)
      expect([...jit((y: Tensor) => ops.clip(y, low, high))(tensor(x)).data]).toEqual(
        [...x].map((each) => Math.min(Math.max(each, low), high)),
      )
  })

  it('clip has no gradient outside', () => {
    expect(grad((x) => ops.sum(ops.clip(x, -1, 1)))([-2, 0.5, 2]).toArray()).toEqual([0, 1, 0])
  })
})

describe('reductions', () => {
  const t = ops.reshape(ops.arange(1, 25), [2, 3, 4])

  it.each<[string, { axis?: ops.Axis; keepDims?: boolean }, number[]]>([
    ['everything', {}, []],
    ['axis null', { axis: null }, []],
    ['one axis', { axis: 1 }, [2, 4]],
    ['a negative axis', { axis: -1 }, [2, 3]],
    ['two neighbours', { axis: [0, 1] }, [4]],
    ['two apart', { axis: [0, -1] }, [3]],
    ['no axes', { axis: [] }, [2, 3, 4]],
    ['keepDims', { axis: [0, 2], keepDims: true }, [1, 3, 1]],
    ['keepDims over all axes', { keepDims: true }, [1, 1, 1]],
  ])('%s', (_title, options, shape) => {
    const folds: readonly (typeof ops.sum)[] = [
      ops.sum,
      ops.mean,
      ops.max,
      ops.min,
      ops.prod,
      ops.variance,
      ops.std,
      ops.logSumExp,
    ]
    for (const fold of folds) {
      expect(fold(t, options).shape).toEqual(shape)
    }
    const total = 300
    const count = 24 / shape.reduce((a, b) => a * b, 1)
    expectNear([ops.sum(ops.sum(t, options)).item()], [total], 'sum of sums')
    expectNear([ops.sum(ops.mean(t, options)).item()], [total / count], 'sum of means')
  })

  it('of known values', () => {
    expect(ops.sum(t, { axis: [0, 2] }).toArray()).toEqual([68, 100, 132])
    expect(ops.max(t, { axis: 0 }).toArray()).toEqual([
      [13, 14, 15, 16],
      [17, 18, 19, 20],
      [21, 22, 23, 24],
    ])
    expect(ops.min(t, { axis: [1, 2] }).toArray()).toEqual([1, 13])
    expectNear(ops.variance(m, { axis: 1 }).data, [2 / 3, 2 / 3], 'variance')
    expectNear(ops.std(m).data, [Math.sqrt(35 / 12)], 'std')
    expect(
      ops
        .all(
          [
            [true, false],
            [true, true],
          ],
          { axis: 1 },
        )
        .toArray(),
    ).toEqual([false, true])
    expect(
      ops
        .any(
          [
            [0, 0],
            [0, 2],
          ],
          { axis: 1 },
        )
        .toArray(),
    ).toEqual([false, true])
    expect(
      ops
        .sum([
          [true, true],
          [false, true],
        ])
        .item(),
    ).toBe(3)
  })

  it('of integers stays exact in their dtype', () => {
    const large = tensor(Int32Array.of(16777217, 16777216, -16777217), [3])
    expect(ops.sum(large)).toMatchObject({ dtype: 'int32' })
    expect(ops.sum(large).item()).toBe(16777216)
    expect(ops.sum(int(2147483647, 1)).item()).toBe(-2147483648)
    expect(ops.max(large)).toMatchObject({ dtype: 'int32' })
    expect([ops.max(large).item(), ops.min(large).item()]).toEqual([16777217, -16777217])
    expect([ops.argmax(large).item(), ops.argmin(large).item()]).toEqual([0, 2])
    expect(ops.prod(int(46341, 46341)).item()).toBe(Math.imul(46341, 46341))
    expect(ops.prod(tensor(new Int32Array(0)))).toMatchObject({ dtype: 'int32' })
    expect(ops.mean(int(1, 2))).toMatchObject({ dtype: 'float32' })
    expect(ops.mean(int(1, 2)).item()).toBe(1.5)
    expectNear(
      [ops.variance(int(1, 2, 3)).item(), ops.logSumExp(int(0, 0)).item()],
      [2 / 3, Math.LN2],
      'variance, logSumExp',
    )
  })

  it('of bool counts, and keeps bool for extremes', () => {
    const flags = tensor([
      [true, false],
      [true, true],
    ])
    expect(ops.sum(flags)).toMatchObject({ dtype: 'int32' })
    expect(ops.sum(flags, { axis: 1 }).toArray()).toEqual([1, 2])
    expect(ops.sum(flags, { axis: [] })).toMatchObject({ dtype: 'int32' })
    expect(ops.max(flags, { axis: 1 }).toArray()).toEqual([true, true])
    expect(ops.min(flags, { axis: 1 }).toArray()).toEqual([false, true])
    expect(ops.argmin(flags, 1).toArray()).toEqual([1, 0])
    expect(ops.prod(flags)).toMatchObject({ dtype: 'int32' })
    const none = ops.zeros([2, 0])
    expect([ops.all(none, { axis: 1 }).toArray(), ops.any(none, { axis: 1 }).toArray()]).toEqual([
      [true, true],
      [false, false],
    ])
    expect(ops.all([NaN, 2]).toArray()).toBe(true)
  })

  it('ties share the gradient of max and min equally over all reduced axes', () => {
    // x[:, 0, :] is largest where it is 3, twice; x[:, 1, :] where it is 7, three times.
    const tied = [
      [
        [3, 1],
        [7, 7],
      ],
      [
        [0, 3],
        [7, 2],
      ],
    ]
    expect(grad((x) => ops.sum(ops.max(x, { axis: [0, 2] })))(tied).toArray()).toEqual([
      [[0.5, 0], [1 / 3, 1 / 3].map(Math.fround)],
      [
        [0, 0.5],
        [Math.fround(1 / 3), 0],
      ],
    ])
    const flat = [
      [
        [0, 5],
        [1, 1],
      ],
      [
        [0, 0],
        [4, 1],
      ],
    ]
    expect(grad((x) => ops.sum(ops.min(x, { axis: [0, 2] })))(flat).toArray()).toEqual(
      [
        [
          [1 / 3, 0],
          [1 / 3, 1 / 3],
        ],
        [
          [1 / 3, 1 / 3],
          [0, 1 / 3],
        ],
      ].map((a) => a.map((b) => b.map(Math.fround))),
    )
    expect(grad((x) => ops.max(x))([2, 2, 1, 2]).toArray()).toEqual([1 / 3, 1 / 3, 0, 1 / 3].map(Math.fround))
  })

  it('NaN propagates through max and min', () => {
    expect(ops.max([1, NaN, 2]).item()).toBeNaN()
    expect(ops.min([1, NaN, 2]).item()).toBeNaN()
  })

  it('refuses axes that do not exist, or repeat', () => {
    expect(() => ops.sum(m, { axis: 2 })).toThrow(/sum: the axis must be in −2 … 1, received 2/)
    expect(() => ops.sum(m, { axis: [0, -2] })).toThrow(/distinct/)
    expect(() => ops.sum(m, { axis: 0.5 })).toThrow('sum: axis must be an integer, received 0.5')
  })

  it('prod, and its gradient with zeros', () => {
    expect(
      ops
        .prod(
          [
            [1, 2, 3],
            [4, 5, 6],
          ],
          { axis: 1 },
        )
        .toArray(),
    ).toEqual([6, 120])
    expect(ops.prod([2, 3, 4, 5, 6]).item()).toBe(720)
    expect(ops.prod(tensor(new Float32Array(0))).item()).toBe(1)
    expect(grad((x) => ops.prod(x))([2, 3, 4]).toArray()).toEqual([12, 8, 6])
    expect(grad((x) => ops.prod(x))([2, 0, 4]).toArray()).toEqual([0, 8, 0])
    expect(grad((x) => ops.prod(x))([0, 0, 4]).toArray()).toEqual([0, 0, 0])
  })

  it('logSumExp neither overflows nor underflows', () => {
    expectNear(ops.logSumExp([1000, 1000]).data, [1000 + Math.LN2], 'large')
    expectNear(ops.logSumExp([-1000, -1001]).data, [-1000 + Math.log1p(Math.exp(-1))], 'small')
    expect(ops.logSumExp([-Infinity, -Infinity]).item()).toBe(-Infinity)
    expectNear(grad((x) => ops.logSumExp(x))([1, 1000]).data, [0, 1], 'gradient')
  })

  it('argmax and argmin give the first index, as int32', () => {
    const tied = [
      [1, 3, 3],
      [2, 0, 0],
    ]
    expect(ops.argmax(tied).item()).toBe(1)
    expect(ops.argmax(tied, 1).toArray()).toEqual([1, 0])
    expect(ops.argmin(tied, -1).toArray()).toEqual([0, 1])
    expect(ops.argmax(tied, 0).toArray()).toEqual([1, 0, 0])
    expect(ops.argmax(tied, 1, true).shape).toEqual([2, 1])
    expect(ops.argmax(tied).dtype).toBe('int32')
  })
})

describe('arguments', () => {
  const t = ops.reshape(ops.arange(1, 25), [2, 3, 4])
  const folds: Readonly<Record<string, typeof ops.sum>> = {
    sum: ops.sum,
    mean: ops.mean,
    max: ops.max,
    min: ops.min,
    prod: ops.prod,
    variance: ops.variance,
    std: ops.std,
    logSumExp: ops.logSumExp,
    all: ops.all,
    any: ops.any,
  }

  it.each(Object.entries(folds))('%s takes an axis alone, or options in any spelling', (name, fold) => {
    for (const axis of [1, -1, [0, 2], null] as const) {
      const expected = fold(t, { axis, keepDims: true })
      expect(fold(t, axis).toArray()).toEqual(fold(t, { axis }).toArray())
      for (const result of [
        fold(t, axis, true),
        fold(t, { axis, keepdims: true } as object),
        fold(t, { axis, keep_dims: true } as object),
      ]) {
        expect(result.toArray()).toEqual(expected.toArray())
      }
    }
    expect(() => fold(t, { axs: 1 } as object)).toThrow(`Unknown argument of ops.${name} 'axs'. Did you mean 'axis'?`)
    expect(() => fold(t, '1' as never)).toThrow("axis must be an integer, received '1'")
    expect(() => fold(t, { axis: '1' } as never)).toThrow(ArgumentError)
    expect(() => fold(t, { keepDims: 1 } as never)).toThrow(`${name}: keepDims must be true or false, received 1`)
    expect(() => fold(t, 1, 1 as never)).toThrow(ArgumentError)
    expect(() => fold(t, { axis: 1 } as never, true)).toThrow(`${name}: axis must be an integer`)
    expect(() => fold(t, [0, 0])).toThrow(/distinct/)
  })

  it('argmax, softmax and similar ops, too', () => {
    expect(ops.argmax(t, { axis: 1, keepDims: true }).shape).toEqual([2, 1, 4])
    expect(ops.argmin(t, { axis: null }).item()).toBe(0)
    expect(ops.argmax(t, { keepdims: true } as object).shape).toEqual([1, 1, 1])
    expect(() => ops.argmax(t, [0] as never)).toThrow('argmax: axis must be an integer, received [0]')
    expect(ops.softmax(t, { axis: 1 }).toArray()).toEqual(ops.softmax(t, 1).toArray())
    expect(() => ops.softmax(t, { dim: 1 } as never)).toThrow(/Did you mean 'axis'/)
  })

  it('softmax over several axes together', () => {
    const flat = ops.softmax(ops.reshape(ops.transpose(t, [1, 0, 2]), [3, 8]))
    expectNear(ops.softmax(t, [0, 2]).data, ops.transpose(ops.reshape(flat, [3, 2, 4]), [1, 0, 2]).data, 'axes 0 and 2')
    expectNear([ops.sum(ops.softmax(t, null)).item()], [1], 'all')
    expectNear(ops.logSoftmax(t, [0, 1]).data, ops.log(ops.softmax(t, [0, 1])).data, 'logSoftmax')
  })

  it.each<[string, () => unknown, string | RegExp]>([
    ['split', () => ops.split(t, 3, { axs: 1 } as never), "Unknown argument of ops.split 'axs'. Did you mean 'axis'?"],
    ['reshape', () => ops.reshape(t, ['24'] as never), "reshape: the shape must contain integers ≥ 0, received ['24']"],
    [
      'slice',
      () => ops.slice(t, [0, 0], [1, 1]),
      'slice: needs a start and a size for each axis of [2, 3, 4], received [0, 0] and [1, 1]',
    ],
    [
      'slice, fractions',
      () => ops.slice([1, 2], [0.5], [1]),
      'each of slice: starts must be an integer ≥ 0, received 0.5',
    ],
    ['pad', () => ops.pad([[1, 2]], [[1, 2], 3] as never), 'pad: padding[1] must be an array, received 3'],
    ['pad', () => ops.pad([1, 2], 1, 'reflekt' as never), /pad: mode must be .*reflekt/],
    ['pad', () => ops.pad([[1, 2]], [[1], [1], [1]]), 'pad: expected [before, after] for each axis of [1, 2]'],
    ['inTopK', () => ops.inTopK([1.5], [[1, 2]], 1), 'inTopK: the indices must be integers in −2 … 1, received 1.5'],
    ['inTopK', () => ops.inTopK([1, 0], [[1], [2], [3]], 1), 'inTopK: expected targets'],
    ['tri', () => ops.tri(1e6), 'tri: [1000000, 1000000] has more than'],
    ['histogram', () => ops.histogram([1, 2], 1e12), 'histogram: [1000000000001] has more than'],
    ['pad', () => ops.pad(ops.zeros([0]), 1, 'edge'), 'pad: axis 0 of [0] has no element to repeat'],
    ['concatenate', () => ops.concatenate('ab' as never), "concatenate: the operand must be an array, received 'ab'"],
    [
      'broadcastTo',
      () => ops.broadcastTo([1], [1e9, 1e9]),
      'broadcastTo: [1000000000, 1000000000] has more than 268435456 elements, the limit of one tensor',
    ],
    [
      'full',
      () => ops.full([2], '1' as never),
      "full: expected numbers, nested arrays, a typed array or a Tensor, received the string '1'",
    ],
    ['dtype', () => ops.cast(1, 'flaot32' as never), "Unknown dtype of cast 'flaot32'. Did you mean 'float32'?"],
    ['arange', () => ops.arange(0, 5, 0), 'arange: step must not be 0'],
    ['eye', () => ops.eye(-1), 'eye: N must be an integer ≥ 0, received -1'],
    ['oneHot', () => ops.oneHot([1], 2.5), 'oneHot: numClasses must be an integer ≥ 0, received 2.5'],
    ['gelu', () => ops.gelu(1, 'exactly' as never), 'gelu: approximate must be true or false'],
    [
      'an element',
      () => tensor([[1, { x: 1 }]] as never),
      'element [0][1] must be a number, received an object (Object)',
    ],
    [
      'objects instead of rows',
      () => tensor([{ x: 1 }] as never),
      'element [0] must be a number, received an object (Object)',
    ],
    [
      'invalid data',
      () => tensor({ data: 'ab', shape: [2] } as never),
      "data must be a typed array or an array of numbers, received the string 'ab'",
    ],
  ])('%s refuses invalid arguments', (_title, call, message) => {
    expect(call).toThrow(message)
    expect(call).toThrow(MyelinError)
  })

  it('bool contains only 0 and 1', () => {
    expect(ops.full([2], 5, 'bool').data).toEqual(Int32Array.of(1, 1))
    expect(ops.pad(tensor([true]), [[1, 0]], 7).data).toEqual(Int32Array.of(1, 1))
    expect(tensor(Int32Array.of(3, 0), undefined, 'bool').data).toEqual(Int32Array.of(1, 0))
  })
})

describe('shapes', () => {
  it('reshape infers one extent', () => {
    expect(ops.reshape(m, [3, -1]).toArray()).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
    ])
    expect(inferShape(6, [-1, 2])).toEqual([3, 2])
    expect(() => ops.reshape(m, [4, -1])).toThrow(ShapeError)
    expect(() => ops.reshape(m, [-1, -1])).toThrow(ShapeError)
    expect(() => ops.reshape(m, [5])).toThrow(ShapeError)
  })

  it('transpose, moveAxis', () => {
    expect(ops.transpose(m).toArray()).toEqual([
      [1, 4],
      [2, 5],
      [3, 6],
    ])
    expect(ops.transpose(ops.zeros([2, 3, 4])).shape).toEqual([4, 3, 2])
    expect(ops.transpose(ops.zeros([2, 3, 4]), [1, 0, -1]).shape).toEqual([3, 2, 4])
    expect(ops.moveAxis(ops.zeros([2, 3, 4]), 0, -1).shape).toEqual([3, 4, 2])
    expect(() => ops.transpose(m, [0, 0])).toThrow(ShapeError)
  })

  it('expandDims, squeeze', () => {
    expect(ops.expandDims([1, 2], 0).shape).toEqual([1, 2])
    expect(ops.expandDims([1, 2], -1).shape).toEqual([2, 1])
    expect(ops.squeeze(ops.zeros([1, 2, 1])).shape).toEqual([2])
    expect(ops.squeeze(ops.zeros([1, 2, 1]), -1).shape).toEqual([1, 2])
    expect(() => ops.squeeze(ops.zeros([1, 2]), 1)).toThrow(/must all be 1/)
  })

  it('slice, split, concatenate, stack, pad, flip', () => {
    expect(ops.slice(m, [0, 1], [-1, 2]).toArray()).toEqual([
      [2, 3],
      [5, 6],
    ])
    expect(() => ops.slice(m, [0, 2], [1, 2])).toThrow(ShapeError)
    expect(ops.split(m, 3, 1).map((part) => part.toArray())).toEqual([
      [[1], [4]],
      [[2], [5]],
      [[3], [6]],
    ])
    expect(() => ops.split(m, 2, 1)).toThrow('3 elements of axis 1 cannot be split into 2 equal parts')
    expect(ops.concatenate([m, [[7], [8]]], -1).toArray()).toEqual([
      [1, 2, 3, 7],
      [4, 5, 6, 8],
    ])
    expect(ops.concatenate([[1], [2, 3]], 0).toArray()).toEqual([1, 2, 3])
    expect(() => ops.concatenate([])).toThrow(ArgumentError)
    expect(() => ops.concatenate([m, [1]])).toThrow(ShapeError)
    expect(
      ops
        .stack(
          [
            [1, 2],
            [3, 4],
          ],
          1,
        )
        .toArray(),
    ).toEqual([
      [1, 3],
      [2, 4],
    ])
    expect(ops.pad([1, 2], [[1, 2]], 9).toArray()).toEqual([9, 1, 2, 9, 9])
    // As numpy.pad broadcasts the widths.
    expect(ops.pad([[1, 2]], [[1, 0]]).toArray()).toEqual([[0, 0, 0], [0, 1, 2]]) // prettier-ignore
    expect(ops.pad([[1, 2]], [[0], [1]]).toArray()).toEqual([[0, 1, 2, 0]])
    expect(ops.pad([[1, 2]], [1]).toArray()).toEqual([[0, 0, 0, 0], [0, 1, 2, 0], [0, 0, 0, 0]]) // prettier-ignore
    expect(ops.flip(m, 1).toArray()).toEqual([
      [3, 2, 1],
      [6, 5, 4],
    ])
    expect(ops.flip(m).toArray()).toEqual([
      [6, 5, 4],
      [3, 2, 1],
    ])
  })

  it('split at indices, unstack', () => {
    expect(ops.split([1, 2, 3, 4, 5], [2, 3]).map((part) => part.toArray())).toEqual([[1, 2], [3], [4, 5]])
    expect(ops.split(m, [0, 3], { axis: 1 }).map((part) => part.shape)).toEqual([
      [2, 0],
      [2, 3],
      [2, 0],
    ])
    expect(ops.split([1, 2], []).length).toBe(1)
    expect(() => ops.split([1, 2], [2, 1])).toThrow('split: the indices must increase from 0 to 2, received [2, 1]')
    expect(() => ops.split([1, 2], [3])).toThrow(ShapeError)
    expect(() => ops.split([1, 2], 0)).toThrow(ArgumentError)
    expect(ops.split(ops.zeros([0, 2]), 3).map((part) => part.shape)).toEqual([
      [0, 2],
      [0, 2],
      [0, 2],
    ])
    expect(ops.unstack(m).map((row) => row.toArray())).toEqual(m)
    expect(ops.unstack(m, 3, 1).map((column) => column.toArray())).toEqual([
      [1, 4],
      [2, 5],
      [3, 6],
    ])
    expect(() => ops.unstack(m, 3)).toThrow('unstack: axis 0 of [2, 3] has 2 slices, not 3')
    expect(ops.stack(ops.unstack(m, null, -1), -1).toArray()).toEqual(m)
    expect(() => ops.stack([[1], [1, 2]])).toThrow('stack: the shapes must be equal, received [1] and [2]')
    expect(ops.concatenate([int(1), [2.5], [true]])).toMatchObject({ dtype: 'float32' })
    expect(ops.concatenate([int(3), [true]]).toArray()).toEqual([3, 1])
  })

  it('repeat, tile, swapAxes', () => {
    expect(ops.repeat(m, 2).toArray()).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6])
    expect(ops.repeat(m, 2, 1).toArray()).toEqual([
      [1, 1, 2, 2, 3, 3],
      [4, 4, 5, 5, 6, 6],
    ])
    expect(ops.repeat(m, [2, 0], 0).toArray()).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ])
    expect(ops.repeat(int(7), 3)).toMatchObject({ dtype: 'int32', shape: [3] })
    expect(ops.repeat(m, 0, 0).shape).toEqual([0, 3])
    expect(() => ops.repeat(m, [1, 2, 3], 0)).toThrow('repeat: axis 0 of [2, 3] needs 2 repeats, received [1, 2, 3]')
    expect(ops.tile([1, 2], 2).toArray()).toEqual([1, 2, 1, 2])
    expect(ops.tile(m, [2, 1]).toArray()).toEqual([...m, ...m])
    expect(ops.tile([1, 2], [2, 2]).toArray()).toEqual([
      [1, 2, 1, 2],
      [1, 2, 1, 2],
    ])
    expect(ops.tile(m, 2).toArray()).toEqual([
      [1, 2, 3, 1, 2, 3],
      [4, 5, 6, 4, 5, 6],
    ])
    expect(grad((x) => ops.sum(ops.multiply(ops.tile(x, 2), [1, 2, 3, 4])))([1, 1]).toArray()).toEqual([4, 6])
    expect(grad((x) => ops.sum(ops.multiply(ops.repeat(x, 2), [1, 2, 3, 4])))([1, 1]).toArray()).toEqual([3, 7])
    expect(ops.swapAxes(ops.zeros([2, 3, 4]), 0, -1).shape).toEqual([4, 3, 2])
  })

  it('cumsum', () => {
    expect(ops.cumsum([1, 2, 3, 4, 5]).toArray()).toEqual([1, 3, 6, 10, 15])
    expect(ops.cumsum(m).toArray()).toEqual([1, 3, 6, 10, 15, 21])
    expect(ops.cumsum(m, 0).toArray()).toEqual([
      [1, 2, 3],
      [5, 7, 9],
    ])
    expect(ops.cumsum(m, { axis: -1 }).toArray()).toEqual([
      [1, 3, 6],
      [4, 9, 15],
    ])
    expect(ops.cumsum(int(2147483647, 1)).toArray()).toEqual([2147483647, -2147483648])
    expect(ops.cumsum([[true, true]], 1).toArray()).toEqual([[1, 2]])
    expect(ops.cumsum(ops.zeros([0]))).toMatchObject({ shape: [0] })
    expect(grad((x) => ops.sum(ops.multiply(ops.cumsum(x), [1, 10, 100])))([1, 1, 1]).toArray()).toEqual([
      111, 110, 100,
    ])
  })

  it('take and scatterAdd', () => {
    expect(ops.take([10, 20, 30], [2, 0, 2]).toArray()).toEqual([30, 10, 30])
    expect(ops.take(m, int(1), 1).toArray()).toEqual([[2], [5]])
    expect(
      ops.take(
        m,
        [
          [0, 1],
          [1, 0],
        ],
        0,
      ).shape,
    ).toEqual([2, 2, 3])
    expect(grad((x) => ops.sum(ops.take(x, [2, 0, 2])))([1, 1, 1]).toArray()).toEqual([1, 0, 2])
    expect(ops.scatterAdd([1, 2, 3], [0, 2, 0], 4).toArray()).toEqual([4, 0, 2, 0])
  })

  it('oneHot', () => {
    expect(ops.oneHot([0, 2], 3).toArray()).toEqual([
      [1, 0, 0],
      [0, 0, 1],
    ])
    expect(ops.oneHot(int(1), 2).toArray()).toEqual([[0, 1]])
    // As in Keras, an index that is not a class gives zeros; 80 classes are written in another way.
    const wrong = tensor([-1, 80, 0.5, NaN, Infinity, -1e10])
    for (const classes of [3, 80])
      for (const dtype of ['float32', 'int32', 'bool'] as const) {
        const rows = [
          ops.oneHot(wrong, classes, -1, dtype),
          jit((x: Tensor) => ops.oneHot(x, classes, -1, dtype))(wrong),
        ]
        for (const each of rows) expect(each.data.every((x) => x === 0)).toBe(true)
        expect(ops.oneHot(int(-1, 2), classes).toArray()).toEqual(
          jit((x: Tensor) => ops.oneHot(x, classes))(int(-1, 2)).toArray(),
        )
      }
  })

  it('full, zeros, ones, …Like, arange, eye', () => {
    expect(ops.full([2], 3, 'int32').toArray()).toEqual([3, 3])
    expect(ops.zeros([2, 0]).size).toBe(0)
    expect(ops.ones([1, 2]).toArray()).toEqual([[1, 1]])
    expect(ops.zerosLike(int(5)).dtype).toBe('int32')
    expect(ops.onesLike(m).toArray()).toEqual([
      [1, 1, 1],
      [1, 1, 1],
    ])
    expect(ops.arange(3).toArray()).toEqual([0, 1, 2])
    expect(ops.arange(2, 8, 2, 'int32').toArray()).toEqual([2, 4, 6])
    expect(ops.arange(3, 0, -1).toArray()).toEqual([3, 2, 1])
    expect(ops.eye(2).toArray()).toEqual([
      [1, 0],
      [0, 1],
    ])
  })
})

describe('matmul', () => {
  it.each<[TensorLike, TensorLike, unknown]>([
    [m, [[1], [1], [1]], [[6], [15]]],
    [m, [1, 1, 1], [6, 15]],
    [[1, 1], m, [5, 7, 9]],
    [[1, 2], [3, 4], 11],
    [
      [[[1, 2]], [[3, 4]]],
      [[1], [10]],
      [[[21]], [[43]]],
    ],
  ])('%j · %j', (a, b, expected) => {
    expect(ops.matmul(a, b).toArray()).toEqual(expected)
  })

  it('broadcasts leading axes', () => {
    expect(ops.matmul(ops.ones([5, 1, 2, 3]), ops.ones([4, 3, 6])).shape).toEqual([5, 4, 2, 6])
  })

  it('refuses incompatible shapes', () => {
    expect(() => ops.matmul(m, m)).toThrow(/matmul.*\[2, 3\].*\[2, 3\]/)
    expect(() => ops.matmul(2, m)).toThrow('a scalar is not a matrix')
  })
})

describe('Variable', () => {
  it('starts with zeros or a tensor, and accepts only its shape', () => {
    expect(new Variable([2]).value.toArray()).toEqual([0, 0])
    const variable = new Variable(tensor(m), { name: 'v' })
    variable.assign(ops.ones([2, 3]))
    expect(variable.value.toArray()).toEqual([
      [1, 1, 1],
      [1, 1, 1],
    ])
    expect(() => variable.assign(ops.ones([3, 2]))).toThrow(
      'v: the new value must be float32 [2, 3], received float32 [3, 2]',
    )
    expect(variable.value.toArray()).toEqual([
      [1, 1, 1],
      [1, 1, 1],
    ])
  })

  it('gives copies', () => {
    const variable = new Variable(tensor([1, 2]))
    const before = variable.value
    variable.assign(tensor([3, 4]))
    expect(before.toArray()).toEqual([1, 2])
  })

  it('acts as its value in ops', () => {
    const variable = new Variable(tensor([1, 2]))
    expect(ops.add(variable, 1).toArray()).toEqual([2, 3])
  })
})
