// Ops compared with Keras on JAX: results, gradients, and gradients of gradients.
import { describe, expect, it } from 'vitest'
import type { Tensor } from '../../src'
import { grad, ops, tensor } from '../../src'
import { flatten } from '../../src/core/tree'
import type { OpCase, OpTensor, OpsFile } from '../golden/format'
import { readFixture } from '../helpers/golden'

const FAMILIES = [
  'elementwise',
  'reduction',
  'rearranging',
  'constructing',
  'products',
  'sorting',
  'segments',
  'linalg',
  'fourier',
  'signals',
  'image',
  'bits',
  'windows',
  'joining',
  'numbers',
  'nans',
  'distinct',
  'activations',
  'pooling',
  'crossentropies',
  'ctc',
  'decoding',
  'patches',
  'patterns',
]
const TOLERANCE = 1e-5

type AnyOp = (...given: readonly unknown[]) => unknown

function toTensor({ data, shape, dtype }: OpTensor): Tensor {
  return tensor({ data: data.map(Number), shape, dtype })
}

/** Like flat_weights in ops.py. */
function weightsFor({ shape, size }: Tensor, salt: number): Tensor {
  return tensor({ data: Float32Array.from({ length: size }, (_, j) => (((j * 7 + salt * 3) % 11) - 5) / 4), shape })
}

/** Every element within tolerance of the largest one; NaN and infinities equal. */
function expectAlike(received: Tensor, expected: OpTensor, where: string, tolerance: number): void {
  expect([received.dtype, ...received.shape], `${where}: type`).toEqual([expected.dtype, ...expected.shape])
  const wanted = expected.data.map(Number)
  const scale = 1 + wanted.reduce((most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most), 0)
  const allowed = (x: number): number => tolerance * Math.min(scale, 1 + 1e3 * Math.abs(x))
  const differs = (x: number, i: number): boolean =>
    !Object.is(x, received.data[i]) && !(Math.abs(x - received.data[i]!) <= allowed(x))
  const at = wanted.findIndex(differs)
  expect(at < 0 ? '' : `[${at}] expected ${wanted[at]}, received ${received.data[at]}`, where).toBe('')
}

/** Σ w · y over the float32 results, with w as in ops.py. */
function weighted(ys: readonly Tensor[]): Tensor {
  const terms = ys.flatMap((y, i) => (y.dtype === 'float32' ? [ops.sum(ops.multiply(y, weightsFor(y, i)))] : []))
  return terms.reduce((sum, term) => ops.add(sum, term))
}

/** A call with all its arguments, as a function of its float32 tensors. */
function callOf({ op, inputs, pairs = false, listed = false, insert = inputs.length, more }: OpCase): {
  readonly call: (floats: readonly Tensor[]) => Tensor[]
  readonly floats: Tensor[]
} {
  const given = inputs.map(toTensor)
  const isFloat = ({ dtype }: Tensor): boolean => dtype === 'float32'
  const call = (floats: readonly Tensor[]): Tensor[] => {
    let at = 0
    const operands = given.map((x) => (isFloat(x) ? floats[at++]! : x))
    const first: unknown[] = pairs ? [{ real: operands[0], imag: operands[1] }] : listed ? [operands] : operands
    const all = insert < first.length ? first.toSpliced(insert, 0, more[0]) : first
    const rest = insert < first.length ? more.slice(1) : more
    const found = op.split('.').reduce<object>((table, name) => Reflect.get(table, name) as object, ops)
    return flatten((found as AnyOp)(...all, ...rest) as Tensor[])
  }
  return { call, floats: given.filter(isFloat) }
}

const titleOf = ({ op, inputs, more }: OpCase): string =>
  `${op}(${[...inputs.map(({ shape, dtype }) => `${dtype} [${shape.join()}]`), ...more.map((x) => JSON.stringify(x))].join(', ')})`

describe.each(FAMILIES)('%s', (family) => {
  const { cases } = readFixture<OpsFile>(`ops/${family}`)
  it.each(cases.map((each): [string, OpCase] => [titleOf(each), each]))('%s', (_title, opCase) => {
    const { outputs, tolerance = TOLERANCE, gradients, second } = opCase
    const { call, floats } = callOf(opCase)
    const compare = (
      received: readonly Tensor[],
      expected: readonly OpTensor[],
      what: string,
      allowed: number,
    ): void => {
      expect(received.length, what).toBe(expected.length)
      received.forEach((each, i) => expectAlike(each, expected[i]!, `${what} ${i}`, allowed))
    }
    compare(call(floats), outputs, 'output', tolerance)
    const slope = grad((xs: readonly Tensor[]) => weighted(call(xs)))
    if (gradients !== undefined) compare(slope(floats), gradients, 'gradient', tolerance)
    if (second !== undefined)
      compare(grad((xs: readonly Tensor[]) => weighted(slope(xs)))(floats), second, 'second gradient', 4 * tolerance)
  })
})
