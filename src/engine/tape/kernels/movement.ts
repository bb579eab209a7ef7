// Copies into parts of a larger tensor on the tape.

import { Accumulate, Copy, Fill } from '../../../../assembly/shared/instructions'
import { Opcode } from '../../../../assembly/shared/opcodes'
import { rowMajorStrides, sizeOf, splitAround, type Shape } from '../../../core/shapes'
import type { AxisAttributes, PrimitiveAttributes } from '../../ir/attributes'
import { instruction, type Instruction, type Word } from '../../ir/instruction'
import { offsetBy, type Operand } from '../../ir/operand'
import { concatStarts, padStart } from '../../primitives/movement'
import type { TapeKernel } from './kernel'

/** Copies `from` into a region of `out` that starts `start` elements in and has out's row-major strides. */
function copyInto(out: Operand, outStrides: readonly number[], start: number, from: Operand): Instruction[] {
  const address = offsetBy(out.address, 4 * start)
  const placed = address.buffer === from.address.buffer && address.offset === from.address.offset
  if (placed || sizeOf(from.shape) === 0) return []
  const { rank, lists } = dimensionsOf(from, outStrides)
  return [instruction(Opcode.Copy, Copy, { out: address, input: from.address, rank }, lists)]
}

/** Adds `from` to such a region. */
function addInto(out: Operand, outStrides: readonly number[], start: number, from: Operand): Instruction[] {
  const address = offsetBy(out.address, 4 * start)
  if (sizeOf(from.shape) === 0) return []
  const { rank, lists } = dimensionsOf(from, outStrides)
  return [instruction(Opcode.Accumulate, Accumulate, { out: address, input: from.address, rank }, lists)]
}

function dimensionsOf(from: Operand, outStrides: readonly number[]): { rank: number; lists: Word[] } {
  const dimensions = collapse(from.shape, from.strides, outStrides)
  return {
    rank: dimensions.length,
    lists: dimensions.flatMap(({ extent, inputStride, outStride }) => [extent, inputStride, outStride]),
  }
}

interface CopyAxis {
  readonly extent: number
  readonly inputStride: number
  readonly outStride: number
}

/** Merges neighbouring axes that both sides traverse as one. */
function collapse(shape: Shape, inputStrides: readonly number[], outStrides: readonly number[]): CopyAxis[] {
  const result: CopyAxis[] = []
  for (let i = 0; i < shape.length; i++) {
    const axis = { extent: shape[i]!, inputStride: inputStrides[i]!, outStride: outStrides[i]! }
    const last = result[result.length - 1]
    if (axis.extent === 1) continue
    const joins =
      last !== undefined &&
      last.inputStride === axis.inputStride * axis.extent &&
      last.outStride === axis.outStride * axis.extent
    if (joins) result[result.length - 1] = { ...axis, extent: last.extent * axis.extent }
    else result.push(axis)
  }
  return result.length > 0 ? result : [{ extent: 1, inputStride: 1, outStride: 1 }]
}

const concat: TapeKernel<AxisAttributes> = {
  accepts: () => true,
  lower({ inputs, outputs: [out], attributes: { axis }, emit }) {
    const starts = concatStarts(inputs, axis)
    const strides = rowMajorStrides(out!.shape)
    inputs.forEach((input, i) => copyInto(out!, strides, starts[i]!, input).forEach(emit))
  },
  places: (inputs, { axis }) => (splitAround(inputs[0]!.shape, axis).outer === 1 ? concatStarts(inputs, axis) : null),
}

const pad: TapeKernel<PrimitiveAttributes['pad']> = {
  accepts: () => true,
  lower({ inputs: [x], outputs: [out], attributes: { before, value }, emit }) {
    const strides = rowMajorStrides(out!.shape)
    const word = out!.dtype === 'float32' ? { float: value } : value
    emit(instruction(Opcode.Fill, Fill, { out: out!.address, count: sizeOf(out!.shape), value: word }))
    copyInto(out!, strides, padStart(strides, before), x!).forEach(emit)
  },
}

const sliceAdd: TapeKernel<PrimitiveAttributes['sliceAdd']> = {
  inPlace: () => [[0, 0]],
  accepts: () => true,
  lower({ inputs: [base, block], outputs: [out], attributes: { starts }, emit }) {
    const strides = rowMajorStrides(out!.shape)
    copyInto(out!, strides, 0, base!).forEach(emit)
    addInto(out!, strides, padStart(strides, starts), block!).forEach(emit)
  },
}

export const movement = { concat, sliceAdd, pad }
