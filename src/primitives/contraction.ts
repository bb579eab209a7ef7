// Matrix products. A transposed operand is a view with swapped strides; the kernel reads it as it lies.

import { Opcode } from '../../assembly/shared/opcodes'
import { Gemm } from '../../assembly/shared/instructions'
import { ArgumentError, ShapeError, formatShape } from '../core/errors'
import type { Value } from '../ir/graph'
import type { Address, Operand } from '../ir/instruction'
import { ABSENT, instruction } from '../ir/instruction'
import type { CostContext, KernelPrimitive, Layout, LowerContext, TotalContext, VjpContext } from './rule'
import { BYTES_PER_ELEMENT } from '../core/dtypes'
import type { TensorType } from '../core/shapes'
import { broadcastShapes, broadcastStrides, forEachOffset, sizeOf } from '../core/shapes'
import type { NoAttributes } from './attributes'

// a [… m,k] · b [… k,n] → [… m,n], the leading axes broadcast
function infer(inputs: readonly TensorType[]): readonly TensorType[] {
  const a = inputs[0]!
  const b = inputs[1]!
  if (a.dtype !== 'float32' || b.dtype !== 'float32') {
    throw new ArgumentError(`matmul: the operands must be float32, received ${a.dtype} and ${b.dtype}`)
  }
  if (a.shape.length < 2 || b.shape.length < 2 || a.shape.at(-1) !== b.shape.at(-2)) {
    throw new ShapeError(
      `matmul: expected [… m, k] · [… k, n], received ${formatShape(a.shape)} · ${formatShape(b.shape)}`,
    )
  }
  const batch = broadcastShapes('matmul', [a.shape.slice(0, -2), b.shape.slice(0, -2)])
  return [{ shape: batch.concat(a.shape.at(-2)!, b.shape.at(-1)!), dtype: 'float32' }]
}

// dA = dC · Bᵀ ;  dB = Aᵀ · dC ; both summed over what was broadcast
function vjp({ e, inputs, cotangents, isWanted }: VjpContext<NoAttributes>) {
  const a = inputs[0]!
  const b = inputs[1]!
  const dy = cotangents[0]!
  return [
    isWanted(0) ? e.sumTo(e.matmul(dy, e.transposeMatrix(b)), a.shape) : null,
    isWanted(1) ? e.sumTo(e.matmul(e.transposeMatrix(a), dy), b.shape) : null,
  ]
}

/** One matrix of each operand after another: the stride between them, when one number can say it. */
function batchStride(batch: readonly number[], shape: readonly number[], strides: readonly number[]): number | null {
  const own = broadcastStrides(shape.slice(0, -2), strides.slice(0, -2), batch)
  let stride = 0
  let expected: number | null = null
  for (let i = batch.length - 1; i >= 0; i--) {
    if (batch[i] === 1) continue
    if (expected === null) stride = own[i]!
    else if (own[i] !== expected) return null
    expected = own[i]! * batch[i]!
  }
  return stride
}

function accepts(_operand: number, input: TensorType, layout: Layout): boolean {
  const { shape } = input
  const { strides } = layout
  const unitStride = strides.at(-1) === 1 || strides.at(-2) === 1 || shape.at(-1) === 1 || shape.at(-2) === 1
  // A view over the batch axes must be as regular as a contiguous one; copying is cheap beside the product.
  const batch = shape.slice(0, -2)
  return unitStride && (sizeOf(batch) === 1 || batchStride(batch, shape, strides) !== null) && shape.length >= 2
}

function lower(context: LowerContext<NoAttributes>): void {
  const a = context.inputs[0]!
  const b = context.inputs[1]!
  const out = context.outputs[0]!
  const m = out.shape.at(-2)!
  const n = out.shape.at(-1)!
  const k = a.shape.at(-1)!
  const batch = out.shape.slice(0, -2)
  const lhsRow = a.strides.at(-2)!
  const lhsColumn = a.strides.at(-1)!
  const rhsRow = b.strides.at(-2)!
  const rhsColumn = b.strides.at(-1)!
  const { scratch, epilogue } = context
  const bias = context.bias?.address ?? ABSENT
  const wide = Number(context.wideTiles)
  const emit = (out: Address, lhs: Address, rhs: Address, rows: number, count: number, lhsBatch: number, rhsBatch: number): void =>
    context.emit(
      instruction(Opcode.Gemm, Gemm, {
        out, lhs, rhs, bias, m: rows, n, k, lhsRow, lhsColumn, rhsRow, rhsColumn, batch: count, lhsBatch, rhsBatch, epilogue, scratch, wide,
      }),
    )
  const lhsBatch = batchStride(batch, a.shape, a.strides)
  const rhsBatch = batchStride(batch, b.shape, b.strides)
  const matrices = sizeOf(batch)
  if (lhsBatch !== null && rhsBatch !== null) {
    // One rhs for matrices of lhs that follow each other: one taller product.
    const stacked = rhsBatch === 0 && (matrices === 1 || lhsBatch === m * lhsRow)
    if (stacked) emit(out.address, a.address, b.address, m * matrices, 1, 0, rhsBatch)
    else emit(out.address, a.address, b.address, m, matrices, lhsBatch, rhsBatch)
    return
  }
  // Broadcasting that one stride cannot say: one instruction per matrix.
  const starts = (operand: Operand): Address[] => {
    const addresses: Address[] = []
    const strides = broadcastStrides(operand.shape.slice(0, -2), operand.strides.slice(0, -2), batch)
    forEachOffset(batch, strides, 0, (at) =>
      addresses.push({ buffer: operand.address.buffer, offset: operand.address.offset + BYTES_PER_ELEMENT * at }),
    )
    return addresses
  }
  const lhs = starts(a)
  const rhs = starts(b)
  for (let i = 0; i < lhs.length; i++) {
    const at = { buffer: out.address.buffer, offset: out.address.offset + BYTES_PER_ELEMENT * i * m * n }
    emit(at, lhs[i]!, rhs[i]!, m, 1, 0, 0)
  }
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
  return e.matmul(e.reshape(e.transpose(left, [1, 0, 2]), [m, length * k]), e.reshape(right, [length * k, n]))
}

const matmul: KernelPrimitive<NoAttributes> = {
  kind: 'kernel',
  infer,
  vjp,
  lower,
  flops,
  accepts,
  fusesEpilogue: true,
  lift: (attributes) => attributes,
  total,
  batches: true,
}

export const contraction = { matmul }
