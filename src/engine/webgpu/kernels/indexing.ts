// gather and its adjoint on the GPU.

import { sizeOf, splitAround } from '../../../core/shapes'
import type { PrimitiveAttributes } from '../../ir/attributes'
import { fillingBits } from '../../primitives/indexing'
import { kernelIn, kernelOver } from '../dispatch'
import type { GpuKernel } from '../kernel'

const gather: GpuKernel<PrimitiveAttributes['gather']> = {
  lower({ inputs: [x, indices], outputs: [out], attributes: { axis: along, zeros = false }, unless, emit }) {
    const { axis, inner } = splitAround(x!.shape, along)
    const total = sizeOf(out!.shape)
    if (total === 0) return
    emit(
      kernelOver(total, {
        fields: {
          x: x!.address,
          indices: indices!.address,
          out: out!.address,
          axis,
          inner,
          selected: sizeOf(indices!.shape),
          filling: zeros ? 0 : fillingBits(x!.dtype),
        },
        body: `let column = index % p.inner;
let row = index / p.inner;
let place = placeOf(i32At(p.indices + row % p.selected), p.axis);
if (place < 0i) { memory[p.out + index] = p.filling; }
else { memory[p.out + index] = memory[p.x + (row / p.selected * p.axis + u32(place)) * p.inner + column]; }`,
        unless,
      }),
    )
  },
}

/** The results along the axis of one workgroup. */
const PLACES = 8
const THREADS = 64

/**
 * A workgroup computes a few neighbouring results. Its threads search the indices for them, and each thread adds the updates
 * of some columns, in the order of the indices.
 */
const scatterAdd: GpuKernel<PrimitiveAttributes['scatterAdd']> = {
  lower({ inputs: [updates, indices], outputs: [out], attributes: { axis: along }, unless, emit }) {
    const { outer, axis, inner } = splitAround(out!.shape, along)
    if (outer * axis * inner === 0) return
    const isFloat = updates!.dtype === 'float32'
    const [zero, add] = isFloat
      ? ['storeF32(to, 0.0);', 'storeF32(to, f32At(to) + f32At(source));']
      : ['storeI32(to, 0i);', 'storeI32(to, i32At(to) + i32At(source));']
    const blocks = Math.ceil(axis / PLACES)
    emit(
      kernelIn(outer * blocks, {
        fields: {
          updates: updates!.address,
          indices: indices!.address,
          out: out!.address,
          outer,
          axis,
          inner,
          blocks,
          selected: sizeOf(indices!.shape),
        },
        threads: THREADS,
        declarations: `var<workgroup> found: array<u32, ${THREADS}>;
var<workgroup> hits: atomic<u32>;`,
        body: `let row = group / p.blocks;
if (row >= p.outer) { return; }
let first = group % p.blocks * ${PLACES}u;
for (var i = 0u; i < ${PLACES}u && first + i < p.axis; i++) {
for (var j = thread; j < p.inner; j += ${THREADS}u) { let to = p.out + (row * p.axis + first + i) * p.inner + j; ${zero} }
}
for (var start = 0u; start < p.selected; start += ${THREADS}u) {
var place = ${PLACES}u;
if (start + thread < p.selected) {
let at = placeOf(i32At(p.indices + start + thread), p.axis);
if (at >= i32(first) && at < i32(first + ${PLACES}u)) { place = u32(at) - first; }
}
found[thread] = place;
if (place < ${PLACES}u) { atomicAdd(&hits, 1u); }
workgroupBarrier();
if (atomicLoad(&hits) > 0u) {
for (var i = 0u; i < ${THREADS}u; i++) {
if (found[i] < ${PLACES}u) {
for (var j = thread; j < p.inner; j += ${THREADS}u) {
let to = p.out + (row * p.axis + first + found[i]) * p.inner + j;
let source = p.updates + (row * p.selected + start + i) * p.inner + j;
${add}
}
}
}
}
workgroupBarrier();
if (thread == 0u) { atomicStore(&hits, 0u); }
workgroupBarrier();
}`,
        unless,
      }),
    )
  },
}

export const indexing = { gather, scatterAdd }
