// Copies into parts of a larger tensor on the GPU.

import type { DType } from '../../../core/dtypes'
import { rowMajorStrides, sizeOf, splitAround } from '../../../core/shapes'
import type { AxisAttributes, PrimitiveAttributes } from '../../ir/attributes'
import { offsetBy, type Operand } from '../../ir/operand'
import { concatStarts, padStart } from '../../primitives/movement'
import { loaded, stored } from '../chain'
import type { Emitter } from '../dispatch'
import type { GpuKernel } from '../kernel'
import { stridedOffsets } from '../strided'

/** WGSL of an element of the region, and of the operand added to it. */
const added = (dtype: DType): string => `${loaded(dtype, 'p.to + to_at')} + ${loaded(dtype, 'p.source + source_at')}`

/** Copies `from` into a region of `out` that starts `start` elements in and has out's row-major strides; or adds it to the region. */
function copyInto(out: Operand, start: number, from: Operand, emit: Emitter, adds = false): void {
  const to = offsetBy(out.address, 4 * start)
  const isThere = to.buffer === from.address.buffer && to.offset === from.address.offset
  if (isThere && !adds) return
  const { fields, code } = stridedOffsets('index', from.shape, { source: from.strides, to: rowMajorStrides(out.shape) })
  const moved = adds
    ? stored(out.dtype, 'p.to + to_at', added(out.dtype))
    : 'memory[p.to + to_at] = memory[p.source + source_at];'
  emit.over(sizeOf(from.shape), { fields: { source: from, to, ...fields }, body: `${code}\n${moved}` })
}

const concat: GpuKernel<AxisAttributes> = {
  accepts: () => true,
  lower({ inputs, outputs: [out], attributes: { axis }, emit }) {
    const starts = concatStarts(inputs, axis)
    inputs.forEach((input, i) => copyInto(out!, starts[i]!, input, emit))
  },
  byRow: (inputs, { axis }) => (axis === 0 ? null : inputs.map(() => true)),
  places: (inputs, { axis }) => (splitAround(inputs[0]!.shape, axis).outer === 1 ? concatStarts(inputs, axis) : null),
}

const pad: GpuKernel<PrimitiveAttributes['pad']> = {
  accepts: () => true,
  lower({ inputs: [x], outputs: [out], attributes: { before, value }, emit }) {
    const word = out!.dtype === 'float32' ? { float: value } : value
    const stored = out!.dtype === 'float32' ? 'storeF32(p.out + index, p.value);' : 'memory[p.out + index] = p.value;'
    emit.over(sizeOf(out!.shape), { fields: { out, value: word }, body: stored })
    copyInto(out!, padStart(rowMajorStrides(out!.shape), before), x!, emit)
  },
}

const sliceAdd: GpuKernel<PrimitiveAttributes['sliceAdd']> = {
  inPlace: () => [[0, 0]],
  accepts: () => true,
  lower({ inputs: [base, block], outputs: [out], attributes: { starts }, emit }) {
    copyInto(out!, 0, base!, emit)
    copyInto(out!, padStart(rowMajorStrides(out!.shape), starts), block!, emit, true)
  },
}

export const movement = { concat, pad, sliceAdd }
