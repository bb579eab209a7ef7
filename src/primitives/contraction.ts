// Matrix products. A transposed operand is a view with swapped strides; the kernel reads it as it lies.

import { Opcode } from '../../assembly/shared/opcodes'
import { Gemm } from '../../assembly/shared/instructions'
import { ArgumentError, ShapeError, formatShape } from '../core/errors'
import type { Value } from '../ir/graph'
import type { Address, Operand } from '../ir/instruction'
import { ABSENT, instruction } from '../ir/instruction'
import type {
  CostContext,
  KernelPrimitive,
  Layout,
  LowerContext,
  Preparation,
  PrepareContext,
  TotalContext,
  VjpContext,
} from './rule'
import { BYTES_PER_ELEMENT } from '../core/dtypes'
import type { TensorType } from '../core/shapes'
import { broadcastShapes, broadcastStrides, forEachOffset, sizeOf } from '../core/shapes'
import type { NoAttributes } from '../ir/attributes'

/** Columns of the strips in which a prepared right operand stands: those of the kernel's tiles. */
export const STRIP = 8

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
  // One matrix B for all of A: Σ Aᵀ · dC is one product, of all rows.
  const rows = (x: Value): Value =>
    b.shape.length === 2 ? e.reshape(x, [sizeOf(x.shape.slice(0, -1)), x.shape.at(-1)!]) : x
  return [
    isWanted(0) ? e.sumTo(e.matmul(dy, e.transposeMatrix(b)), a.shape) : null,
    isWanted(1) ? e.sumTo(e.matmul(e.transposeMatrix(rows(a)), rows(dy)), b.shape) : null,
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
  const { bias, biasRow } = biasOf(context, n)
  const wide = Number(context.wideTiles)
  const emit = (
    out: Address,
    lhs: Address,
    rhs: Address,
    bias: Address | typeof ABSENT,
    rows: number,
    count: number,
    lhsBatch: number,
    rhsBatch: number,
  ): void =>
    context.emit(
      instruction(Opcode.Gemm, Gemm, {
        out,
        lhs,
        rhs,
        bias,
        m: rows,
        n,
        k,
        lhsRow,
        lhsColumn,
        rhsRow,
        rhsColumn,
        batch: count,
        lhsBatch,
        rhsBatch,
        epilogue,
        scratch,
        wide,
        biasRow,
        rhsStrip: STRIP,
      }),
    )
  const lhsBatch = batchStride(batch, a.shape, a.strides)
  const rhsBatch = batchStride(batch, b.shape, b.strides)
  const matrices = sizeOf(batch)
  if (lhsBatch !== null && rhsBatch !== null) {
    // One rhs for matrices of lhs that follow each other: one taller product.
    const stacked = rhsBatch === 0 && (matrices === 1 || lhsBatch === m * lhsRow)
    if (stacked) emit(out.address, a.address, b.address, bias, m * matrices, 1, 0, rhsBatch)
    else emit(out.address, a.address, b.address, bias, m, matrices, lhsBatch, rhsBatch)
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
    const offset = BYTES_PER_ELEMENT * i * m * n
    const ownBias = biasRow === 0 ? bias : moved(context.bias!.address, offset)
    emit(moved(out.address, offset), lhs[i]!, rhs[i]!, ownBias, m, 1, 0, 0)
  }
}

function moved({ buffer, offset }: Address, bytes: number): Address {
  return { buffer, offset: offset + bytes }
}

/** What the sums begin with: nothing, a row for all rows of the result, or a matrix as large as the result. */
function biasOf(
  { bias, outputs: [out] }: LowerContext<unknown>,
  n: number,
): { bias: Address | typeof ABSENT; biasRow: number } {
  const isWhole = bias !== null && sizeOf(bias.shape) > n && sizeOf(bias.shape) === sizeOf(out!.shape)
  return { bias: bias?.address ?? ABSENT, biasRow: isWhole ? n : 0 }
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
  // a is often transposed itself: rows of aᵀ one below the other then lie as they are, or are copied whole.
  return e.matmul(
    e.transposeMatrix(e.reshape(e.transposeMatrix(left), [length * k, m])),
    e.reshape(right, [length * k, n]),
  )
}

const matmul: KernelPrimitive<NoAttributes> = {
  kind: 'kernel',
  infer,
  vjp,
  lower,
  flops,
  accepts,
  fusesEpilogue: true,
  fusesAddend: true,
  lift: (attributes) => attributes,
  total,
  batches: true,
  prepare,
}

/** Least elements of a right operand, and least rows in all turns, for which strips repay making them. */
const PREPARED_ELEMENTS = 4096
const PREPARED_ROWS = 512

// In a loop b is put once into the order in which the tiles read it: a turn's few rows do not repay that.
function prepare({ inputs: [a, b], length, isSame }: PrepareContext): Preparation | null {
  if (!isSame(1) || a!.shape.length !== 2 || b!.shape.length !== 2) return null
  const [rows, k, n] = [a!.shape[0]!, b!.shape[0]!, b!.shape[1]!]
  if (n % STRIP !== 0 || rows < LEAST_ROWS || k * n < PREPARED_ELEMENTS || length * rows < PREPARED_ROWS) return null
  return {
    operand: 1,
    before: (e, whole) => e.copy(e.transpose(e.reshape(whole, [k, n / STRIP, STRIP]), [1, 0, 2])),
    inside: (e, [own, strips]) => e.matmulStrips(own!, strips!),
  }
}

/** Below this the kernel takes other ways, which do not know strips. */
const LEAST_ROWS = 4

// a [m,k] · b [n/8, k, 8] → [m,n]: b in strips of eight columns
const matmulStrips: KernelPrimitive<NoAttributes> = {
  kind: 'kernel',
  // Only `prepare` emits it.
  infer: ([a, b]) => [{ shape: [a!.shape[0]!, b!.shape[0]! * STRIP], dtype: 'float32' }],
  vjp: null,
  lower(context) {
    const { inputs, outputs, scratch, epilogue, wideTiles } = context
    const [a, b] = inputs as [Operand, Operand]
    const [m, n] = outputs[0]!.shape as [number, number]
    const k = a.shape[1]!
    const [lhsRow, lhsColumn] = a.strides as [number, number]
    context.emit(
      instruction(Opcode.Gemm, Gemm, {
        out: outputs[0]!.address,
        lhs: a.address,
        rhs: b.address,
        ...biasOf(context, n),
        m,
        n,
        k,
        lhsRow,
        lhsColumn,
        rhsRow: STRIP,
        rhsColumn: 1,
        batch: 1,
        lhsBatch: 0,
        rhsBatch: 0,
        epilogue,
        scratch,
        wide: Number(wideTiles),
        rhsStrip: STRIP * k,
      }),
    )
  },
  flops,
  accepts: (operand, input, layout) => operand === 0 && accepts(operand, input, layout),
  fusesEpilogue: true,
  fusesAddend: true,
}

export const contraction = { matmul, matmulStrips }
