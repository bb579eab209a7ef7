// Matrix products on the tape. The kernel reads transposed operands in place.

import { Gemm, GEMM_GROUP, GEMM_LONG, GEMM_SLICE } from '../../../../assembly/shared/instructions'
import { Opcode } from '../../../../assembly/shared/opcodes'
import { BYTES_PER_ELEMENT } from '../../../core/dtypes'
import { broadcastStrides, forEachOffset, sizeOf, type TensorType } from '../../../core/shapes'
import type { NoAttributes } from '../../ir/attributes'
import { ABSENT, instruction, type LowerContext, type Word } from '../../ir/instruction'
import type { Address, Operand } from '../../ir/operand'
import { STRIP, contraction as rules } from '../../primitives/contraction'
import type { View } from '../../primitives/rule'
import type { TapeKernel } from './kernel'

/** The stride between the matrices of an operand, if one number expresses it; else null. */
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

export function acceptsMatrices(_operand: number, input: TensorType, layout: View): boolean {
  const { shape } = input
  const { strides } = layout
  const unitStride = strides.at(-1) === 1 || strides.at(-2) === 1 || shape.at(-1) === 1 || shape.at(-2) === 1
  // The batch axes of a view must have a single stride; copying is cheap compared with the product.
  const batch = shape.slice(0, -2)
  return unitStride && (sizeOf(batch) === 1 || batchStride(batch, shape, strides) !== null) && shape.length >= 2
}

/** For partial sums of a long k: as many as out has elements, and once more where there are several groups of slices. */
export function productBytes(out: readonly number[], k: number): number {
  if (k <= GEMM_LONG) return 0
  return BYTES_PER_ELEMENT * sizeOf(out) * (k > GEMM_SLICE * GEMM_GROUP ? 2 : 1)
}

/** Behind a Gemm of a long k: the memory for its partial sums, of which an empty product has none. */
const partialSums = (k: number, temporary: Address | null): Word[] => (k > GEMM_LONG ? [temporary ?? ABSENT] : [])

export function lowerProduct(context: LowerContext<NoAttributes>): void {
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
  const { scratch, epilogue, temporary } = context
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
      instruction(
        Opcode.Gemm,
        Gemm,
        {
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
        },
        partialSums(k, temporary),
      ),
    )
  const lhsBatch = batchStride(batch, a.shape, a.strides)
  const rhsBatch = batchStride(batch, b.shape, b.strides)
  const matrices = sizeOf(batch)
  if (lhsBatch !== null && rhsBatch !== null) {
    // One rhs for consecutive matrices of lhs: one taller product.
    const stacked = rhsBatch === 0 && (matrices === 1 || lhsBatch === m * lhsRow)
    if (stacked) emit(out.address, a.address, b.address, bias, m * matrices, 1, 0, rhsBatch)
    else emit(out.address, a.address, b.address, bias, m, matrices, lhsBatch, rhsBatch)
    return
  }
  // Broadcasting that one stride cannot express: one instruction per matrix.
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

/** The initial value of the sums: nothing, a row for all rows of the result, or a matrix of its size. */
function biasOf(
  { bias, outputs: [out] }: LowerContext<unknown>,
  n: number,
): { bias: Address | typeof ABSENT; biasRow: number } {
  const isWhole = bias !== null && sizeOf(bias.shape) > n && sizeOf(bias.shape) === sizeOf(out!.shape)
  return { bias: bias?.address ?? ABSENT, biasRow: isWhole ? n : 0 }
}

const matmul: TapeKernel<NoAttributes> = {
  lower: lowerProduct,
  temporaryBytes: (inputs, attributes) =>
    productBytes(rules.matmul.infer(inputs, attributes)[0]!.shape, inputs[0]!.shape.at(-1)!),
  accepts: acceptsMatrices,
  fusesEpilogue: true,
  fusesAddend: true,
}

const matmulStrips: TapeKernel<NoAttributes> = {
  lower(context) {
    const { inputs, outputs, scratch, temporary, epilogue, wideTiles } = context
    const [a, b] = inputs as [Operand, Operand]
    const [m, n] = outputs[0]!.shape as [number, number]
    const k = a.shape[1]!
    const [lhsRow, lhsColumn] = a.strides as [number, number]
    context.emit(
      instruction(
        Opcode.Gemm,
        Gemm,
        {
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
        },
        partialSums(k, temporary),
      ),
    )
  },
  temporaryBytes: ([a, b]) => productBytes([a!.shape[0]!, b!.shape[0]!, STRIP], a!.shape[1]!),
  accepts: (operand, input, layout) => operand === 0 && acceptsMatrices(operand, input, layout),
  fusesEpilogue: true,
  fusesAddend: true,
}

export const contraction = { matmul, matmulStrips }
