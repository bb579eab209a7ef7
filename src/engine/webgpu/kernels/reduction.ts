// Reductions on the GPU: a workgroup computes some neighbouring results. Its threads pass over parts of the axis, and their results
// are combined as a tree, always in the same order.

import { internalError } from '../../../core/errors'
import { adjacentGroups, sizeOf, splitAround } from '../../../core/shapes'
import type { DType } from '../../../core/dtypes'
import type { AxesAttributes, AxisAttributes } from '../../ir/attributes'
import { arrayOf } from '../dispatch'
import { loaded, stored } from '../chain'
import type { GpuKernel } from '../kernel'
import { treeOf, LEAST } from './rows'

const THREADS = 256

interface Reducer {
  /** The bits of the result of an empty axis. */
  start(dtype: DType): number
  /** WGSL for two results a and b as one. */
  readonly combined: string
}

/** @param mean whether the result is divided by the length of the axis */
function reduction(float: Reducer, integer: Reducer | null, mean = false): GpuKernel<AxesAttributes> {
  return {
    lower({ inputs: [x], outputs: [out], attributes: { axes }, emit }) {
      if (adjacentGroups(axes).length > 1) throw internalError(`no reduction along axes ${axes.join()}`)
      const { dtype, shape } = x!
      const reducer = dtype === 'float32' ? float : integer
      if (reducer === null) throw internalError(`no reduction of ${dtype}`)
      const { outer, axis, inner } =
        axes.length === 0 ? splitAround(shape, 0, -1) : splitAround(shape, axes[0]!, axes.at(-1))
      const across = inner === 1 ? 1 : 16
      const deep = THREADS / across
      const blocks = Math.ceil(inner / across)
      const result = mean ? 'part[thread] / f32(p.axis)' : 'part[thread]'
      emit.groups(outer * blocks, {
        fields: { x, out, axis, inner, blocks, start: reducer.start(dtype) },
        threads: THREADS,
        shared: { part: arrayOf(typeOf(dtype), THREADS) },
        body: `let row = group / p.blocks;
let column = group % p.blocks * ${across}u + thread % ${across}u;
let deep = thread / ${across}u;
var a = bitcast<${typeOf(dtype)}>(p.start);
if (column < p.inner) {
for (var i = deep; i < p.axis; i += ${deep}u) { let b = ${loaded(dtype, 'p.x + (row * p.axis + i) * p.inner + column')}; a = ${reducer.combined}; }
}
part[thread] = a;
${treeOf('deep', deep, across, `let b = part[other]; a = ${reducer.combined}; part[thread] = a;`)}
if (deep == 0u && column < p.inner) { ${stored(dtype, 'p.out + row * p.inner + column', result)} }`,
      })
    },
  }
}

const typeOf = (dtype: DType): 'f32' | 'i32' => (dtype === 'float32' ? 'f32' : 'i32')

/** The bits of the result of an empty axis. */
const bits = { zero: 0, least: LEAST, most: 0x7f800000, leastI32: -(2 ** 31), mostI32: 2 ** 31 - 1 }

const sum: Reducer = { start: () => bits.zero, combined: 'a + b' }

/** The position of the extreme along an axis, the first of equal ones; the first NaN counts as extreme. */
function argReduction(comparison: '>' | '<'): GpuKernel<AxisAttributes> {
  return {
    lower({ inputs: [x], outputs: [out], attributes, emit }) {
      const { axis, inner } = splitAround(x!.shape, attributes.axis)
      const isFloat = x!.dtype === 'float32'
      const better = isFloat ? `!isNaN(best) && (a ${comparison} best || isNaN(a))` : `a ${comparison} best`
      emit.over(sizeOf(out!.shape), {
        fields: { x, out, axis, inner },
        body: `let first = p.x + index / p.inner * p.axis * p.inner + index % p.inner;
var place = 0u;
var best = ${loaded(x!.dtype, 'first')};
for (var i = 1u; i < p.axis; i++) {
let a = ${loaded(x!.dtype, 'first + i * p.inner')};
if (${better}) { best = a; place = i; }
}
memory[p.out + index] = place;`,
      })
    },
  }
}

export const reductions = {
  sum: reduction(sum, sum),
  mean: reduction(sum, null, true),
  max: reduction(
    { start: () => bits.least, combined: 'maximum(a, b)' },
    { start: (dtype) => (dtype === 'bool' ? 0 : bits.leastI32), combined: 'max(a, b)' },
  ),
  min: reduction(
    { start: () => bits.most, combined: 'minimum(a, b)' },
    { start: (dtype) => (dtype === 'bool' ? 1 : bits.mostI32), combined: 'min(a, b)' },
  ),
  argMax: argReduction('>'),
  argMin: argReduction('<'),
}
