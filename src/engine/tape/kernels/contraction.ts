// Matrix products on the tape. The kernel reads transposed operands in place.

import { Gemm, GEMM_GROUP, GEMM_LONG, GEMM_SLICE } from '../../../../assembly/shared/instructions'
import { Opcode } from '../../../../assembly/shared/opcodes'
import { BYTES_PER_ELEMENT } from '../../../core/dtypes'
import { broadcastStrides, forEachOffset, sizeOf, type TensorType } from '../../../core/shapes'
import type { NoAttributes } from '../../ir/attributes'
import { ABSENT, instruction, type Fields, type LowerContext, type Word } from '../../ir/instruction'
import { offsetBy, type Address, type Operand } from '../../ir/operand'
import { STRIP, contraction as rules } from '../../primitives/contraction'
import type { View } from '../../primitives/rule'
import type { TapeKernel } from './kernel'

/** The stride between the matrices of an operand, if one number expresses it; else null. */
function batchStride(batch: readonly number[], shape: readonly number[], strides: readonly number[]): number | null {
  const steps = broadcastStrides(shape.slice(0, -2), strides.slice(0, -2), batch)
  let stride = 0
  let expected: number | null = null
  for (let i = batch.length - 1; i >= 0; i--) {
    if (batch[i] === 1) continue
    if (expected === null) stride = steps[i]!
    else if (steps[i] !== expected) return null
    expected = steps[i]! * batch[i]!
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

/**
 * The bytes for the partial sums of a long k: one sum for each element of out, or two if there are several groups of slices.
 */
export function productBytes(out: readonly number[], k: number): number {
  if (k <= GEMM_LONG) return 0
  return BYTES_PER_ELEMENT * sizeOf(out) * (k > GEMM_SLICE * GEMM_GROUP ? 2 : 1)
}

/** The list of a Gemm: for a long k, the memory for its partial sums, which is absent in an empty product. */
const partialSums = (k: number, temporary: Address | null): Word[] => (k > GEMM_LONG ? [temporary ?? ABSENT] : [])

/** What a product reads of the context of its kernel. */
type ProductContext = Pick<LowerContext<unknown>, 'bias' | 'epilogue' | 'scratch' | 'temporary' | 'wideTiles' | 'emit'>

/** The fields of a Gemm that depend on its operands. */
type Product = Omit<Fields<typeof Gemm>, 'epilogue' | 'scratch' | 'wide'> & { readonly k: number }

function emitProduct({ epilogue, scratch, temporary, wideTiles, emit }: ProductContext, product: Product): void {
  const fields = { ...product, epilogue, scratch, wide: Number(wideTiles) }
  emit(instruction(Opcode.Gemm, Gemm, fields, partialSums(product.k, temporary)))
}

/** out = a · b, with one instruction if a stride leads from each matrix of an operand to the next, else with one per matrix. */
export function lowerProduct(context: ProductContext, a: Operand, b: Operand, out: Operand): void {
  const m = out.shape.at(-2)!
  const n = out.shape.at(-1)!
  const batch = out.shape.slice(0, -2)
  const { bias, biasRow } = biasOf(context.bias, out)
  const each = {
    n,
    k: a.shape.at(-1)!,
    lhsRow: a.strides.at(-2)!,
    lhsColumn: a.strides.at(-1)!,
    rhsRow: b.strides.at(-2)!,
    rhsColumn: b.strides.at(-1)!,
    rhsStrip: STRIP,
    biasRow,
  }
  const lhsBatch = batchStride(batch, a.shape, a.strides)
  const rhsBatch = batchStride(batch, b.shape, b.strides)
  const matrices = sizeOf(batch)
  if (lhsBatch !== null && rhsBatch !== null) {
    // One rhs for consecutive matrices of lhs: one taller product.
    const isTall = rhsBatch === 0 && (matrices === 1 || lhsBatch === m * each.lhsRow)
    const whole = isTall
      ? { m: m * matrices, batch: 1, lhsBatch: 0, rhsBatch }
      : { m, batch: matrices, lhsBatch, rhsBatch }
    return emitProduct(context, { ...each, ...whole, out: out.address, lhs: a.address, rhs: b.address, bias })
  }
  const lhs = startsOf(a, batch)
  const rhs = startsOf(b, batch)
  for (let i = 0; i < lhs.length; i++) {
    const offset = BYTES_PER_ELEMENT * i * m * n
    emitProduct(context, {
      ...each,
      m,
      batch: 1,
      lhsBatch: 0,
      rhsBatch: 0,
      out: offsetBy(out.address, offset),
      lhs: lhs[i]!,
      rhs: rhs[i]!,
      bias: biasRow === 0 ? bias : offsetBy(context.bias!.address, offset),
    })
  }
}

/** The address of each matrix of an operand that is broadcast to `batch`. */
function startsOf({ shape, strides, address }: Operand, batch: readonly number[]): Address[] {
  const addresses: Address[] = []
  const steps = broadcastStrides(shape.slice(0, -2), strides.slice(0, -2), batch)
  forEachOffset(batch, steps, 0, (at) => addresses.push(offsetBy(address, BYTES_PER_ELEMENT * at)))
  return addresses
}

/** The initial value of the sums: nothing, a row for all rows of the result, or a matrix of its size. */
function biasOf(bias: Operand | null, out: Operand): { bias: Address | typeof ABSENT; biasRow: number } {
  const n = out.shape.at(-1)!
  const isWhole = bias !== null && sizeOf(bias.shape) > n && sizeOf(bias.shape) === sizeOf(out.shape)
  return { bias: bias?.address ?? ABSENT, biasRow: isWhole ? n : 0 }
}

const matmul: TapeKernel<NoAttributes> = {
  lower: (context) => lowerProduct(context, context.inputs[0]!, context.inputs[1]!, context.outputs[0]!),
  temporaryBytes: (inputs, attributes) =>
    productBytes(rules.matmul.infer(inputs, attributes, 'matmul')[0]!.shape, inputs[0]!.shape.at(-1)!),
  accepts: acceptsMatrices,
  fusesEpilogue: true,
  fusesAddend: true,
}

const matmulStrips: TapeKernel<NoAttributes> = {
  lower(context) {
    const [a, b] = context.inputs
    const out = context.outputs[0]!
    const [m, k] = a!.shape
    emitProduct(context, {
      out: out.address,
      lhs: a!.address,
      rhs: b!.address,
      ...biasOf(context.bias, out),
      m: m!,
      n: out.shape[1]!,
      k: k!,
      lhsRow: a!.strides[0]!,
      lhsColumn: a!.strides[1]!,
      rhsRow: STRIP,
      rhsColumn: 1,
      rhsStrip: STRIP * k!,
      batch: 1,
      lhsBatch: 0,
      rhsBatch: 0,
    })
  },
  temporaryBytes: ([a, b]) => productBytes([a!.shape[0]!, b!.shape[0]!, STRIP], a!.shape[1]!),
  accepts: (operand, input, layout) => operand === 0 && acceptsMatrices(operand, input, layout),
  fusesEpilogue: true,
  fusesAddend: true,
}

export const contraction = { matmul, matmulStrips }
