// Control flow and transformations of functions compared with Keras on JAX: results, gradients, and gradients of
// gradients, eager and in a compiled function. golden/control.py has the same functions under the same names.

import { describe, expect, it } from 'vitest'
import { jit, jvp, ops, tensor, type Tensor } from '../../src'
import { flatten } from '../../src/core/tree'
import type { ControlFile } from '../golden/format'
import { readFixture } from '../helpers/golden'
import { expectCase, toTensor } from '../helpers/op-cases'

type Results = Tensor | readonly Results[] | { readonly [name: string]: Results }
type Compared = (...inputs: Tensor[]) => Results

const { add, multiply, subtract, square, sum, exp, sin, tanh, matmul, transpose } = ops
const int = (x: number): Tensor => tensor(x, [], 'int32')
const first = (x: Tensor, i = 0): Tensor => ops.reshape(ops.slice(ops.reshape(x, [x.size]), [i], [1]), [])

const grow =
  (most: number | null): Compared =>
  (x) =>
    ops.whileLoop(
      (_, y) => ops.less(sum(ops.abs(y)), 50),
      (i, y) => [add(i, int(1)), add(multiply(y, 1.7), 1)] as const,
      [int(0), x] as const,
      most,
    )

const branches: Record<string, Compared> = {
  'cond True': (x, y) =>
    ops.cond(
      true,
      () => multiply(x, y),
      () => add(exp(x), y),
    ),
  'cond False': (x, y) =>
    ops.cond(
      false,
      () => multiply(x, y),
      () => add(exp(x), y),
    ),
  'cond of the sum': (x) =>
    ops.cond(
      ops.greater(sum(x), 0),
      () => ops.log(x),
      () => multiply(multiply(3, x), x),
    ),
  'cond of trees': (x, y) =>
    ops.cond(
      ops.less(first(x), first(y)),
      () => [sin(x), matmul(x, y)],
      () => [y, sum(multiply(x, x))],
    ),
  'cond in cond': (x) =>
    ops.cond(
      ops.greater(first(x), 0),
      () =>
        ops.cond(
          ops.greater(first(x, 1), 0),
          () => multiply(x, x),
          () => tanh(x),
        ),
      () => exp(x),
    ),
  switch: (i, x, y) =>
    ops.switch(
      i,
      [
        (a: Tensor, b: Tensor) => multiply(a, b),
        (a: Tensor, b: Tensor) => subtract(sin(a), b),
        (a: Tensor, b: Tensor) => exp(multiply(a, b)),
      ],
      x,
      y,
    ),
}

const scans: Record<string, Compared> = {
  'associativeScan matmul': (m) => ops.associativeScan(matmul, m),
  'associativeScan maximum of int32': (n) => ops.associativeScan(ops.maximum, n),
}
for (const [word, reverse] of [
  ['forward', false],
  ['reverse', true],
] as const) {
  scans[`associativeScan add ${word}`] = (x) => ops.associativeScan(add, x, reverse)
  scans[`associativeScan multiply ${word} axis 1`] = (x) => ops.associativeScan(multiply, x, { reverse, axis: 1 })
  scans[`associativeScan linear ${word}`] = (x, y) =>
    ops.associativeScan(
      ([a, b], [c, d]) => [multiply(a, c), add(multiply(b, c), d)] as const,
      [x, y] as const,
      reverse,
      -2,
    )
}

const loops: Record<string, Compared> = {
  'whileLoop at most None': grow(null),
  'whileLoop at most 0': grow(0),
  'whileLoop at most 3': grow(3),
  'whileLoop at most 40': grow(40),
  'whileLoop of a matrix': (x, w) =>
    ops.whileLoop(
      (y) => ops.less(sum(multiply(y, y)), 20),
      (y) => add(multiply(tanh(matmul(y, w)), 2.5), y),
      x,
      9,
    ),
  'whileLoop with a flag': (n, x) =>
    ops.whileLoop(
      (_i, flag) => flag,
      (i, _flag, y) => [add(i, int(1)), ops.less(add(i, int(1)), n), add(multiply(square(y), 0.5), 0.3)] as const,
      [int(0), ops.less(int(0), n), x] as const,
    )[2],
}

const v = ops.vectorizedMap
const maps: Record<string, Compared> = {
  'map matmul': (x, k) => v((a) => matmul(a, k), x),
  'map matmul of both': (x, y) => v(([a, b]) => matmul(a, b), [x, y] as const),
  'map matmul from the left': (x, y) => v((a) => matmul(y, a), x),
  'map vector matmul': (x, y) => v((a) => add(matmul(ops.take(a, 0, 0), transpose(a)), matmul(a, y)), x),
  'map reductions': (x) =>
    v((a) => [sum(a, 0), ops.mean(a, -1, true), ops.max(a), ops.min(a, 1), ops.prod(a, 0), ops.logsumexp(a, 0)], x),
  'map softmax': (x) => v((a) => [ops.softmax(a, 0), ops.logSoftmax(a), ops.softmax(ops.take(a, 0, 0))], x),
  'map take of slices': (x) => v((a) => ops.take(a, tensor([2, 0, 1, -1], [2, 2], 'int32'), 0), x),
  'map take of indices': (i, k) => v((n) => [ops.take(k, n, 0), ops.take(transpose(k), n, -1)], i),
  'map take of both': (x, i) => v(([a, n]) => [ops.take(a, ops.mod(n, int(3)), 0), ops.take(a, n, 1)], [x, i] as const),
  'map takeAlongAxis': (x, i) =>
    v(([a, n]) => ops.takeAlongAxis(a, ops.mod(ops.expandDims(n, 0), int(3)), 1), [x, i] as const),
  'map where': (x, k) =>
    v(
      (a) =>
        ops.where(
          ops.greater(a, 0),
          sin(a),
          multiply(ops.slice(a, [0, 0], [1, 5]), ops.reshape(ops.slice(k, [0, 0], [5, 1]), [5])),
        ),
      x,
    ),
  'map conv': (x, k) => v((a) => ops.conv(ops.expandDims(a, 0), k, { padding: 'same' }), x),
  'map sort': (x) => v((a) => [ops.sort(a, 0), ops.sort(a)], x),
  'map integers': (x) => v((a) => [ops.argsort(a), ops.argmax(a, 0), ops.greater(a, 0.5), ops.argmin(a)], x),
  'map cumsum': (x) => v((a) => [ops.cumsum(a, 0), ops.cumprod(a, 1)], x),
  'map concatenate': (x, k) =>
    v(
      (a) => [
        ops.concatenate([a, transpose(k), a], 0),
        ops.stack([ops.take(a, 0, 0), ops.take(a, 1, 0)], -1),
        ops.pad(
          a,
          [
            [1, 0],
            [0, 2],
          ],
          'constant',
          2,
        ),
      ],
      x,
    ),
  'map scan': (x, k) => v((a) => ops.scan((c, s) => [tanh(add(c, matmul(s, k))), c], ops.zeros([2]), a), x),
  'map cond': (x) =>
    v(
      (a) =>
        ops.cond(
          ops.greater(sum(a), 0),
          () => multiply(a, a),
          () => sin(a),
        ),
      x,
    ),
  'map reshape': (x) =>
    v(
      (a) => [
        transpose(a),
        ops.reshape(a, [5, 3]),
        ops.flip(a, 0),
        ops.repeat(a, 2, 1),
        ops.tile(a, [2, 1]),
        ops.roll(a, 1, 0),
      ],
      x,
    ),
  'map constants': (x, k) => v((a) => [k, sum(k), ops.ones([2]), a], x),
  'map onehot': (i, k) => v((n) => [ops.oneHot(n, 5), ops.segmentSum(ops.take(k, n, 0), ops.mod(n, int(2)), 2)], i),
  'map in map': (x, y) => v((a) => v((r) => add(sum(multiply(r, y)), r), a), x),
  'map linalg': (x) =>
    v((a) => [ops.inv(add(matmul(a, transpose(a)), ops.eye(3))), ops.det(ops.slice(a, [0, 0], [3, 3]))], x),
  'vectorize scalars': ops.vectorize((a, b) => ops.where(ops.greater(a!, b!), multiply(a!, b!), subtract(a!, b!))),
  'vectorize matmul': ops.vectorize((a, b) => matmul(a!, b!), { signature: '(m,n),(n,k)->(m,k)' }),
  'vectorize vectors': ops.vectorize((p, q) => multiply(sum(multiply(p!, q!)), p!), { signature: '(n),(n)->(n)' }),
}

const log1pexp = ops.customGradient((x: Tensor) => {
  const e = exp(x)
  const slope = subtract(1, ops.divide(1, add(1, e)))
  return [ops.log(add(1, e)), (upstream: Tensor) => multiply(upstream, slope)]
})

const derived: Record<string, (x: Tensor) => Results> = {
  sin: (x) => sin(x),
  product: (x) => multiply(ops.take(x, 0, 0), ops.take(x, 1, 0)),
  matmul: (x) => matmul(x, transpose(x)),
  softmax: (x) => ops.softmax(x),
  logsumexp: (x) => ops.logsumexp(x, 0),
  prod: (x) => ops.prod(x, 1),
  max: (x) => ops.max(x, 0),
  'tanh of a sum': (x) => tanh(add(sum(x, 1, true), x)),
  where: (x) => ops.where(ops.greater(x, 0), multiply(x, x), sin(x)),
  cumsum: (x) => ops.cumsum(multiply(x, x), 1),
  sort: (x) => ops.sort(x, 1),
  concatenate: (x) => ops.concatenate([x, exp(x)], 0),
  take: (x) => ops.take(multiply(x, x), tensor([2, 0, 0], [3], 'int32'), 1),
  scan: (x) => ops.scan((c, s) => [sin(add(c, s)), multiply(c, s)], ops.ones([4]), x),
  cond: (x) =>
    ops.cond(
      ops.greater(first(x), 0),
      () => multiply(x, x),
      () => exp(x),
    ),
  inverse: (x) => ops.inv(add(ops.slice(x, [0, 0], [3, 3]), multiply(3, ops.eye(3)))),
  tree: (x) => [multiply(x, 2), { a: sum(x) }],
}

const others: Record<string, Compared> = {
  customGradient: (x) => log1pexp(x),
  'customGradient in a loop': (x) => ops.scan((c) => [log1pexp(multiply(c, 0.8)), c], x, null, { length: 3 }),
  'jvp of two arguments': (x, y, u, w) =>
    jvp((a: Tensor, b: Tensor) => add(multiply(sin(a), b), multiply(multiply(a, b), b)), [x, y], [u, w]),
  'jvp in jvp': (x, w) =>
    jvp((at: Tensor) => jvp((a: Tensor) => multiply(multiply(multiply(a, a), a), sin(a)), [at], [w])[1], [x], [w]),
  slice: (x, start) => ops.slice(x, start, [2, 3]),
  sliceUpdate: (x, start, y) => ops.sliceUpdate(x, start, y),
}
for (const [name, f] of Object.entries(derived)) others[`jvp ${name}`] = (x, w) => jvp(f, [x], [w])

const functions: Record<string, Compared> = { ...branches, ...scans, ...loops, ...maps, ...others }
const { cases } = readFixture<ControlFile>('control')

describe('like Keras on JAX:', () => {
  it('every function here has a case, and every case a function', () => {
    expect(new Set(cases.map(({ name }) => name))).toEqual(new Set(Object.keys(functions)))
  })

  it.each(cases.map((each, i) => ({ ...each, i })))('$name ($i)', ({ name, inputs, ...stored }) => {
    const f = functions[name]!
    const given = inputs.map(toTensor)
    const isFloat = ({ dtype }: Tensor): boolean => dtype === 'float32'
    const flat = (...all: Tensor[]): Tensor[] => flatten(f(...all)) as Tensor[]
    for (const run of [flat, jit(flat)]) {
      const call = (floats: readonly Tensor[]): Tensor[] => {
        let at = 0
        return run(...given.map((x) => (isFloat(x) ? floats[at++]! : x)))
      }
      expectCase(call, given.filter(isFloat), stored, 2e-5)
    }
  })
})
