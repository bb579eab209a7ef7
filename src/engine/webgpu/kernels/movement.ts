// Copies into parts of a larger tensor on the GPU.

import type { DType } from '../../../core/dtypes'
import { rowMajorStrides, sizeOf, splitAround } from '../../../core/shapes'
import type { AxisAttributes, PrimitiveAttributes } from '../../ir/attributes'
import { offsetBy, type Address, type Operand } from '../../ir/operand'
import { concatStarts, padStart } from '../../primitives/movement'
import { loaded, stored } from '../chain'
import type { Emitter, RecordFields } from '../dispatch'
import type { Sources } from '../functions/sources'
import type { GpuKernel } from '../kernel'
import { renamed } from '../module'
import { isSamePlace } from '../ranges'
import { stridedOffsets } from '../strided'

/** WGSL of an element of the region, and of the operand added to it. */
const added = (dtype: DType): string => `${loaded(dtype, 'p.to + to_at')} + ${loaded(dtype, 'p.source + source_at')}`

/** Copies `from` into a region of `out` that starts `start` elements in and has out's row-major strides; or adds it to the region. */
function copyInto(out: Operand, start: number, from: Operand, emit: Emitter, adds = false): void {
  const to = offsetBy(out.address, 4 * start)
  if (!adds && isSamePlace(from.address, to)) return
  const { fields, code } = stridedOffsets('index', from.shape, { source: from.strides, to: rowMajorStrides(out.shape) })
  const moved = adds
    ? stored(out.dtype, 'p.to + to_at', added(out.dtype))
    : 'memory[p.to + to_at] = memory[p.source + source_at];'
  emit.over(sizeOf(from.shape), { fields: { source: from, to, ...fields }, body: `${code}\n${moved}` })
}

/** The operands of one kernel: a record has room for these. */
const MOST_PARTS = 8

/** A part of a concatenation that is not there yet. */
interface Part {
  readonly from: Operand
  readonly to: Address
}

/** Copies several parts of `out` in one kernel, whose threads belong to the first part, and so on. */
function copyParts(out: Operand, parts: readonly Part[], emit: Emitter): void {
  const all: Record<string, RecordFields[string]> = {}
  const functions: Record<string, Sources[string]> = {}
  const strides = rowMajorStrides(out.shape)
  const calls = parts.map(({ from, to }, i) => {
    const { fields, code } = stridedOffsets('index', from.shape, { source: from.strides, to: strides })
    const own = Object.entries({ source: from, to, size: sizeOf(from.shape), ...fields })
    const names = new Map(own.map(([name]) => [`p.${name}`, `p.${name}_${i}`]))
    for (const [name, field] of own) all[`${name}_${i}`] = field
    const copy = renamed(`${code}\nmemory[p.to + to_at] = memory[p.source + source_at];`, names)
    functions[`part${i}`] = `fn part${i}(index: u32) {\n${copy}\n}`
    return `if (rest < p.size_${i}) { part${i}(rest); return; }\nrest -= p.size_${i};`
  })
  const count = parts.reduce((sum, { from }) => sum + sizeOf(from.shape), 0)
  emit.over(count, { fields: all, functions, body: `var rest = index;\n${calls.join('\n')}` })
}

const concat: GpuKernel<AxisAttributes> = {
  accepts: () => true,
  lower({ inputs, outputs: [out], attributes: { axis }, isByRow, emit }) {
    const starts = concatStarts(inputs, axis)
    if (isByRow) return inputs.forEach((input, i) => copyInto(out!, starts[i]!, input, emit))
    const parts = inputs
      .map((from, i): Part => ({ from, to: offsetBy(out!.address, 4 * starts[i]!) }))
      .filter(({ from, to }) => !isSamePlace(from.address, to))
    for (let i = 0; i < parts.length; i += MOST_PARTS) copyParts(out!, parts.slice(i, i + MOST_PARTS), emit)
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
