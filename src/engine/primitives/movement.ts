// Primitives that move data or change its layout: views, concatenation, padding.

import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import type { Value } from '../ir/graph'
import { isContiguous, type KernelPrimitive, type View, type ViewPrimitive } from './rule'
import type { NumericArray } from '../../core/dtypes'
import {
  broadcastStrides,
  forEachOffset,
  rowMajorStrides,
  sameShape,
  sizeOf,
  type Shape,
  type TensorType,
} from '../../core/shapes'
import type { AxisAttributes, NoAttributes, PrimitiveAttributes } from '../ir/attributes'

const mapTotal = (sum: Value | null, map: (sum: Value) => Value): Value | null => (sum === null ? null : map(sum))

const reshape: ViewPrimitive<PrimitiveAttributes['reshape']> = {
  kind: 'view',
  lift: ({ shape }, length) => ({ shape: [length, ...shape] }),
  total: ({ e, inputs: [x], attributes: { shape }, total }) => mapTotal(total(x!), (sum) => e.reshape(sum, shape)),
  infer([x], { shape }) {
    if (sizeOf(shape) !== sizeOf(x!.shape)) {
      throw new ShapeError(
        `reshape: ${formatShape(x!.shape)} has ${sizeOf(x!.shape)} elements, ${formatShape(shape)} needs ${sizeOf(shape)}`,
      )
    }
    return [{ shape, dtype: x!.dtype }]
  },
  vjp: ({ e, inputs: [x], cotangents: [dy] }) => [e.reshape(dy!, x!.shape)],
  simplify: ({ inputs: [x], output }) => (sameShape(x!.shape, output.shape) ? x! : null),
  view(input, { offset, strides }, { shape }) {
    const reshaped = reshapeStrides(input.shape, strides, shape)
    return reshaped && { offset, strides: reshaped }
  },
}

/**
 * Strides for another shape of the same elements; null if no strides express it. A group of axes can be merged
 * into the axes of the result with the same number of elements if each stride equals the extent times the
 * stride of the next axis; it can then be split in any way.
 */
function reshapeStrides(from: Shape, strides: readonly number[], to: Shape): number[] | null {
  if (isContiguous(from, strides)) return rowMajorStrides(to)
  const result = new Array<number>(to.length).fill(0)
  if (sizeOf(to) === 0) return result
  const kept = from.map((extent, i) => ({ extent, stride: strides[i]! })).filter(({ extent }) => extent !== 1)
  let first = 0
  let at = 0
  while (first < kept.length) {
    let last = first
    let size = kept[first]!.extent
    let end = at
    let made = 1
    // The smallest groups of axes on both sides with the same number of elements.
    while (made !== size) {
      if (made < size) made *= to[end++]!
      else size *= kept[++last]!.extent
    }
    for (let i = first; i < last; i++) if (kept[i]!.stride !== kept[i + 1]!.stride * kept[i + 1]!.extent) return null
    let stride = kept[last]!.stride
    for (let i = end - 1; i >= at; i--) {
      result[i] = to[i] === 1 ? 0 : stride
      stride *= to[i]!
    }
    first = last + 1
    at = end
  }
  return result
}

// out(i_p0, i_p1, …) = x(i0, i1, …): axis j of the result is axis permutation[j] of the operand
const transpose: ViewPrimitive<PrimitiveAttributes['transpose']> = {
  kind: 'view',
  lift: ({ permutation }) => ({ permutation: [0, ...permutation.map((axis) => axis + 1)] }),
  total: ({ e, inputs: [x], attributes: { permutation }, total }) =>
    mapTotal(total(x!), (sum) => e.transpose(sum, permutation)),
  infer([x], { permutation }) {
    if (permutation.length !== x!.shape.length || !x!.shape.every((_, i) => permutation.includes(i))) {
      throw new ShapeError(
        `transpose: [${permutation.join(', ')}] must name every axis of ${formatShape(x!.shape)} once`,
      )
    }
    return [{ shape: permutation.map((axis) => x!.shape[axis]!), dtype: x!.dtype }]
  },
  vjp({ e, attributes: { permutation }, cotangents: [dy] }) {
    const inverse = new Array<number>(permutation.length)
    permutation.forEach((axis, i) => (inverse[axis] = i))
    return [e.transpose(dy!, inverse)]
  },
  view: (_input, { offset, strides }, { permutation }) => ({
    offset,
    strides: permutation.map((axis) => strides[axis]!),
  }),
}

const slice: ViewPrimitive<PrimitiveAttributes['slice']> = {
  kind: 'view',
  lift: ({ starts, sizes }, length) => ({ starts: [0, ...starts], sizes: [length, ...sizes] }),
  infer([x], { starts, sizes }) {
    const fits = x!.shape.every((extent, i) => starts[i]! >= 0 && sizes[i]! >= 0 && starts[i]! + sizes[i]! <= extent)
    if (!fits || starts.length !== x!.shape.length || sizes.length !== x!.shape.length) {
      throw new ShapeError(
        `slice: starts [${starts.join(', ')}] and sizes [${sizes.join(', ')}] do not fit into ${formatShape(x!.shape)}`,
      )
    }
    return [{ shape: sizes, dtype: x!.dtype }]
  },
  // The gradient is zero around the block. Blocks of one operand are joined later: see
  // engine/transforms/cotangents.ts.
  vjp: ({ attributes: { starts }, cotangents: [dy] }) => [{ block: dy!, starts }],
  simplify: ({ inputs: [x], output }) => (sameShape(x!.shape, output.shape) ? x! : null),
  view: (_input, { offset, strides }, { starts }) => ({
    offset: strides.reduce((at, stride, i) => at + stride * starts[i]!, offset),
    strides,
  }),
}

const reverse: ViewPrimitive<PrimitiveAttributes['reverse']> = {
  kind: 'view',
  lift: ({ axes }) => ({ axes: axes.map((axis) => axis + 1) }),
  infer: ([x]) => [x!],
  vjp: ({ e, attributes: { axes }, cotangents: [dy] }) => [e.reverse(dy!, axes)],
  view: ({ shape }, { offset, strides }, { axes }) => ({
    offset: axes.reduce((at, axis) => at + strides[axis]! * Math.max(0, shape[axis]! - 1), offset),
    strides: strides.map((stride, i) => (axes.includes(i) ? -stride : stride)),
  }),
}

const broadcastTo: ViewPrimitive<PrimitiveAttributes['broadcastTo']> = {
  kind: 'view',
  lift: ({ shape }, length) => ({ shape: [length, ...shape] }),
  infer([x], { shape }) {
    const offset = shape.length - x!.shape.length
    const fits = offset >= 0 && x!.shape.every((extent, i) => extent === 1 || extent === shape[offset + i])
    if (!fits) throw new ShapeError(`broadcastTo: ${formatShape(x!.shape)} does not broadcast to ${formatShape(shape)}`)
    return [{ shape, dtype: x!.dtype }]
  },
  vjp: ({ e, inputs: [x], cotangents: [dy] }) => [e.sumTo(dy!, x!.shape)],
  simplify: ({ inputs: [x], output }) => (sameShape(x!.shape, output.shape) ? x! : null),
  view: (input, { offset, strides }, { shape }) => ({
    offset,
    strides: broadcastStrides(input.shape, strides, shape),
  }),
}

const stopGradient: ViewPrimitive<NoAttributes> = {
  kind: 'view',
  lift: (attributes) => attributes,
  infer: ([x]) => [x!],
  vjp: () => [null],
  simplify: ({ inputs: [x] }) => x!,
  view: (_input, layout) => layout,
}

/** Copies the elements of a view in row-major order. The interpreter runs every ViewPrimitive with it. */
export function copyView(input: NumericArray, shape: Shape, layout: View, out: NumericArray): void {
  forEachOffset(shape, layout.strides, layout.offset, (at, index) => (out[index] = input[at]!))
}

// The offset in the result, in elements, of each operand's first element.
export function concatStarts(inputs: readonly TensorType[], axis: number): number[] {
  let at = 0
  return inputs.map(({ shape }) => {
    const start = at
    at += sizeOf(shape.slice(axis))
    return start
  })
}

const concat: KernelPrimitive<AxisAttributes> = {
  kind: 'kernel',
  moves: true,
  infer(inputs, { axis }) {
    const first = inputs[0]
    if (first === undefined) throw new ArgumentError('concat: expected at least one operand, received none')
    for (const { shape, dtype } of inputs) {
      const alike =
        shape.length === first.shape.length && shape.every((extent, i) => i === axis || extent === first.shape[i])
      if (!alike || dtype !== first.dtype) {
        throw new ShapeError(
          `concat: operands must agree in dtype and in every axis but ${axis}, received ${inputs.map((input) => `${input.dtype} ${formatShape(input.shape)}`).join(', ')}`,
        )
      }
    }
    const extent = inputs.reduce((sum, { shape }) => sum + shape[axis]!, 0)
    return [{ shape: first.shape.map((length, i) => (i === axis ? extent : length)), dtype: first.dtype }]
  },
  vjp({ e, inputs, attributes: { axis }, cotangents: [dy] }) {
    let at = 0
    return inputs.map(({ shape }) => {
      const part = e.slice(
        dy!,
        shape.map((_, i) => (i === axis ? at : 0)),
        shape,
      )
      at += shape[axis]!
      return part
    })
  },
  flops: () => 0,
}

const pad: KernelPrimitive<PrimitiveAttributes['pad']> = {
  kind: 'kernel',
  moves: true,
  infer([x], { before, after }) {
    const valid = [before, after].every((side) => side.length === x!.shape.length && side.every((n) => n >= 0))
    if (!valid) throw new ShapeError(`pad: expected two sizes ≥ 0 for every axis of ${formatShape(x!.shape)}`)
    return [{ shape: x!.shape.map((extent, i) => before[i]! + extent + after[i]!), dtype: x!.dtype }]
  },
  vjp: ({ e, inputs: [x], attributes: { before }, cotangents: [dy] }) => [e.slice(dy!, before, x!.shape)],
  flops: () => 0,
}

// out = base, and out[starts …] += block
const sliceAdd: KernelPrimitive<PrimitiveAttributes['sliceAdd']> = {
  kind: 'kernel',
  moves: true,
  infer([base, block], { starts }) {
    const fits =
      base!.shape.length === block!.shape.length &&
      block!.shape.every((extent, i) => starts[i]! >= 0 && starts[i]! + extent <= base!.shape[i]!)
    if (!fits || base!.dtype !== 'float32' || block!.dtype !== 'float32') {
      throw new ShapeError(
        `sliceAdd: a float32 block ${formatShape(block!.shape)} at [${starts.join(', ')}] does not fit into ${base!.dtype} ${formatShape(base!.shape)}`,
      )
    }
    return [base!]
  },
  vjp: ({ e, inputs: [, block], attributes: { starts }, cotangents: [dy] }) => [
    dy!,
    e.slice(dy!, starts, block!.shape),
  ],
  flops: ({ inputs: [, block] }) => sizeOf(block!.shape),
}

export function padStart(strides: readonly number[], before: readonly number[]): number {
  return strides.reduce((at, stride, i) => at + stride * before[i]!, 0)
}

export const movement = { reshape, transpose, slice, reverse, broadcastTo, stopGradient, concat, sliceAdd, pad }
