// Reductions on the GPU: a workgroup computes some neighbouring results. Its threads pass over parts of the axis, and their results
// are combined as a tree, always in the same order.

import { internalError } from '../../../core/errors'
import { adjacentGroups, sizeOf, splitAround } from '../../../core/shapes'
import type { DType } from '../../../core/dtypes'
import type { AxesAttributes } from '../../ir/attributes'
import { kernelIn } from '../dispatch'
import { loaded, stored } from '../chain'
import type { GpuKernel } from '../kernel'

const THREADS = 256

/** A reduction: the result of an empty axis, and how two results are combined, as WGSL. */
interface Reducer {
  readonly start: string
  readonly combined: string
}

/** @param mean whether the result is divided by the length of the axis */
function reduction(float: Reducer, integer: Reducer | null, mean = false): GpuKernel<AxesAttributes> {
  return {
    lower({ inputs: [x], outputs: [out], attributes: { axes }, unless, emit }) {
      if (adjacentGroups(axes).length > 1) throw internalError(`no reduction along axes ${axes.join()}`)
      const { dtype, shape } = x!
      const reducer = dtype === 'float32' ? float : integer
      if (reducer === null) throw internalError(`no reduction of ${dtype}`)
      const { outer, axis, inner } = axes.length === 0 ? splitAround(shape, 0, -1) : splitAround(shape, axes[0]!, axes.at(-1))
      if (sizeOf(out!.shape) === 0) return
      const across = inner === 1 ? 1 : 16
      const deep = THREADS / across
      const blocks = Math.ceil(inner / across)
      const result = mean ? 'part[thread] / f32(p.axis)' : 'part[thread]'
      emit(
        kernelIn(outer * blocks, {
          fields: { x: x!.address, out: out!.address, outer, axis, inner, blocks },
          threads: THREADS,
          declarations: `var<workgroup> part: array<${typeOf(dtype)}, ${THREADS}>;`,
          body: `let row = group / p.blocks;
if (row >= p.outer) { return; }
let column = group % p.blocks * ${across}u + thread % ${across}u;
let deep = thread / ${across}u;
var a = ${reducer.start};
if (column < p.inner) {
for (var i = deep; i < p.axis; i += ${deep}u) { let b = ${loaded(dtype, 'p.x + (row * p.axis + i) * p.inner + column')}; a = ${reducer.combined}; }
}
part[thread] = a;
workgroupBarrier();
for (var half = ${deep / 2}u; half > 0u; half /= 2u) {
if (deep < half) { let b = part[thread + half * ${across}u]; a = ${reducer.combined}; part[thread] = a; }
workgroupBarrier();
}
if (deep == 0u && column < p.inner) { ${stored(dtype, 'p.out + row * p.inner + column', result)} }`,
          unless,
        }),
      )
    },
  }
}

const typeOf = (dtype: DType): string => (dtype === 'float32' ? 'f32' : 'i32')

const sum: Reducer = { start: '0.0', combined: 'a + b' }
const sumI32: Reducer = { start: '0i', combined: 'a + b' }

export const reductions = { sum: reduction(sum, sumI32), mean: reduction(sum, null, true) }
