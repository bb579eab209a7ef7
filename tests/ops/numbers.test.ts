// Numeric ops at values where float32 is delicate, with operands that the fixtures of Keras cannot express, and their errors.
import { describe, expect, it } from 'vitest'
import {
  ArgumentError,
  DataError,
  Input,
  Model,
  ShapeError,
  StateError,
  grad,
  jit,
  ops,
  tensor,
  type Tensor,
} from '../../src'
import { generator } from '../helpers/data'

const int = (...values: number[]): Tensor => tensor(Int32Array.from(values))
const arrays = (tensors: readonly Tensor[]): unknown[] => tensors.map((each) => each.toArray())

/** Numbers of both signs and of all magnitudes that float32 has. */
function numbers(count: number, seed: number): Float32Array {
  const random = generator(seed)
  const bits = Uint32Array.from({ length: count }, () => Math.floor(random() * 2 ** 32))
  return new Float32Array(bits.buffer).map((x) => (Number.isFinite(x) ? x : 1))
}

/** The float32 whose bits are one step further from 0 or closer to it. */
function neighbour(x: number, step: number): number {
  const [value, bits] = [Float32Array.of(x), 0]
  const whole = new Int32Array(value.buffer)
  whole[bits] = whole[bits]! + step
  return value[0]!
}

describe('nextafter', () => {
  it('is the neighbour in the bits, for all magnitudes', () => {
    const x = numbers(4000, 3)
    const powers = Float32Array.from({ length: 277 }, (_, i) => 2 ** (i - 149))
    for (const from of [x, powers, powers.map((each) => -each)]) {
      const [up, down] = [Infinity, -Infinity].map((to) => ops.nextafter(from, to).data)
      from.forEach((each, i) => {
        if (each === 0) return
        expect(up![i], `after ${each}`).toBe(neighbour(each, each > 0 ? 1 : -1))
        expect(down![i], `before ${each}`).toBe(neighbour(each, each > 0 ? -1 : 1))
      })
    }
  })

  it('at zeros, infinities and equal operands', () => {
    const pairs: [number, number, number][] = [
      [0, 1, 2 ** -149],
      [-0, 1, 2 ** -149],
      [0, -1, -(2 ** -149)],
      [0, -0, -0],
      [2 ** -149, 0, 0],
      [-(2 ** -149), 1, -0],
      [Infinity, 0, 3.4028234663852886e38],
      [-Infinity, Infinity, -3.4028234663852886e38],
      [Infinity, Infinity, Infinity],
      [3.4028234663852886e38, Infinity, Infinity],
      [NaN, 1, NaN],
      [1, NaN, NaN],
    ]
    for (const [a, b, expected] of pairs) expect(ops.nextafter(a, b).item(), `${a} to ${b}`).toBe(expected)
  })
})

describe('ldexp', () => {
  it('rounds once, also where the result is denormal', () => {
    const x = numbers(2000, 5)
    const random = generator(6)
    const n = Int32Array.from(x, () => Math.floor(600 * random()) - 300)
    const received = ops.ldexp(x, n).data
    // Both factors are exact in float64, and so are the products, before Float32Array rounds them.
    const expected = x.map((each, i) => each * 2 ** Math.trunc(n[i]! / 2) * 2 ** (n[i]! - Math.trunc(n[i]! / 2)))
    x.forEach((each, i) => expect(received[i], `${each} · 2^${n[i]}`).toBe(expected[i]))
    expect(ops.ldexp([1, -1, 0], int(-(2 ** 31), 2 ** 31 - 1, 5)).toArray()).toEqual([0, -Infinity, 0])
  })

  it('takes integers only', () => {
    expect(ops.ldexp(0.75, [4, 5]).toArray()).toEqual([12, 24])
    expect(() => ops.ldexp(1, 0.5)).toThrow(DataError)
    expect(() => ops.ldexp(1, true)).toThrow(ArgumentError)
    expect(() => jit((n: Tensor) => ops.ldexp(1, n))(tensor([1]))).toThrow(ArgumentError)
    expect(jit((n: Tensor) => ops.ldexp(1, n))(int(3)).toArray()).toEqual([8])
  })
})

describe('fmod', () => {
  it('is exact: JavaScript’s remainder', () => {
    const [a, b] = [numbers(3000, 7), numbers(3000, 8)]
    const received = ops.fmod(a, b).data
    a.forEach((each, i) => expect(received[i], `${each} % ${b[i]}`).toBe(Math.fround(each % b[i]!)))
  })

  it('of all pairs of extreme int32', () => {
    const extremes = [-(2 ** 31), -7, -3, -1, 0, 1, 3, 7, 2 ** 31 - 1]
    const pairs = extremes.flatMap((a) => extremes.map((b): [number, number] => [a, b]))
    const received = ops.fmod(int(...pairs.map(([a]) => a)), int(...pairs.map(([, b]) => b)))
    expect(received.dtype).toBe('int32')
    expect(received.toArray()).toEqual(pairs.map(([a, b]) => (b === 0 ? 0 : (a % b) + 0)))
  })
})

describe('erfc and i0', () => {
  it('erfc has the gradient of −erf, of both orders', () => {
    const x = tensor([-12, -3, -0.5, 0, 0.5, 3, 12])
    const slope = (op: typeof ops.erf) => grad((value: Tensor) => ops.sum(op(value)))
    const curve = (op: typeof ops.erf) => grad((value: Tensor) => ops.sum(slope(op)(value)))
    expect(slope(ops.erfc)(x).toArray()).toEqual(ops.negative(slope(ops.erf)(x)).toArray())
    expect(curve(ops.erfc)(x).toArray()).toEqual(ops.negative(curve(ops.erf)(x)).toArray())
  })

  it('i0 is finite for all results that float32 can represent', () => {
    expect(ops.i0(91.8).item() / 1e38).toBeCloseTo(3.1, 0)
    expect(ops.i0([93, -Infinity]).toArray()).toEqual([Infinity, Infinity])
  })
})

describe('reductions that skip NaN', () => {
  it('are NaN where the mean is infinite, as in Keras', () => {
    const x = [1, Infinity, NaN]
    expect(ops.nanmean(x).item()).toBe(Infinity)
    expect([ops.nanvar(x), ops.nanstd(x), ops.nanvar([1, -Infinity])].map((each) => each.item())).toEqual([
      NaN,
      NaN,
      NaN,
    ])
    expect(ops.nanvar([1, 3, NaN]).item()).toBe(1)
  })
})

describe('select', () => {
  it('takes the first choice whose condition is true', () => {
    const [a, b] = [tensor([true, false, true]), tensor([true, true, false])]
    expect(ops.select([a, b], [int(1, 2, 3), int(4, 5, 6)]).toArray()).toEqual([1, 5, 3])
    expect(ops.select([b, a], [int(1, 2, 3), int(4, 5, 6)]).toArray()).toEqual([1, 2, 6])
    expect(ops.select([ops.logicalAnd(a, b)], [int(1, 2, 3)], -7).toArray()).toEqual([1, -7, -7])
  })

  it('broadcasts, and converts to the highest dtype', () => {
    const row = tensor([true, false])
    const column = tensor([[true], [false]])
    const both = ops.select([row, column], [int(1), [[0.5], [0.25]]], 9)
    expect([both.dtype, both.toArray()]).toEqual([
      'float32',
      [
        [1, 0.5],
        [1, 9],
      ],
    ])
    expect(ops.select([row], [row]).dtype).toBe('int32')
    expect(ops.select([row], [row], false).dtype).toBe('bool')
    expect(ops.select([row], [int(1)], 0.5).dtype).toBe('float32')
  })

  it('has the gradient of the choices that it takes', () => {
    const slope = grad((x: Tensor, y: Tensor) => ops.sum(ops.select([ops.less(x, 0)], [ops.multiply(x, 2)], y)), {
      argnums: [0, 1],
    })
    expect(arrays(slope(tensor([-1, 3]), tensor([5, 6])))).toEqual([
      [2, 0],
      [0, 1],
    ])
  })

  it('rejects lists of different lengths', () => {
    expect(() => ops.select([[true]], [])).toThrow(ArgumentError)
    expect(() => ops.select([], [])).toThrow(ArgumentError)
  })
})

describe('results whose shape depends on data', () => {
  const x = tensor([3, 1, 0, 1])

  it('need data in nonzero', () => {
    expect(arrays(ops.nonzero(x))).toEqual([[0, 1, 3]])
    expect(() => jit((value: Tensor) => ops.nonzero(value)[0]!)(x)).toThrow(StateError)
    expect(() => ops.nonzero(5)).toThrow(ShapeError)
    expect(ops.where(x).map((each) => each.toArray())).toEqual(arrays(ops.nonzero(x)))
    expect(ops.where(x, null, null)).toHaveLength(1)
    expect(() => ops.where(x, 1 as never)).toThrow(/both x1 and x2, or neither/)
  })

  it('need size in unique of a traced function', () => {
    expect(() => jit((value: Tensor) => ops.unique(value))(x)).toThrow(/size/)
    const sized = jit((value: Tensor) => ops.unique(value, { size: 4, fillValue: -1, returnCounts: true }))
    expect(arrays(sized(x))).toEqual([
      [0, 1, 3, -1],
      [1, 2, 1, 0],
    ])
    expect(arrays(sized(tensor([7, 7, 7, 7])))).toEqual([
      [7, -1, -1, -1],
      [4, 0, 0, 0],
    ])
  })

  it('unique of many elements', () => {
    const random = generator(9)
    const data = Float32Array.from({ length: 3000 }, () => Math.floor(50 * random()))
    const [values, first, inverse, counts] = ops.unique(data, true, true, true, true) as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
    ]
    const expected = [...new Set(data)].sort((a, b) => a - b)
    expect(values.toArray()).toEqual(expected)
    expect(first.toArray()).toEqual(expected.map((each) => data.indexOf(each)))
    expect(ops.take(values, inverse).toArray()).toEqual([...data])
    expect(counts.toArray()).toEqual(expected.map((each) => data.filter((other) => other === each).length))
  })

  it('unique rows that differ in late columns only', () => {
    const rows = [1, 0, 2, 1].map((last) => [...new Array<number>(36).fill(4), last])
    const [values, inverse] = ops.unique(rows, { axis: 0, returnInverse: true })
    expect(values!.toArray()).toEqual([rows[1], rows[0], rows[2]])
    expect(inverse!.toArray()).toEqual([1, 0, 2, 1])
  })

  it('rejects a size for no elements without a fillValue', () => {
    expect(() => ops.unique([], { size: 2 })).toThrow(ShapeError)
  })
})

describe('argpartition', () => {
  it('separates smaller from larger elements', () => {
    const x = tensor([5, 2, 9, 2, 7, 1])
    for (const kth of [0, 2, 5, -1, -4]) {
      const order = ops.argpartition(x, kth).toArray() as number[]
      const [values, at] = [order.map((i) => x.data[i]!), (kth + 6) % 6]
      values.forEach((value, i) => expect(i < at ? value <= values[at]! : value >= values[at]!).toBe(true))
    }
    expect(
      ops
        .argpartition(
          [
            [3, 1],
            [2, 0],
          ],
          1,
          null,
        )
        .toArray(),
    ).toEqual([3, 1, 2, 0])
    expect(() => ops.argpartition(x, 6)).toThrow(/kth/)
  })
})

describe('complex numbers', () => {
  const z = { real: [3, -1, 0], imag: [4, 0, -2] }

  it('have parts', () => {
    expect(ops.conjugate(z).imag.data).toEqual(ops.conj(z).imag.data)
    expect(arrays([ops.real(z), ops.imag(z), ops.conj(z).imag, ops.isreal(z)])).toEqual([
      [3, -1, 0],
      [4, 0, -2],
      [-4, -0, 2],
      [false, true, false],
    ])
    expect(arrays([ops.conjugate(z).real, ops.conjugate(z).imag])).toEqual([
      [3, -1, 0],
      [-4, -0, 2],
    ])
    expect(
      ops
        .angle(z)
        .toArray()
        .map((each) => each.toFixed(4)),
    ).toEqual(['0.9273', '3.1416', '-1.5708'])
  })

  it('are pairs of real numbers', () => {
    const pairs = ops.viewAsReal(z)
    expect(pairs.shape).toEqual([3, 2])
    const back = ops.viewAsComplex(pairs)
    expect(arrays([back.real, back.imag])).toEqual([z.real, z.imag])
    expect(() => ops.viewAsComplex([1, 2, 3])).toThrow(ShapeError)
    expect(() => ops.viewAsComplex(1)).toThrow(ShapeError)
  })
})

describe('errors', () => {
  it('name the op and what was received', () => {
    expect(() => ops.nanmax(ops.zeros([2, 0]), 1)).toThrow(/nanmax.*\[2, 0\]/)
    expect(() => ops.nanargmin(ops.zeros([0]))).toThrow(/nanargmin/)
    expect(() => ops.nansum([1], 3)).toThrow(/nansum/)
    expect(() => ops.nancumsum([1], { axis: 0, keepDims: true } as never)).toThrow(/nancumsum.*keepDims/)
    expect(() => ops.percentile([1], 101)).toThrow(/percentile: q must be in 0 … 100/)
    expect(() => ops.corrcoef(ops.zeros([2, 2, 2]))).toThrow(ShapeError)
    expect(() => ops.correlate([[1]], [1])).toThrow(ShapeError)
    expect(() => ops.correlate([1], [1], 'half' as never)).toThrow(/valid/)
    expect(() => ops.cdist([1, 2], [[1, 2]])).toThrow(ShapeError)
    expect(() => ops.cdist([[1, 2, 3]], [[1, 2]])).toThrow(ShapeError)
    expect(() => ops.trapezoid([])).toThrow(ShapeError)
    expect(() => ops.trapezoid([1, 2], { dx: 1, spacing: 2 } as never)).toThrow(/spacing/)
    expect(() => ops.inTopK([5], [[1, 2]], 1)).toThrow(DataError)
    expect(() => ops.unravelIndex([0], [0])).toThrow(ShapeError)
  })

  it('trapezoid takes options by name', () => {
    expect(ops.trapezoid([1, 2, 3], { dx: 0.5 }).item()).toBe(2)
    expect(ops.trapezoid([[1], [2]], { x: [0, 4], axis: 0 }).toArray()).toEqual([6])
  })
})

describe('symbols of functional models', () => {
  it('record these ops', async () => {
    const x = Input({ shape: [4] })
    // NaN where x is 0
    const sign = ops.divide(x, ops.abs(x))
    const outputs = [
      ops.nanmean(sign, 1, true),
      ops.nanmedian(sign, 1),
      ops.select([ops.less(x, 0), ops.less(x, 1)], [ops.negative(x), ops.multiply(x, 2)], 7),
      ops.getItem(sign, [':', '1:3']),
      ops.heaviside(x, 0.5),
    ]
    const given = [
      [1, 4, -2, 0.5],
      [1, 0, 3, -1],
    ]
    const results = (await new Model({ inputs: x, outputs }).predict(tensor(given))) as Tensor[]
    expect(arrays(results)).toEqual([
      [[0.5], [Math.fround(1 / 3)]],
      [1, 1],
      [
        [7, 7, 2, 1],
        [7, 0, 7, 1],
      ],
      [
        [1, -1],
        [NaN, 1],
      ],
      [
        [1, 1, 0, 1],
        [1, 0.5, 1, 0],
      ],
    ])
    expect(() => ops.unique(x)).toThrow(/size/)
    expect(() => ops.nonzero(x)).toThrow(/nonzero/)
  })
})
