// Reductions on the GPU: a workgroup computes some neighbouring results. Its threads pass over parts of the axis, and their results
// are combined as a tree, always in the same order. A long axis with few results is divided into slices, whose results are combined
// afterwards.

import { internalError } from '../../../core/errors'
import { BYTES_PER_ELEMENT, type DType } from '../../../core/dtypes'
import { adjacentGroups, sizeOf, splitAround, type Shape } from '../../../core/shapes'
import type { AxesAttributes, AxisAttributes } from '../../ir/attributes'
import type { Operand } from '../../ir/operand'
import { elementsOf } from '../couple'
import { arrayOf, type Emitter, type KernelText } from '../dispatch'
import { loaded, stored } from '../chain'
import type { GpuKernel } from '../kernel'
import { treeOf, LEAST } from './rows'

const THREADS = 256
/** A slice of an axis is so long that each thread of a workgroup passes over at least so many elements. */
const EACH = 64
const MOST_SLICES = 32
/** With so many workgroups, a device is busy without slices. */
const ENOUGH_GROUPS = 96

interface Reducer {
  /** The bits of the result of an empty axis. */
  start(dtype: DType): number
  /** WGSL for two results a and b as one. */
  readonly combined: string
}

/** How workgroups divide a reduction. */
interface Division {
  readonly outer: number
  readonly axis: number
  readonly inner: number
  /** The neighbouring results of a workgroup, and its threads for each of them. */
  readonly across: number
  readonly deep: number
  /** The workgroups for the results of a row. */
  readonly blocks: number
  /** A long axis with few results is divided into slices. */
  readonly slices: number
}

function divisionOf(shape: Shape, axes: readonly number[]): Division {
  if (adjacentGroups(axes).length > 1) throw internalError(`no reduction along axes ${axes.join()}`)
  const { outer, axis, inner } =
    axes.length === 0 ? splitAround(shape, 0, -1) : splitAround(shape, axes[0]!, axes.at(-1))
  const across = inner === 1 ? 1 : 16
  const deep = THREADS / across
  const blocks = Math.ceil(inner / across)
  const most = Math.min(MOST_SLICES, Math.floor(ENOUGH_GROUPS / (outer * blocks)), Math.floor(axis / (deep * EACH)))
  return { outer, axis, inner, across, deep, blocks, slices: Math.max(1, most) }
}

/** The bytes of the results of slices; 0 without slices. */
function sliceBytes(shape: Shape, axes: readonly number[]): number {
  const { outer, inner, slices } = divisionOf(shape, axes)
  return slices === 1 ? 0 : BYTES_PER_ELEMENT * slices * outer * inner
}

/** What follows the sum of a result. */
interface End extends Required<Pick<KernelText, 'fields' | 'hooks'>> {
  /** Statements for `a`, the result of number `to`. */
  readonly code: string
}

/** @param mean whether the result is divided by the length of the axis */
function reduction(float: Reducer, integer: Reducer | null, mean = false): GpuKernel<AxesAttributes> {
  return {
    temporaryBytes: ([x], { axes }) => sliceBytes(x!.shape, axes),
    lower({ inputs: [x], outputs: [out], attributes: { axes }, temporary, emit }) {
      const { dtype, shape } = x!
      const reducer = dtype === 'float32' ? float : integer
      if (reducer === null) throw internalError(`no reduction of ${dtype}`)
      const division = divisionOf(shape, axes)
      const end: End = {
        fields: { out, axis: division.axis },
        hooks: { afterElement: elementsOf([out!]) },
        code: `${stored(dtype, 'p.out + to', mean ? 'a / f32(p.axis)' : 'a')}\nafterElement(to);`,
      }
      if (division.slices === 1) return emitPass(x!, division, reducer, end, emit)
      const ofSlice: End = {
        fields: { sums: temporary!, axis: division.axis },
        hooks: {},
        code: stored(dtype, 'p.sums + slice * p.outer * p.inner + to', 'a'),
      }
      emitPass(x!, division, reducer, ofSlice, emit)
      emitSums(dtype, division, reducer, { ...end, fields: { ...end.fields, sums: temporary! } }, emit)
    },
  }
}

/** The results of an axis, or of its slices. */
function emitPass(x: Operand, division: Division, { start, combined }: Reducer, end: End, emit: Emitter): void {
  const { outer, axis, inner, across, deep, blocks, slices } = division
  const type = typeOf(x.dtype)
  emit.groups(outer * blocks * slices, {
    fields: { ...end.fields, x, outer, inner, blocks, each: Math.ceil(axis / slices), start: start(x.dtype) },
    threads: THREADS,
    shared: { part: arrayOf(type, THREADS) },
    hooks: { beforeElement: elementsOf([x]), ...end.hooks },
    body: `let slice = group / p.blocks / p.outer;
let row = group / p.blocks % p.outer;
let column = group % p.blocks * ${across}u + thread % ${across}u;
let deep = thread / ${across}u;
var a = bitcast<${type}>(p.start);
let last = min(p.axis, (slice + 1u) * p.each);
if (column < p.inner) {
for (var i = slice * p.each + deep; i < last; i += ${deep}u) {
let at = (row * p.axis + i) * p.inner + column;
beforeElement(at);
let b = ${loaded(x.dtype, 'p.x + at')};
a = ${combined};
}
}
part[thread] = a;
${treeOf('deep', deep, across, `let b = part[other]; a = ${combined}; part[thread] = a;`)}
if (deep == 0u && column < p.inner) {
let to = row * p.inner + column;
${end.code}
}`,
  })
}

/** The results of slices as one. */
function emitSums(
  dtype: DType,
  { outer, inner, slices }: Division,
  { combined }: Reducer,
  { fields, hooks, code }: End,
  emit: Emitter,
): void {
  emit.over(outer * inner, {
    fields: { ...fields, slices },
    hooks,
    body: `let to = index;
var a = ${loaded(dtype, 'p.sums + to')};
for (var i = 1u; i < p.slices; i++) { let b = ${loaded(dtype, 'p.sums + i * p.count + to')}; a = ${combined}; }
${code}`,
  })
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
