// Products of weights of 8 and 4 bits: matrices [outputs, inputs] in which every 32 neighbouring inputs of an output have one
// scale. A matrix is one int8 tensor, with its scales (docs/decisions/0041-weights-of-few-bits.md).
//
//   8 bits   w = d q        q in −128 … 127
//   4 bits   w = d q − m    q in 0 … 15
//
// Products read activations either as they are, or as integers of 8 bits, likewise by groups.

import {
  PACKED_GROUP,
  PACKED_GROUP_BYTES,
  PACKED_GROUP_SCALES,
  PACKED_STRIP,
  PackedGemm,
  PackedProduct,
  PackedQuantize,
  PackedTake,
} from '../../../assembly/shared/instructions'
import { Opcode } from '../../../assembly/shared/opcodes'
import type { NumericArray } from '../../core/dtypes'
import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import { sameShape, sizeOf, type Shape, type TensorType } from '../../core/shapes'
import { instruction, type LowerContext } from '../ir/instruction'
import { elementsOf } from './flops'
import { LARGEST, TINY, roundToEven } from './quantized'
import { KernelRoutine, required } from './routine'
import type { Contribution, CostContext, RefContext, VjpContext } from './rule'

/** A matrix of weights of few bits. */
export interface PackedFormat {
  readonly outputs: number
  readonly inputs: number
  readonly bits: 4 | 8
}

const fround = Math.fround
const GROUP = PACKED_GROUP
const QUAD = 4
const QUADS = GROUP / QUAD
/** Inputs in the low halves of the bytes of 4 bits; the others are in the high halves. */
const HALF = GROUP / 2
/** x + this − this is ⌊x⌉, to even, in float32 for |x| < 2²². */
const ROUNDING = 1.5 * 2 ** 23
/** The least normal float32: smaller scales may have no finite reciprocal. */
const LEAST_SCALE = 2 ** -126
const BOOST = 2 ** 64
/** The bytes of one float32 for each output of a strip. */
const SCALES = 4 * PACKED_STRIP

/** The outputs of a strip, whose weights are side by side in memory. */
export const STRIP_OUTPUTS: number = PACKED_STRIP

/** Groups of 32 inputs, the last of which may be shorter. */
export function groupsOf(inputs: number): number {
  return Math.ceil(inputs / GROUP)
}

/** The bytes of one group of the outputs of a strip: scales, with 4 bits minima, and integers. */
function groupBytes({ bits }: PackedFormat): number {
  return (bits === 4 ? 2 : 1) * SCALES + (PACKED_STRIP * GROUP * bits) / 8
}

/** The shape of a packed matrix: [strips of 8 outputs, bytes of a strip]. */
export function packedShape(format: PackedFormat): readonly [strips: number, bytes: number] {
  return [Math.ceil(format.outputs / PACKED_STRIP), groupsOf(format.inputs) * groupBytes(format)]
}

/** The bytes of a packed matrix. @internal */
export function packedBytes(outputs: number, inputs: number, bits: 4 | 8): number {
  return sizeOf(packedShape({ outputs, inputs, bits }))
}

/** The integers of a group, with zeros past the last input, and what makes weights of them. */
interface Group {
  readonly integers: Int32Array
  scale: number
  /** 0 with 8 bits. */
  minimum: number
}

/** Views of the bytes of a packed matrix, in the order in which kernels read them: assembly/shared/instructions.ts. */
export class PackedMatrix {
  private readonly floats: Float32Array
  private readonly stripBytes: number
  private readonly groupBytes: number

  constructor(
    readonly bytes: Int8Array,
    readonly format: PackedFormat,
  ) {
    const shape = packedShape(format)
    if (bytes.length !== sizeOf(shape))
      throw new ShapeError(
        `packed weights: [${format.outputs}, ${format.inputs}] with ${format.bits} bits take ${sizeOf(shape)} bytes, received ${bytes.length}`,
      )
    this.floats = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
    this.stripBytes = shape[1]
    this.groupBytes = groupBytes(format)
  }

  /** The byte at which a group of a row has its scale. */
  private groupAt(row: number, group: number): number {
    const lane = row % PACKED_STRIP
    return ((row - lane) / PACKED_STRIP) * this.stripBytes + group * this.groupBytes + 4 * lane
  }

  /** Writes the integers of a group, within −128 … 127 or 0 … 15, and 0 past the last input of the row. */
  setGroup(row: number, group: number, { integers, scale, minimum }: Group): void {
    const at = this.groupAt(row, group)
    const { bytes, floats } = this
    floats[at >> 2] = scale
    if (this.format.bits === 8) {
      for (let i = 0, to = at + SCALES; i < GROUP; i += QUAD, to += SCALES) {
        bytes[to] = integers[i]!
        bytes[to + 1] = integers[i + 1]!
        bytes[to + 2] = integers[i + 2]!
        bytes[to + 3] = integers[i + 3]!
      }
      return
    }
    floats[(at + SCALES) >> 2] = minimum
    for (let i = 0, to = at + 2 * SCALES; i < HALF; i += QUAD, to += SCALES) {
      bytes[to] = integers[i]! | (integers[i + HALF]! << 4)
      bytes[to + 1] = integers[i + 1]! | (integers[i + HALF + 1]! << 4)
      bytes[to + 2] = integers[i + 2]! | (integers[i + HALF + 2]! << 4)
      bytes[to + 3] = integers[i + 3]! | (integers[i + HALF + 3]! << 4)
    }
  }

  scaleOf(row: number, group: number): number {
    return this.floats[this.groupAt(row, group) >> 2]!
  }

  /** 0 with 8 bits. */
  minimumOf(row: number, group: number): number {
    return this.format.bits === 8 ? 0 : this.floats[(this.groupAt(row, group) + SCALES) >> 2]!
  }

  integerAt(row: number, input: number): number {
    const i = input % GROUP
    const at = this.groupAt(row, (input - i) / GROUP)
    const quad = i >> 2
    if (this.format.bits === 8) return this.bytes[at + SCALES + quad * SCALES + (i % QUAD)]!
    const both = this.bytes[at + 2 * SCALES + (quad % (QUADS / 2)) * SCALES + (i % QUAD)]!
    return quad < QUADS / 2 ? both & 15 : (both >> 4) & 15
  }

  /** The weight that kernels compute with. */
  weightAt(row: number, input: number): number {
    const group = Math.floor(input / GROUP)
    return fround(fround(this.scaleOf(row, group) * this.integerAt(row, input)) - this.minimumOf(row, group))
  }
}

/** @throws ShapeError unless `count` numbers are whole rows of the matrix, from `row` on */
function requireRows({ outputs, inputs }: PackedFormat, row: number, count: number): number {
  const rows = count / inputs
  if (Number.isInteger(rows) && row >= 0 && row + rows <= outputs) return rows
  throw new ShapeError(
    `packed weights: expected whole rows of [${outputs}, ${inputs}] from row ${row} on, received ${count} numbers`,
  )
}

/**
 * Quantizes rows of float32 weights into a packed matrix, from row `row` on. An error of a weight is up to half of its group's
 * scale, and the rounding of float32. The largest and the least weight of a group with 4 bits differ by less than 2¹²⁸.
 * @param weights [rows, inputs]
 * @throws ShapeError if these are not whole rows of the matrix; ArgumentError for NaN and infinite weights
 */
export function packRows(packed: Int8Array, format: PackedFormat, row: number, weights: Float32Array): void {
  const matrix = new PackedMatrix(packed, format)
  const rows = requireRows(format, row, weights.length)
  const { inputs } = format
  const group: Group = { integers: new Int32Array(GROUP), scale: 0, minimum: 0 }
  const quantize = format.bits === 8 ? quantizeSymmetric : quantizeAboveMinimum
  for (let i = 0; i < rows; i++) {
    for (let input = 0; input < inputs; input += GROUP) {
      const from = i * inputs + input
      quantize(group, weights, from, Math.min(GROUP, inputs - input))
      if (!(group.scale < Infinity))
        throw new ArgumentError(`packed weights: row ${row + i} has weights that are not finite`)
      matrix.setGroup(row + i, input / GROUP, group)
    }
  }
}

/** The power of two by which weights are multiplied before they are divided by a scale that has no finite reciprocal. */
function boostOf(scale: number): number {
  return scale < LEAST_SCALE ? BOOST : 1
}

/** q = ⌊w · (1 / d)⌉, to even, with d = max |w| / 127, in float32 */
function quantizeSymmetric(group: Group, weights: Float32Array, from: number, count: number): void {
  const { integers } = group
  let largest = 0
  // NaN or 0
  let sum = 0
  for (let i = from; i < from + count; i++) {
    const magnitude = Math.abs(weights[i]!)
    sum += magnitude - magnitude
    if (magnitude > largest) largest = magnitude
  }
  const scale = fround(largest / LARGEST)
  const boost = boostOf(scale)
  const factor = scale > 0 ? fround(1 / (scale * boost)) : 0
  group.scale = scale + sum
  for (let i = 0; i < count; i++) {
    const q = fround(fround(weights[from + i]! * boost * factor) + ROUNDING) - ROUNDING
    integers[i] = Math.max(-LARGEST, Math.min(LARGEST, q))
  }
  integers.fill(0, count)
}

/** q = ⌊(w + m) · (1 / d)⌉, to even, with d = (max w − min w) / 15 and m = −min w, in float32 */
function quantizeAboveMinimum(group: Group, weights: Float32Array, from: number, count: number): void {
  const { integers } = group
  let least = Infinity
  let most = -Infinity
  let sum = 0
  for (let i = from; i < from + count; i++) {
    const weight = weights[i]!
    sum += weight - weight
    if (weight < least) least = weight
    if (weight > most) most = weight
  }
  const scale = fround((most - least) / 15)
  const boost = boostOf(scale)
  const factor = scale > 0 ? fround(1 / (scale * boost)) : 0
  group.scale = scale + sum
  // 0 also for −0
  group.minimum = 0 - least
  for (let i = 0; i < count; i++) {
    const q = fround(fround(fround((weights[from + i]! - least) * boost) * factor) + ROUNDING) - ROUNDING
    integers[i] = q > 15 ? 15 : q
  }
  integers.fill(0, count)
}

/**
 * Writes weights that are already integers into rows of a packed matrix, from row `row` on.
 * @param integers [rows, inputs]: within −128 … 127, or 0 … 15
 * @param scales [rows, groups]
 * @param minima [rows, groups], subtracted; null with 8 bits
 * @throws ShapeError if these are not whole rows of the matrix
 */
export function packIntegers(
  packed: Int8Array,
  format: PackedFormat,
  row: number,
  integers: Int8Array | Uint8Array,
  scales: Float32Array,
  minima: Float32Array | null,
): void {
  const matrix = new PackedMatrix(packed, format)
  const rows = requireRows(format, row, integers.length)
  const { inputs } = format
  const groups = groupsOf(inputs)
  if (scales.length !== rows * groups || (format.bits === 4 && minima?.length !== rows * groups))
    throw new ShapeError(
      `packed weights: ${rows} rows of ${inputs} inputs have ${rows * groups} scales, with 4 bits also minima, received ${scales.length} and ${minima?.length ?? 'none'}`,
    )
  const group: Group = { integers: new Int32Array(GROUP), scale: 0, minimum: 0 }
  for (let i = 0; i < rows * groups; i++) {
    const at = i % groups
    const start = ((i - at) / groups) * inputs
    const part = integers.subarray(start + at * GROUP, start + Math.min(inputs, (at + 1) * GROUP))
    group.integers.set(part)
    group.integers.fill(0, part.length)
    group.scale = scales[i]!
    group.minimum = minima?.[i] ?? 0
    matrix.setGroup(row + (i - at) / groups, at, group)
  }
}

/** Rows of a packed matrix as the float32 numbers that kernels compute with, [rows, inputs]. */
export function unpackRows(packed: Int8Array, format: PackedFormat, row: number, rows: number): Float32Array {
  const matrix = new PackedMatrix(packed, format)
  const { inputs } = format
  const weights = new Float32Array(rows * inputs)
  for (let i = 0; i < weights.length; i++) {
    const input = i % inputs
    weights[i] = matrix.weightAt(row + (i - input) / inputs, input)
  }
  return weights
}

/** The packed matrix of a reference. */
function matrixOf(packed: NumericArray, format: PackedFormat): PackedMatrix {
  return new PackedMatrix(Int8Array.from(packed), format)
}

function requirePacked(name: string, packed: TensorType, format: PackedFormat): void {
  const expected = packedShape(format)
  if (packed.dtype !== 'int8' || !sameShape(packed.shape, expected))
    throw new ShapeError(
      `${name}: packed weights [${format.outputs}, ${format.inputs}] with ${format.bits} bits must be int8 ${formatShape(expected)}, received ${packed.dtype} ${formatShape(packed.shape)}`,
    )
}

/** The rows of all axes but the last. */
function rowsOf(shape: Shape): number {
  return sizeOf(shape.slice(0, -1))
}

/**
 * What a product computes, for weights W [outputs, inputs]:
 *
 *   rounded      x · Wᵀ, with x rounded to integers by groups
 *   exact        x · Wᵀ
 *   transposed   x · W, the gradient of both with respect to x
 */
export type PackedKind = 'rounded' | 'exact' | 'transposed'

/** x float32 [… , inputs], packed int8 → y float32 [… , outputs]; transposed: from outputs to inputs. */
export class PackedMatmul extends KernelRoutine {
  readonly name = 'packedMatmul'
  override readonly takesInt8 = true
  override readonly multiplies = true

  constructor(
    readonly format: PackedFormat,
    readonly kind: PackedKind,
  ) {
    super()
  }

  private get sizes(): readonly [from: number, to: number] {
    const { inputs, outputs } = this.format
    return this.kind === 'transposed' ? [outputs, inputs] : [inputs, outputs]
  }

  override infer([x, packed]: readonly TensorType[]): readonly TensorType[] {
    const [from, to] = this.sizes
    if (x!.dtype !== 'float32' || x!.shape.at(-1) !== from)
      throw new ShapeError(
        `${this.name}: the operand must be float32 with a last axis of ${from}, received ${x!.dtype} ${formatShape(x!.shape)}`,
      )
    requirePacked(this.name, packed!, this.format)
    return [{ shape: [...x!.shape.slice(0, -1), to], dtype: 'float32' }]
  }

  override keepsAxis([x]: readonly TensorType[], operand: number, axis: number): boolean {
    return operand === 0 && axis < x!.shape.length - 1
  }

  override temporaryBytes([x]: readonly TensorType[]): number {
    if (this.kind !== 'rounded') return 0
    return rowsOf(x!.shape) * groupsOf(this.format.inputs) * (PACKED_GROUP_BYTES + PACKED_GROUP_SCALES)
  }

  override lower(context: LowerContext<unknown>): void {
    const {
      inputs: [x, packed],
      outputs: [out],
      scratch,
      wideTiles,
      emit,
    } = context
    if (sizeOf(out!.shape) === 0) return
    if (this.kind === 'rounded') {
      this.lowerRounded(context)
      return
    }
    emit(
      instruction(Opcode.PackedGemm, PackedGemm, {
        out: out!.address,
        lhs: x!.address,
        weights: packed!.address,
        rows: rowsOf(x!.shape),
        outputs: this.format.outputs,
        inputs: this.format.inputs,
        bits: this.format.bits,
        transposed: Number(this.kind === 'transposed'),
        wide: Number(wideTiles),
        scratch,
      }),
    )
  }

  private lowerRounded({ inputs: [x, packed], outputs: [out], temporary, scratch, emit }: LowerContext<unknown>): void {
    const { inputs, outputs, bits } = this.format
    const rows = rowsOf(x!.shape)
    const integers = required(temporary)
    const scales = {
      buffer: integers.buffer,
      offset: integers.offset + rows * groupsOf(inputs) * PACKED_GROUP_BYTES,
    }
    emit(
      instruction(Opcode.PackedQuantize, PackedQuantize, {
        out: integers,
        scales,
        input: x!.address,
        rows,
        columns: inputs,
        bits,
        scratch,
      }),
    )
    emit(
      instruction(Opcode.PackedProduct, PackedProduct, {
        out: out!.address,
        input: integers,
        scales,
        weights: packed!.address,
        rows,
        outputs,
        inputs,
        bits,
        scratch,
      }),
    )
  }

  // dx = dy W, also for rounded x: rounding counts as the identity. Packed weights have no gradient.
  override vjp({ e, inputs, cotangents: [dy] }: VjpContext<unknown>): readonly (Contribution | null)[] {
    const kind = this.kind === 'transposed' ? 'exact' : 'transposed'
    const [dx] = e.routine(new PackedMatmul(this.format, kind), [dy!, inputs[1]!])
    return [dx!, null]
  }

  // × and + per product; rounded: |x|, the maximum, × and rounding per element
  override flops({ inputs: [x], outputs: [out] }: CostContext<unknown>): number {
    const products = 2 * elementsOf([out!]) * this.sizes[0]
    return this.kind === 'rounded' ? products + 4 * elementsOf([x!]) : products
  }

  override reference({ inputs: [x, packed], outputs: [out] }: RefContext<unknown>): void {
    const matrix = matrixOf(packed!, this.format)
    if (this.kind === 'rounded') multiplyRounded(out!, x!, matrix)
    else multiplyExact(out!, x!, matrix, this.kind === 'transposed')
  }
}

function multiplyExact(out: NumericArray, x: NumericArray, matrix: PackedMatrix, isTransposed: boolean): void {
  const { inputs, outputs } = matrix.format
  const [from, to] = isTransposed ? [outputs, inputs] : [inputs, outputs]
  for (let i = 0; i < out.length; i++) {
    const column = i % to
    const start = ((i - column) / to) * from
    let sum = 0
    for (let p = 0; p < from; p++)
      sum += x[start + p]! * (isTransposed ? matrix.weightAt(p, column) : matrix.weightAt(column, p))
    out[i] = sum
  }
}

function multiplyRounded(out: NumericArray, x: NumericArray, matrix: PackedMatrix): void {
  const { inputs, outputs } = matrix.format
  out.fill(0)
  for (let row = 0; row < out.length / outputs; row++) {
    for (let group = 0; group < groupsOf(inputs); group++) {
      const from = group * GROUP
      const rounded = roundedGroup(x, row * inputs + from, Math.min(GROUP, inputs - from))
      for (let o = 0; o < outputs; o++) {
        const product = rounded.integers.reduce((sum, q, i) => sum + q * matrix.integerAt(o, from + i), 0)
        const scale = fround(rounded.scale * matrix.scaleOf(o, group))
        out[row * outputs + o]! += product * scale - rounded.sum * matrix.minimumOf(o, group)
      }
    }
  }
}

interface RoundedGroup {
  readonly integers: readonly number[]
  readonly scale: number
  /** scale · Σ integers */
  readonly sum: number
}

/** `count` numbers from `start` on as integers within ±127. */
function roundedGroup(x: NumericArray, start: number, count: number): RoundedGroup {
  const group = Array.from({ length: count }, (_, i) => fround(x[start + i]!))
  const largest = Math.max(...group.map(Math.abs))
  const factor = largest > TINY ? fround(LARGEST / largest) : 0
  const integers = group.map((each) => roundToEven(Math.max(-LARGEST, Math.min(LARGEST, fround(each * factor)))))
  const scale = fround(largest / LARGEST)
  return { integers, scale, sum: fround(scale * integers.reduce((sum, q) => sum + q, 0)) }
}

/**
 * packed int8, ids int32 → rows of the matrix, [… ids, inputs]. Negative ids count from the end; the row of an id outside of the
 * matrix is NaN, as in gather. No gradient flows.
 */
export class PackedRows extends KernelRoutine {
  readonly name = 'packedTake'
  override readonly takesInt8 = true

  constructor(readonly format: PackedFormat) {
    super()
  }

  override infer([packed, ids]: readonly TensorType[]): readonly TensorType[] {
    requirePacked(this.name, packed!, this.format)
    if (ids!.dtype !== 'int32') throw new ShapeError(`${this.name}: ids must be int32, received ${ids!.dtype}`)
    return [{ shape: [...ids!.shape, this.format.inputs], dtype: 'float32' }]
  }

  override keepsAxis(_inputs: readonly TensorType[], operand: number): boolean {
    return operand === 1
  }

  override lower({ inputs: [packed, ids], outputs: [out], emit }: LowerContext<unknown>): void {
    if (sizeOf(out!.shape) === 0) return
    emit(
      instruction(Opcode.PackedTake, PackedTake, {
        out: out!.address,
        weights: packed!.address,
        indices: ids!.address,
        count: sizeOf(ids!.shape),
        outputs: this.format.outputs,
        inputs: this.format.inputs,
        bits: this.format.bits,
      }),
    )
  }

  // × and −, with 4 bits, per element
  override flops({ outputs }: CostContext<unknown>): number {
    return (this.format.bits === 4 ? 2 : 1) * elementsOf(outputs)
  }

  override reference({ inputs: [packed, ids], outputs: [out] }: RefContext<unknown>): void {
    const matrix = matrixOf(packed!, this.format)
    const { inputs, outputs } = this.format
    ids!.forEach((id, i) => {
      const row = id < 0 ? id + outputs : id
      const isInside = row >= 0 && row < outputs
      for (let input = 0; input < inputs; input++)
        out![i * inputs + input] = isInside ? matrix.weightAt(row, input) : NaN
    })
  }
}
