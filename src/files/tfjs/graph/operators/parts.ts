// Operators that cut, join, surround and rearrange elements.

import * as ops from '../../../../ops'
import type { Call, Operator } from '../../../onnx/call'
import { part, partOperators } from '../../../onnx/operators/parts'
import { without } from '../../../onnx/operators/reduction'
import { reshaped } from '../../../onnx/operators/shape'
import { Value, inOrder } from '../../../onnx/values'
import { by, integers, number, requireAlike } from './by'

const concat = (call: Call, values: readonly Value[], axis: number): Value => {
  call.require(values.length > 0, () => 'there are no operands')
  requireAlike(call, values)
  return by(call, partOperators['Concat'], values, { axis })
}

const pack: Operator = (call) => {
  const { all } = call
  const axis = call.axis(call.integer('axis', 0), all[0]!.rank + 1)
  return concat(
    call,
    all.map((each) => reshaped(each, [...each.shape.slice(0, axis), 1, ...each.shape.slice(axis)])),
    axis,
  )
}

const unpack: Operator = (call) => {
  const x = call.value(0)
  const axis = call.axis(call.integer('axis', 0), x.rank)
  return parts(call, x, axis, new Array<number>(x.shape[axis]!).fill(1)).map((each) => without(each, [axis]))
}

function parts(call: Call, x: Value, axis: number, sizes: readonly number[]): Value[] {
  call.require(
    sizes.every((size) => size >= 0) && sizes.reduce((sum, size) => sum + size, 0) === x.shape[axis],
    () => `parts of [${sizes.slice(0, 20).join(', ')}] do not add up to ${x.shape[axis]}`,
  )
  let begin = 0
  return sizes.map((size) => {
    const found = part(x, axis, begin, size)
    begin += size
    return found
  })
}

const split: Operator = (call) => {
  const x = call.value(1)
  const axis = call.axis(number(call, 0), x.rank)
  const count = call.integer('num_split', 1)
  const size = x.shape[axis]! / count
  call.require(Number.isInteger(size) && count >= 1, () => `${x.shape[axis]} elements have no ${count} equal parts`)
  call.require(count <= 2 ** 16, () => `there are ${count} parts`)
  return parts(call, x, axis, new Array<number>(count).fill(size))
}

const splitV: Operator = (call) => {
  const x = call.value(0)
  const axis = call.axis(number(call, 2), x.rank)
  const sizes = integers(call, 1)
  const open = sizes.indexOf(-1)
  const known = sizes.reduce((sum, size, i) => (i === open ? sum : sum + size), 0)
  return parts(call, x, axis, open < 0 ? sizes : sizes.with(open, x.shape[axis]! - known))
}

const slice: Operator = (call) => {
  const x = call.value(0)
  const [begins, sizes] = [integers(call, 1), integers(call, 2)]
  call.require(begins.length === x.rank && sizes.length === x.rank, () => `begin and size must have ${x.rank} numbers`)
  return x.shape.reduce((value, extent, axis) => {
    const [begin, size] = [begins[axis]!, sizes[axis]!]
    const count = size === -1 ? extent - begin : size
    call.require(
      begin >= 0 && count >= 0 && begin + count <= extent,
      () => `${count} elements from ${begin} on are not within ${extent}`,
    )
    return part(value, axis, begin, count)
  }, x)
}

/** x[begin:end:step, …] of Python. Bit i of a mask is for entry i. */
const stridedSlice: Operator = (call) => {
  const x = call.value(0)
  const [begins, ends, steps] = [integers(call, 1), integers(call, 2), integers(call, 3)]
  call.require(
    begins.length === ends.length && steps.length === ends.length && begins.length <= 32 && !steps.includes(0),
    () => 'begin, end and strides must have the same length, and no stride may be 0',
  )
  const isAt = (name: string, i: number): boolean => ((call.integer(`${name}_mask`, 0) >>> i) & 1) === 1
  const kinds = begins.map((_, i) => {
    if (isAt('ellipsis', i)) return 'ellipsis'
    if (isAt('new_axis', i)) return 'new'
    return isAt('shrink_axis', i) ? 'number' : 'range'
  })
  const used = kinds.filter((kind) => kind === 'range' || kind === 'number').length
  call.require(
    used <= x.rank && kinds.filter((kind) => kind === 'ellipsis').length <= 1,
    () => `${used} axes are cut of [${x.shape.join(', ')}], or there are two ellipses`,
  )
  let value = x
  const shape: number[] = []
  let axis = 0
  kinds.forEach((kind, i) => {
    if (kind === 'new') shape.push(1)
    else if (kind === 'ellipsis') {
      for (let left = x.rank - used; left > 0; left--) shape.push(x.shape[axis++]!)
    } else {
      const extent = x.shape[axis]!
      const [begin, count, step] =
        kind === 'number'
          ? [atNumber(call, begins[i]!, extent), 1, 1]
          : rangeIn(extent, isAt('begin', i) ? null : begins[i]!, isAt('end', i) ? null : ends[i]!, steps[i]!)
      value = part(value, axis++, begin, count, step)
      if (kind === 'range') shape.push(count)
    }
  })
  return reshaped(value, [...shape, ...x.shape.slice(axis)])
}

function atNumber(call: Call, index: number, extent: number): number {
  const at = index < 0 ? index + extent : index
  call.require(at >= 0 && at < extent, () => `the index ${index} is outside an axis of ${extent}`)
  return at
}

/** The first index, the number of elements, and the step. null is open. */
function rangeIn(extent: number, begin: number | null, end: number | null, stride: number): [number, number, number] {
  const step = Math.max(Math.min(stride, extent + 1), -extent - 1)
  const [least, most] = step > 0 ? [0, extent] : [-1, extent - 1]
  const bound = (at: number): number => Math.min(Math.max(at < 0 ? at + extent : at, least), most)
  const [firstOfAll, lastOfAll] = step > 0 ? [0, extent] : [extent - 1, -1]
  const first = begin === null ? firstOfAll : bound(begin)
  const last = end === null ? lastOfAll : bound(end)
  const count = Math.max(0, Math.ceil((last - first) / step))
  return [Math.max(first, 0), count, step]
}

const reverse: Operator = (call) => {
  const x = call.value(0)
  const listed = integers(call, 1)
  // The first version has a condition for each axis.
  const isFlags = call.node.type === 'Reverse'
  const axes = isFlags ? inOrder(listed.length).filter((axis) => listed[axis] !== 0) : listed
  return call
    .axes(axes, x.rank)
    .reduce((value, axis) => part(value, axis, Math.max(x.shape[axis]! - 1, 0), x.shape[axis]!, -1), x)
}

/** [axis, before and after] as pairs. */
export function sidesOf(call: Call, i: number, count: number): [number, number][] {
  const list = integers(call, i)
  call.require(
    list.length === 2 * count && list.every((each) => each >= 0),
    () => `operand ${i} must have two numbers ≥ 0 for each of ${count} axes`,
  )
  return Array.from({ length: count }, (_, axis) => [list[2 * axis]!, list[2 * axis + 1]!])
}

export function padded(call: Call, x: Value, sides: readonly [number, number][], value: Value | null): Value {
  const pads = [...sides.map(([before]) => before), ...sides.map(([, after]) => after)]
  return by(call, partOperators['Pad'], [x, null, value], { pads })
}

const pad: Operator = (call) => padded(call, call.value(0), sidesOf(call, 1, call.value(0).rank), call.maybe(2))

const mirrorPad: Operator = (call) => {
  const x = call.value(0)
  const mode = call.word('mode', 'REFLECT', ['REFLECT', 'SYMMETRIC'])
  const sides = sidesOf(call, 1, x.rank)
  const most = mode === 'REFLECT' ? 1 : 0
  call.require(
    sides.every(([before, after], axis) => Math.max(before, after) <= Math.max(0, x.shape[axis]! - most)),
    () => `[${x.shape.join(', ')}] has not enough elements to mirror`,
  )
  const ordered = x.order.map((axis) => sides[axis]!)
  return Value.of(ops.pad(x.asIs, ordered, mode === 'REFLECT' ? 'reflect' : 'symmetric'), x.type, x.order)
}

/** These take complex numbers as well. */
export const movingPartRows: Readonly<Record<string, Operator>> = {
  Concat: (call) => concat(call, call.all.slice(1), number(call, 0)),
  ConcatV2: (call) => concat(call, call.all.slice(0, -1), number(call, call.values.length - 1)),
  Pack: pack,
  Slice: slice,
  StridedSlice: stridedSlice,
}

export const partRows: Readonly<Record<string, Operator>> = {
  MirrorPad: mirrorPad,
  Pad: pad,
  PadV2: pad,
  Reverse: reverse,
  ReverseV2: reverse,
  Split: split,
  SplitV: splitV,
  Unpack: unpack,
}
