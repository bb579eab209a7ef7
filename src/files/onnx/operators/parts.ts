// Operators that cut, join, surround and rearrange elements.

import * as ops from '../../../ops'
import type { Operator } from '../call'
import { MOST_KNOWN, joined, strided, stridesOf } from '../host'
import { Value, channelsLast, inOrder } from '../values'
import { requireShape } from './shape'

const concat: Operator = (call) => {
  const { all } = call
  const first = all[0]!
  const axis = call.axis(call.integer('axis', 1), first.rank)
  call.require(
    all.every((each) => each.rank === first.rank && each.shape.every((x, i) => i === axis || x === first.shape[i])),
    () => `the shapes ${all.map((each) => `[${each.shape.join(', ')}]`).join(', ')} differ on other axes than ${axis}`,
  )
  const known = all.flatMap((each) => each.host ?? [])
  if (known.length === all.length && all.reduce((sum, each) => sum + each.size, 0) <= MOST_KNOWN)
    return Value.known(joined(known, axis))
  const order = all.find((each) => each.host === null)?.order ?? inOrder(first.rank)
  const found = ops.concatenate(
    all.map((each) => each.in(order)),
    order.indexOf(axis),
  )
  return Value.of(found, first.type, order)
}

/** The elements begin, begin + step, … of one axis. */
export function part(x: Value, axis: number, begin: number, count: number, step = 1): Value {
  if (begin === 0 && count === x.shape[axis] && step === 1) return x
  if (x.host !== null) {
    const strides = stridesOf(x.shape)
    const start = begin * strides[axis]!
    const shape = x.shape.map((extent, i) => (i === axis ? count : extent))
    return Value.known(
      strided(
        x.host,
        shape,
        strides.map((each, i) => (i === axis ? each * step : each)),
        start,
      ),
    )
  }
  const end = begin + step * count
  const range = step > 0 ? `${begin}:${end}:${step}` : `${begin}:${end < 0 ? '' : end}:${step}`
  const position = x.order.indexOf(axis)
  const found = ops.getItem(x.asIs, [...new Array<string>(position).fill(':'), count === 0 ? '0:0' : range])
  return Value.of(found, x.type, x.order)
}

const slice: Operator = (call) => {
  const x = call.value(0)
  const [starts, ends] = [call.list('starts', 1) ?? [], call.list('ends', 2) ?? []]
  const axes = call.axes(call.list('axes', 3) ?? starts.map((_, i) => i), x.rank)
  const steps = call.maybe(4) === null ? starts.map(() => 1) : Array.from(call.known(4).data)
  call.require(
    [ends, axes, steps].every((list) => list.length === starts.length) &&
      steps.every((step) => Number.isInteger(step) && step !== 0),
    () => 'starts, ends, axes and steps must have the same length, and no step may be 0',
  )
  return axes.reduce((value, axis, i) => {
    const extent = x.shape[axis]!
    const step = Math.max(Math.min(steps[i]!, extent + 1), -extent - 1)
    const [least, most] = step > 0 ? [0, extent] : [-1, extent - 1]
    const bound = (at: number): number => Math.min(Math.max(at < 0 ? at + extent : at, least), most)
    const [begin, end] = [Math.max(bound(starts[i]!), 0), bound(ends[i]!)]
    return part(value, axis, begin, extent === 0 ? 0 : Math.max(0, Math.ceil((end - begin) / step)), step)
  }, x)
}

const split: Operator = (call) => {
  const x = call.value(0)
  const axis = call.axis(call.integer('axis', 0), x.rank)
  const extent = x.shape[axis]!
  const count = call.integer('num_outputs', call.node.outputs.length)
  call.require(count >= 1 && count <= call.node.outputs.length, () => `there are ${count} parts`)
  const each = Math.ceil(extent / count)
  const sizes =
    call.list('split', 1) ?? Array.from({ length: count }, (_, i) => Math.max(0, Math.min(each, extent - i * each)))
  call.require(
    sizes.every((size) => size >= 0) && sizes.reduce((sum, size) => sum + size, 0) === extent,
    () => `parts of ${sizes.join(', ')} do not add up to ${extent}`,
  )
  let begin = 0
  return sizes.map((size) => {
    const found = part(x, axis, begin, size)
    begin += size
    return found
  })
}

/** Keeps the elements above or below a diagonal. */
const trilu: Operator = (call) => {
  const x = call.value(0)
  call.require(x.rank >= 2, () => `[${x.shape.join(', ')}] must be a matrix`)
  const k = call.maybe(1) === null ? 0 : call.known(1).data[0]!
  call.require(Number.isInteger(k), () => `the diagonal is ${k}`)
  return Value.of(call.flag('upper', true) ? ops.triu(x.plain, k) : ops.tril(x.plain, k), x.type)
}

/** The source of position i, which may be outside an axis of n elements. */
const MODES: Readonly<Record<string, (i: number, n: number) => number>> = {
  edge: (i, n) => Math.min(Math.max(i, 0), n - 1),
  reflect: (i, n) => {
    const period = Math.max(2 * n - 2, 1)
    const at = ((i % period) + period) % period
    return at < n ? at : period - at
  },
  wrap: (i, n) => ((i % n) + n) % n,
}

const pad: Operator = (call) => {
  const x = call.value(0)
  const mode = call.word('mode', 'constant', ['constant', 'edge', 'reflect', 'wrap'])
  const pads = call.list(call.has('paddings') ? 'paddings' : 'pads', 1) ?? []
  const axes = call.maybe(3) === null ? inOrder(x.rank) : call.axes(Array.from(call.known(3).data), x.rank)
  call.require(pads.length === 2 * axes.length, () => `pads must have ${2 * axes.length} numbers`)
  const value = (call.opset < 11 ? call.float('value', 0) : call.number('', 2)) ?? 0
  const sides = inOrder(x.rank).map((axis): [number, number] => {
    const at = axes.indexOf(axis)
    return at < 0 ? [0, 0] : [pads[at]!, pads[at + axes.length]!]
  })
  requireShape(
    call,
    x.shape.map((extent, i) => extent + sides[i]![0] + sides[i]![1]),
  )
  const cut = sides.reduce((cropped, [before, after], axis) => {
    const [less, more] = [Math.max(-before, 0), Math.max(-after, 0)]
    return part(cropped, axis, less, Math.max(0, cropped.shape[axis]! - less - more))
  }, x)
  const widths = sides.map(([before, after]): [number, number] => [Math.max(before, 0), Math.max(after, 0)])
  const ordered = cut.order.map((axis) => widths[axis]!)
  if (ordered.every(([before, after]) => before + after === 0)) return cut
  if (mode === 'constant') return Value.of(ops.pad(cut.asIs, ordered, 'constant', value), x.type, cut.order)
  const found = ordered.reduce((wide, [before, after], axis) => {
    const extent = wide.shape[axis]!
    if (before + after === 0) return wide
    call.require(extent > 0, () => `an axis has no element to repeat`)
    const places = Array.from({ length: before + extent + after }, (_, i) => MODES[mode]!(i - before, extent))
    return ops.take(wide, Int32Array.from(places), axis)
  }, cut.asIs)
  return Value.of(found, x.type, cut.order)
}

/** Blocks of channels become pixels. */
const depthToSpace: Operator = (call) => {
  const { last, type, rank } = call.value(0)
  const size = call.integer('blocksize', 0)
  call.require(rank === 4 && size >= 1, () => 'it takes images and a block of 1 or more')
  const [batch = 0, rows = 0, columns = 0, channels = 0] = last.shape
  const depth = channels / size ** 2
  call.require(Number.isInteger(depth), () => `${channels} channels are not a multiple of ${size ** 2}`)
  const isFirst = call.word('mode', 'DCR', ['DCR', 'CRD']) === 'DCR'
  const apart = ops.reshape(last, [batch, rows, columns, ...(isFirst ? [size, size, depth] : [depth, size, size])])
  const [down, across, deep] = isFirst ? [3, 4, 5] : [4, 5, 3]
  const found = ops.reshape(ops.transpose(apart, [0, 1, down, 2, across, deep]), [
    batch,
    rows * size,
    columns * size,
    depth,
  ])
  return Value.of(found, type, channelsLast(4))
}

const spaceToDepth: Operator = (call) => {
  const { last, type, rank } = call.value(0)
  const size = call.integer('blocksize', 0)
  call.require(rank === 4 && size >= 1, () => 'it takes images and a block of 1 or more')
  const [batch = 0, height = 0, width = 0, channels = 0] = last.shape
  const [rows, columns] = [height / size, width / size]
  call.require(
    Number.isInteger(rows) && Number.isInteger(columns),
    () => `[${height}, ${width}] is not a multiple of ${size}`,
  )
  const apart = ops.reshape(last, [batch, rows, size, columns, size, channels])
  const found = ops.reshape(ops.transpose(apart, [0, 1, 3, 2, 4, 5]), [batch, rows, columns, channels * size ** 2])
  return Value.of(found, type, channelsLast(4))
}

export const partOperators: Readonly<Record<string, Operator>> = {
  Concat: concat,
  DepthToSpace: depthToSpace,
  Pad: pad,
  Slice: slice,
  SpaceToDepth: spaceToDepth,
  Split: split,
  Trilu: trilu,
}
