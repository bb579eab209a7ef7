// Sums and products of thousands to millions of elements: the error must not grow with their number.

import { afterAll, describe, expect, inject, it } from 'vitest'
import { jit, ops, tensor, type TensorLike } from '../../src'
import { generator } from '../helpers/data'

const N = 4_000_000
/** The interpreter adds up in float64, and slowly. */
const LONGEST = inject('mode') === 'interpreter' ? N / 10 : N
const TENTH = Math.fround(0.1)
const random = generator(3)
/** Equal numbers, whose rounding errors all have the same sign, and random ones. */
let tenths = new Float32Array(N).fill(0.1)
let ones = new Float32Array(N).fill(1)
let positive = new Float32Array(200_000).map(random)
afterAll(() => {
  tenths = ones = positive = new Float32Array()
})

function expectRelative(received: ArrayLike<number>, expected: (i: number) => number, where = ''): void {
  let worst = 0
  for (let i = 0; i < received.length; i++) worst = Math.max(worst, Math.abs(received[i]! / expected(i) - 1))
  expect(worst, where).toBeLessThanOrEqual(1e-5)
}

it('dot and sum of millions of numbers', () => {
  const [tenth, one] = [tensor(tenths.subarray(0, LONGEST)), tensor(ones.subarray(0, LONGEST))]
  const results = [ops.dot(one, tenth), ops.sum(tenth)]
  expectRelative(
    results.map((x) => x.item() as number),
    () => LONGEST * TENTH,
  )
})

it('vdot, einsum, norm, mean and variance of 200 000 numbers', () => {
  const squares = positive.reduce((total, x) => total + x * x, 0)
  const total = positive.reduce((sum, x) => sum + x, 0)
  const x = tensor(positive)
  const results = [ops.vdot(x, x), ops.einsum('i,i->', x, x), ops.square(ops.norm(x))]
  expectRelative(
    results.map((each) => each.item() as number),
    () => squares,
  )
  const spread = squares / positive.length - (total / positive.length) ** 2
  expectRelative([ops.variance(x).item() as number], () => spread)
  expectRelative([ops.mean(x).item() as number], () => total / positive.length)
})

// Every path of the product: vectors, few rows, tiles, packed panels, transposed operands. 40 000 has two groups of slices.
const SHAPES: readonly [m: number, k: number, n: number][] = [
  [1, 100_000, 1],
  [1, 40_000, 40],
  [40, 40_000, 1],
  [3, 40_000, 10],
  [2, 40_003, 3],
  [8, 40_000, 11],
  [24, 6011, 64],
  [41, 6000, 20],
]

it.each(SHAPES)('[%d, %d] · [.., %d], each operand also transposed', (m, k, n) => {
  const take = (source: Float32Array, shape: number[]): TensorLike =>
    tensor(source.subarray(0, shape[0]! * shape[1]!), shape)
  const lhs = [take(tenths, [m, k]), ops.transpose(take(tenths, [k, m]))]
  const rhs = [take(ones, [k, n]), ops.transpose(take(ones, [n, k]))]
  for (const [i, a] of lhs.entries()) {
    for (const [j, b] of rhs.entries()) {
      // traced, so that the kernel reads the transposed operand with its strides
      const product = jit((x, y) => ops.matmul(x, y))
      expectRelative(product(a as never, b as never).data, () => k * TENTH, `${i} ${j}`)
    }
  }
})

/** Σ of the products of row i and column j, in float64. */
function productOf(a: Float32Array, b: Float32Array, [m, k, n]: readonly [number, number, number]) {
  return (i: number): number => {
    const [matrix, row, column] = [Math.floor(i / (m * n)), Math.floor(i / n) % m, i % n]
    let sum = 0
    for (let p = 0; p < k; p++) sum += a[(matrix * m + row) * k + p]! * b[(matrix * k + p) * n + column]!
    return sum
  }
}

it.each([4096, 4097, 4608, 5001])('different rows and columns, in a batch: k = %d', (k) => {
  const [batch, m, n] = [2, 3, 5]
  const [a, b] = [positive.subarray(0, batch * m * k), positive.subarray(7, 7 + batch * k * n)]
  const received = ops.matmul(tensor(a, [batch, m, k]), tensor(b, [batch, k, n])).data
  expectRelative(received, productOf(a, b, [m, k, n]), `k = ${k}`)
})

describe('with a bias and an activation', () => {
  const [m, k, n] = [6, 5000, 9]
  const [a, b] = [positive.subarray(0, m * k), positive.subarray(0, k * n).map((x) => (x - 0.5) / 40)]
  const sums = Array.from({ length: m * n }, (_, i) => productOf(a, b, [m, k, n])(i))
  const [row, whole] = [positive.subarray(0, n), positive.subarray(50, 50 + m * n)]
  const activations = { relu: (x: number) => Math.max(x, 0), tanh: Math.tanh, linear: (x: number) => x } as const
  it.each(['relu', 'tanh', 'linear'] as const)('%s', (name) => {
    for (const [bias, at] of [
      [tensor(row), (i: number) => row[i % n]!],
      [tensor(whole, [m, n]), (i: number) => whole[i]!],
    ] as const) {
      const layer = jit((x, y, z) => ops[name](ops.add(ops.matmul(x, y), z)))
      const received = layer(tensor(a, [m, k]), tensor(b, [k, n]), bias).data
      for (const [i, sum] of sums.entries())
        expect(Math.abs(received[i]! - activations[name](sum + at(i))), `${i}`).toBeLessThanOrEqual(2e-5)
    }
  })
})

it('infinities and NaN of a long product are kept', () => {
  const k = 5000
  const row = (value: number): number[] => Array.from({ length: k }, (_, i) => (i === 600 ? value : 1))
  const received = ops.matmul([row(Infinity), row(-Infinity), row(NaN), row(1)], ops.ones([k, 2]))
  expect(received.toArray()).toEqual([
    [Infinity, Infinity],
    [-Infinity, -Infinity],
    [NaN, NaN],
    [k, k],
  ])
})

it('a product with an empty operand is empty', () => {
  expect(ops.matmul(ops.zeros([0, 5000]), ops.zeros([5000, 3])).shape).toEqual([0, 3])
})
