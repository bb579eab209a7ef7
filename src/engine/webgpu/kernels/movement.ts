// Copies into parts of a larger tensor on the GPU.

import type { DType } from '../../../core/dtypes'
import { rowMajorStrides, sizeOf, splitAround } from '../../../core/shapes'
import type { AxisAttributes, PrimitiveAttributes } from '../../ir/attributes'
import { offsetBy, type Operand } from '../../ir/operand'
import type { Word } from '../../ir/instruction'
import { concatStarts, padStart } from '../../primitives/movement'
import { loaded, stored } from '../chain'
import { kernelOver, type Dispatch } from '../dispatch'
import type { GpuKernel } from '../kernel'
import { stridedOffsets } from '../strided'

/** WGSL of an element of the region, and of the operand added to it. */
const added = (dtype: DType): string => `${loaded(dtype, 'p.to + to_at')} + ${loaded(dtype, 'p.source + source_at')}`

/** Copies `from` into a region of `out` that starts `start` elements in and has out's row-major strides; or adds it to the region. */
function into(out: Operand, start: number, from: Operand, unless: Word | null, adds = false): Dispatch[] {
  const to = offsetBy(out.address, 4 * start)
  const isThere = to.buffer === from.address.buffer && to.offset === from.address.offset
  const count = sizeOf(from.shape)
  if (count === 0 || (isThere && !adds)) return []
  const { fields, code } = stridedOffsets('index', from.shape, { source: from.strides, to: rowMajorStrides(out.shape) })
  const moved = adds
    ? stored(out.dtype, 'p.to + to_at', added(out.dtype))
    : 'memory[p.to + to_at] = memory[p.source + source_at];'
  return [kernelOver(count, { fields: { source: from.address, to, ...fields }, body: `${code}\n${moved}`, unless })]
}

const concat: GpuKernel<AxisAttributes> = {
  accepts: () => true,
  lower({ inputs, outputs: [out], attributes: { axis }, unless, emit }) {
    const starts = concatStarts(inputs, axis)
    inputs.forEach((input, i) => into(out!, starts[i]!, input, unless).forEach(emit))
  },
  places: (inputs, { axis }) => (splitAround(inputs[0]!.shape, axis).outer === 1 ? concatStarts(inputs, axis) : null),
}

const pad: GpuKernel<PrimitiveAttributes['pad']> = {
  accepts: () => true,
  lower({ inputs: [x], outputs: [out], attributes: { before, value }, unless, emit }) {
    const word = out!.dtype === 'float32' ? { float: value } : value
    const stored = out!.dtype === 'float32' ? 'storeF32(p.out + index, p.value);' : 'memory[p.out + index] = p.value;'
    const count = sizeOf(out!.shape)
    if (count === 0) return
    emit(kernelOver(count, { fields: { out: out!.address, value: word }, body: stored, unless }))
    into(out!, padStart(rowMajorStrides(out!.shape), before), x!, unless).forEach(emit)
  },
}

const sliceAdd: GpuKernel<PrimitiveAttributes['sliceAdd']> = {
  inPlace: () => [[0, 0]],
  accepts: () => true,
  lower({ inputs: [base, block], outputs: [out], attributes: { starts }, unless, emit }) {
    into(out!, 0, base!, unless).forEach(emit)
    into(out!, padStart(rowMajorStrides(out!.shape), starts), block!, unless, true).forEach(emit)
  },
}

export const movement = { concat, pad, sliceAdd }
