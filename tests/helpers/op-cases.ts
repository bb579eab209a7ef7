// Stored results of ops: compares outputs, gradients, and gradients of gradients.

import { expect } from 'vitest'
import { grad, ops, tensor, type Tensor } from '../../src'
import type { OpTensor } from '../golden/format'

const TOLERANCE = 1e-5

export function toTensor({ data, shape, dtype }: OpTensor): Tensor {
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

/** What a case stores: see OpCase. */
interface Stored {
  readonly outputs: readonly OpTensor[]
  readonly gradients?: readonly OpTensor[] | undefined
  readonly second?: readonly OpTensor[] | undefined
}

/** Compares a function of float32 tensors with what a case stores of it. */
export function expectCase(
  call: (floats: readonly Tensor[]) => Tensor[],
  floats: readonly Tensor[],
  { outputs, gradients, second }: Stored,
  tolerance = TOLERANCE,
): void {
  const compare = (received: readonly Tensor[], expected: readonly OpTensor[], what: string, allowed: number): void => {
    expect(received.length, what).toBe(expected.length)
    received.forEach((each, i) => expectAlike(each, expected[i]!, `${what} ${i}`, allowed))
  }
  compare(call(floats), outputs, 'output', tolerance)
  const slope = grad((xs: readonly Tensor[]) => weighted(call(xs)))
  if (gradients !== undefined) compare(slope(floats), gradients, 'gradient', tolerance)
  if (second !== undefined)
    compare(grad((xs: readonly Tensor[]) => weighted(slope(xs)))(floats), second, 'second gradient', 4 * tolerance)
}
