// Matrix products. A transposed operand is a view with swapped strides, which the kernel reads directly.

import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import type { Value } from '../ir/graph'
import type { CostContext, KernelPrimitive, Preparation, PrepareContext, TotalContext, VjpContext } from './rule'
import { broadcastShapes, sizeOf, type Shape, type TensorType } from '../../core/shapes'
import type { NoAttributes } from '../ir/attributes'

/** The number of columns in a strip of a prepared right operand, as in the kernel's tiles. */
export const STRIP = 8

/** @throws ShapeError for matrices without a product */
export function requireInner(a: Shape, b: Shape): void {
  if (a.length < 2 || b.length < 2 || a.at(-1) !== b.at(-2))
    throw new ShapeError(`matmul: expected [… m, k] · [… k, n], received ${formatShape(a)} · ${formatShape(b)}`)
}

// a [… m,k] · b [… k,n] → [… m,n], the leading axes broadcast
function infer(inputs: readonly TensorType[]): readonly TensorType[] {
  const a = inputs[0]!
  const b = inputs[1]!
  if (a.dtype !== 'float32' || b.dtype !== 'float32') {
    throw new ArgumentError(`matmul: the operands must be float32, received ${a.dtype} and ${b.dtype}`)
  }
  requireInner(a.shape, b.shape)
  const batch = broadcastShapes('matmul', [a.shape.slice(0, -2), b.shape.slice(0, -2)])
  return [{ shape: batch.concat(a.shape.at(-2)!, b.shape.at(-1)!), dtype: 'float32' }]
}

// dA = dC · Bᵀ ;  dB = Aᵀ · dC ; both summed over the broadcast axes
function vjp({ e, inputs, cotangents, isWanted }: VjpContext<NoAttributes>) {
  const a = inputs[0]!
  const b = inputs[1]!
  const dy = cotangents[0]!
  // If one matrix B is broadcast to all of A, Σ Aᵀ · dC is one product over all rows.
  const rows = (x: Value): Value =>
    b.shape.length === 2 ? e.reshape(x, [sizeOf(x.shape.slice(0, -1)), x.shape.at(-1)!]) : x
  return [
    isWanted(0) ? e.sumTo(e.matmul(dy, e.transposeMatrix(b)), a.shape) : null,
    isWanted(1) ? e.sumTo(e.matmul(e.transposeMatrix(rows(a)), rows(dy)), b.shape) : null,
  ]
}

// × and + for each of m·n·k
function flops({ inputs: [a], outputs: [out] }: CostContext<NoAttributes>): number {
  return 2 * sizeOf(out!.shape) * a!.shape[a!.shape.length - 1]!
}

// Σ a_t [m,k] · b_t [k,n] = [a_1 … a_T] · [b_1; …; b_T]: one product with T times the inner axis
function total({ e, inputs: [a, b], length, stack }: TotalContext<NoAttributes>): Value | null {
  if (a!.shape.length !== 2 || b!.shape.length !== 2) return null
  const [m, k, n] = [a!.shape[0]!, a!.shape[1]!, b!.shape[1]!]
  const [left, right] = [stack(a!), stack(b!)]
  if (left === null || right === null) return null
  // a is often transposed itself: the stacked rows of aᵀ are then contiguous, or are copied at once.
  return e.matmul(
    e.transposeMatrix(e.reshape(e.transposeMatrix(left), [length * k, m])),
    e.reshape(right, [length * k, n]),
  )
}

const matmul: KernelPrimitive<NoAttributes> = {
  kind: 'kernel',
  multiplies: () => true,
  infer,
  vjp,
  flops,
  lift: (attributes) => attributes,
  total,
  batches: true,
  prepare,
}

/**
 * The minimum number of elements of a right operand, and of rows over all iterations, for which preparing strips is
 * faster.
 */
const PREPARED_ELEMENTS = 4096
const PREPARED_ROWS = 512
/** The same for iterations with a single row, which read an unprepared operand at four fifths of the rate. */
const PREPARED_ELEMENTS_BY_VECTOR = 16_384
const PREPARED_VECTORS = 48
/** With two or three rows the kernel uses paths without strips. */
const LEAST_ROWS = 4

// Before a loop, b is copied once into the order in which tiles read it. For the few rows of a single iteration, copying
// would take longer than it saves.
function prepare({ inputs: [a, b], length, isSame }: PrepareContext): Preparation | null {
  if (!isSame(1) || a!.shape.length !== 2 || b!.shape.length !== 2) return null
  const [rows, k, n] = [a!.shape[0]!, b!.shape[0]!, b!.shape[1]!]
  const pays =
    rows === 1
      ? k * n >= PREPARED_ELEMENTS_BY_VECTOR && length >= PREPARED_VECTORS
      : rows >= LEAST_ROWS && k * n >= PREPARED_ELEMENTS && length * rows >= PREPARED_ROWS
  if (n % STRIP !== 0 || !pays) return null
  return {
    operand: 1,
    before: (e, whole) => e.copy(e.transpose(e.reshape(whole, [k, n / STRIP, STRIP]), [1, 0, 2])),
    inside: (e, [rows, strips]) => e.matmulStrips(rows!, strips!),
  }
}

// a [m,k] · b [n/8, k, 8] → [m,n]: b in strips of eight columns
const matmulStrips: KernelPrimitive<NoAttributes> = {
  kind: 'kernel',
  // Only `prepare` emits it.
  infer: ([a, b]) => [{ shape: [a!.shape[0]!, b!.shape[0]! * STRIP], dtype: 'float32' }],
  vjp: null,
  flops,
}

export const contraction = { matmul, matmulStrips }
