// gather, its adjoint, scatterMax and insertions on the GPU.

import { BYTES_PER_ELEMENT } from '../../../core/dtypes'
import { sizeOf, splitAround } from '../../../core/shapes'
import type { PrimitiveAttributes } from '../../ir/attributes'
import { fillingBits, type InsertBlock, type ScatterMax } from '../../primitives/indexing'
import { arrayOf } from '../dispatch'
import type { GpuContext, GpuKernel, RoutineKernel } from '../kernel'
import { LEAST } from './rows'

const gather: GpuKernel<PrimitiveAttributes['gather']> = {
  lower({ inputs: [x, indices], outputs: [out], attributes: { axis: along, zeros = false }, emit }) {
    const { axis, inner } = splitAround(x!.shape, along)
    emit.over(sizeOf(out!.shape), {
      fields: {
        x,
        indices,
        out,
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
    })
  },
}

/** The results along the axis of one workgroup. */
const PLACES = 8
const THREADS = 64

/** How the updates of one result are combined. */
interface Scattering {
  /** The bits of a result without updates. */
  readonly start: number
  /** A statement that joins the update at `source` to the result at `to`. */
  readonly join: string
}

/**
 * A workgroup computes a few neighbouring results. Its threads search the indices for them, and each thread joins the updates
 * of some columns, in the order of the indices.
 */
function emitScatter(
  { inputs: [updates, indices], outputs: [out], emit }: GpuContext<unknown>,
  along: number,
  { start, join }: Scattering,
): void {
  const { outer, axis, inner } = splitAround(out!.shape, along)
  const blocks = Math.ceil(axis / PLACES)
  emit.groups(outer * blocks, {
    fields: {
      updates,
      indices,
      out,
      axis,
      inner,
      blocks,
      selected: sizeOf(indices!.shape),
      start,
    },
    threads: THREADS,
    shared: { found: arrayOf('u32', THREADS), hits: { type: 'atomic<u32>', bytes: 4 } },
    body: `let row = group / p.blocks;
let first = group % p.blocks * ${PLACES}u;
for (var i = 0u; i < ${PLACES}u && first + i < p.axis; i++) {
for (var j = thread; j < p.inner; j += ${THREADS}u) { let to = p.out + (row * p.axis + first + i) * p.inner + j; memory[to] = p.start; }
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
${join}
}
}
}
}
workgroupBarrier();
if (thread == 0u) { atomicStore(&hits, 0u); }
workgroupBarrier();
}`,
  })
}

const sums: Readonly<Record<'float32' | 'int32', Scattering>> = {
  float32: { start: 0, join: 'storeF32(to, f32At(to) + f32At(source));' },
  int32: { start: 0, join: 'storeI32(to, i32At(to) + i32At(source));' },
}
const maxima: typeof sums = {
  float32: { start: LEAST, join: 'storeF32(to, maximum(f32At(to), f32At(source)));' },
  int32: { start: -(2 ** 31), join: 'storeI32(to, max(i32At(to), i32At(source)));' },
}
const scatteringFor = (all: typeof sums, { inputs: [updates] }: GpuContext<unknown>): Scattering =>
  all[updates!.dtype === 'float32' ? 'float32' : 'int32']

const scatterAdd: GpuKernel<PrimitiveAttributes['scatterAdd']> = {
  lower: (context) => emitScatter(context, context.attributes.axis, scatteringFor(sums, context)),
}

export const scatterMax: RoutineKernel<ScatterMax> = {
  lower: ({ axis }, context) => emitScatter(context, axis, scatteringFor(maxima, context)),
}

export const insert: RoutineKernel<InsertBlock> = {
  lower({ axis: along }, { inputs: [base, block, start], outputs: [out], emit }) {
    const { axis, inner } = splitAround(base!.shape, along)
    const selected = block!.shape[along]!
    emit.copy(base!.address, out!.address, BYTES_PER_ELEMENT * sizeOf(base!.shape))
    emit.over(sizeOf(block!.shape), {
      fields: { block, start, out, axis, inner, selected },
      body: `let first = u32(clamp(i32At(p.start), 0, i32(p.axis - p.selected)));
let each = p.selected * p.inner;
memory[p.out + (index / each * p.axis + first) * p.inner + index % each] = memory[p.block + index];`,
    })
  },
}

export const indexing = { gather, scatterAdd }
