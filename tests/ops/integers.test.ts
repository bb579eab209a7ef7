// Operations on bits, and divisors, compared with JavaScript's operators on many int32.

import { describe, expect, it } from 'vitest'
import { ArgumentError, Input, Model, jit, ops, tensor, type Tensor } from '../../src'

const LEAST = -(2 ** 31)
const MOST = 2 ** 31 - 1
const EDGES = [0, 1, -1, 2, -2, 31, 32, -32, 65535, 65536, MOST, LEAST, LEAST + 1, MOST - 1, 0x55555555, -0x55555556]

/** All pairs of edges, then numbers of every magnitude, in a fixed order. */
function pairs(): [Int32Array, Int32Array] {
  let state = 1
  const random = (): number => (state = (Math.imul(state, 1664525) + 1013904223) | 0)
  const next = (): number => random() >> (random() >>> 27)
  const all = EDGES.flatMap((a) => EDGES.map((b) => [a, b] as const))
  for (let i = 0; i < 4099; i++) all.push([next(), next()])
  return [Int32Array.from(all, ([a]) => a), Int32Array.from(all, ([, b]) => b)]
}

const [a, b] = pairs()
const [x, y] = [tensor(a), tensor(b)]
const expected = (of: (a: number, b: number) => number): number[] => [...a].map((each, i) => of(each, b[i]!) | 0)

const isPlace = (places: number): boolean => places >= 0 && places < 32

describe('bits of int32', () => {
  it.each<[string, (a: Tensor, b: Tensor) => Tensor, (a: number, b: number) => number]>([
    ['bitwiseAnd', ops.bitwiseAnd, (a, b) => a & b],
    ['bitwiseOr', ops.bitwiseOr, (a, b) => a | b],
    ['bitwiseXor', ops.bitwiseXor, (a, b) => a ^ b],
    ['bitwiseNot', ops.bitwiseNot, (a) => ~a],
    ['leftShift', ops.leftShift, (a, b) => (isPlace(b) ? a << b : 0)],
    ['rightShift', ops.rightShift, (a, b) => a >> (isPlace(b) ? b : 31)],
  ])('%s', (name, op, of) => {
    const wanted = expected(of)
    const call = (a: Tensor, b: Tensor): Tensor => (name === 'bitwiseNot' ? ops.bitwiseNot(a) : op(a, b))
    expect([...call(x, y).data]).toEqual(wanted)
    expect([...jit(call)(x, y).data]).toEqual(wanted)
  })

  it.each([0, 1, 5, 30, 31, 32, 40, -1])('shifts by the number %i', (places) => {
    expect([...ops.leftShift(x, places).data]).toEqual([...a].map((each) => (isPlace(places) ? each << places : 0)))
    expect([...ops.rightShift(x, places).data]).toEqual([...a].map((each) => each >> (isPlace(places) ? places : 31)))
  })

  it('broadcast, take views, and keep their shape when empty', () => {
    const matrix = tensor(Int32Array.of(1, 2, 3, 4, 5, 6), [2, 3])
    const found = jit((m: Tensor) => ops.bitwiseAnd(ops.transpose(m), tensor(Int32Array.of(6, 1))))(matrix)
    expect(found.toArray()).toEqual([
      [1 & 6, 4 & 1],
      [2 & 6, 5 & 1],
      [3 & 6, 6 & 1],
    ])
    expect(ops.leftShift(tensor(new Int32Array(0), [0, 2]), [1, 2]).shape).toEqual([0, 2])
  })

  it('numbers and arrays of numbers are int32, without a loss', () => {
    expect(ops.bitwiseAnd(16777217, MOST).toArray()).toBe(16777217)
    expect(ops.bitwiseOr([16777217, LEAST], 0).toArray()).toEqual([16777217, LEAST])
    expect(ops.bitwiseXor([true, false], true).dtype).toBe('bool')
  })

  it.each([1.5, 2 ** 31, NaN, [1, 0.5], [[Infinity]]])('reject %j', (wrong) => {
    expect(() => ops.bitwiseAnd(wrong, 1)).toThrow(ArgumentError)
    expect(() => ops.gcd(1, wrong)).toThrow(/gcd: expected 32-bit integers/)
  })

  it('reject float32', () => {
    expect(() => ops.leftShift(tensor([1, 2]), 1)).toThrow(/leftShift: expected int32 or bool, received float32/)
    expect(() => ops.lcm(tensor([1, 2]), 1)).toThrow(/lcm: expected int32 or bool/)
  })

  it('are recorded in a functional model', () => {
    const input = Input({ shape: [2], dtype: 'int32' })
    const model = new Model({ inputs: input, outputs: ops.bitwiseXor(input, 5) })
    expect(model.predictOnBatch(tensor(Int32Array.of(1, 4), [1, 2])).toArray()).toEqual([[4, 1]])
  })
})

function divisorOf(a: number, b: number): number {
  let [p, q] = [Math.abs(a), Math.abs(b)]
  while (q > 0) [p, q] = [q, p % q]
  return p
}

describe('divisors of int32', () => {
  it('gcd, also of −2³¹, whose magnitude wraps', () => {
    expect([...ops.gcd(x, y).data]).toEqual(expected(divisorOf))
  })

  it('lcm, which wraps', () => {
    const wanted = expected((a, b) => {
      const divisor = divisorOf(a, b)
      return divisor === 0
        ? 0
        : Number(BigInt.asIntN(32, (BigInt(Math.abs(a)) * BigInt(Math.abs(b))) / BigInt(divisor)))
    })
    expect([...ops.lcm(x, y).data]).toEqual(wanted)
  })

  it('gcd of the pairs that need the most steps', () => {
    // Pell's numbers with the remainder nearest to 0, Fibonacci's with the least one.
    for (const factor of [1, 2]) {
      let [p, q] = [0, 1]
      while (q <= MOST) {
        expect(ops.gcd(p, q).toArray(), `gcd(${p}, ${q})`).toBe(divisorOf(p, q))
        expect(ops.gcd(LEAST, q).toArray(), `gcd(−2³¹, ${q})`).toBe(divisorOf(LEAST, q))
        ;[p, q] = [q, factor * q + p]
      }
    }
  })

  it('gcd(a, 0) is |a|, and that of −2³¹ wraps', () => {
    expect(ops.gcd([5, -5, 0, LEAST, LEAST], [0, 0, 0, 0, LEAST]).toArray()).toEqual([5, 5, 0, LEAST, LEAST])
    expect(ops.gcd(true, 4).toArray()).toBe(1)
  })
})

describe('ops keep whole numbers', () => {
  const whole = (...values: number[]) => tensor(Int32Array.from(values))
  const of = (x: Tensor) => [x.dtype, ...x.data]

  it('relu, nanToNum and powers of int32 are int32, also in a traced function', () => {
    for (const call of [(f: (x: Tensor) => Tensor) => f, (f: (x: Tensor) => Tensor) => jit(f)]) {
      expect(of(call(ops.relu)(whole(-3, 0, MOST)))).toEqual(['int32', 0, 0, MOST])
      expect(of(call((x) => ops.nanToNum(x, { nan: 7 }))(whole(LEAST, 3)))).toEqual(['int32', LEAST, 3])
      expect(of(call((x) => ops.power(x, 19))(whole(3, -3, 0)))).toEqual(['int32', 1162261467, -1162261467, 0])
      expect(of(call((x) => ops.power(x, 0))(whole(3, 0)))).toEqual(['int32', 1, 1])
    }
    expect(of(ops.relu(tensor([true, false])))).toEqual(['int32', 1, 0])
    expect(of(ops.nanToNum(tensor([true, false])))).toEqual(['bool', 1, 0])
    expect(of(ops.power(whole(2, -1, 1, 0), -1))).toEqual(['int32', 0, -1, 1, 0])
    expect(of(ops.power(whole(3, -7, 2), whole(40, 11, 31)))).toEqual(['int32', 689956897, -1977326743, LEAST])
    expect(of(ops.power(whole(3), 40))).toEqual(['int32', 689956897])
    expect(() => ops.nanToNum(whole(1), { nanny: 1 } as never)).toThrow("Unknown argument of ops.nanToNum 'nanny'")
  })
})
