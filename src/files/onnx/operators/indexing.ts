// Operators that read and write elements at indices.

import { sizeOf } from '../../../core/shapes'
import * as ops from '../../../ops'
import { firstOutside } from '../../../ops/numpy/along'
import type { Tensor } from '../../../ops/tensor'
import type { Call, Operator } from '../call'
import { MOST_KNOWN, hostOf, strided, stridesOf, taken } from '../host'
import { Value } from '../values'
import { reshaped } from './shape'

const gather: Operator = (call) => {
  const [x, indices] = [call.value(0), call.value(1)]
  const axis = call.axis(call.integer('axis', 0), x.rank)
  requireInside(call, indices, x.shape[axis]!)
  if (x.host !== null && indices.host !== null && x.size <= MOST_KNOWN && indices.size <= MOST_KNOWN)
    return Value.known(taken(x.host, indices.host, axis)!)
  return Value.of(ops.take(x.plain, indices.plain, axis), x.type)
}

/** Indices from the start, of an axis of `extent`. */
function fromStart(indices: Tensor, extent: number): Tensor {
  return ops.where(ops.less(indices, 0), ops.add(indices, extent), indices)
}

/** Indices along an axis, and their distance in row-major elements. */
interface Along {
  readonly indices: Value
  readonly extent: number
  readonly stride: number
}

/** @throws FormatError for an index outside an axis, if it is known while the graph is traced */
function requireInside(call: Call, { host }: Value, extent: number): void {
  const at = host === null ? -1 : firstOutside(host.data, -extent, extent)
  call.require(at < 0, () => `the index ${host!.data[at]} is outside an axis of ${extent} elements`)
}

/**
 * The positions Σ index · stride in row-major elements. If an index is outside its axis, the position is −2³¹ + 1, which is outside
 * every axis: `take` gives NaN or the least int32 for it, and updates for it are dropped.
 * @throws FormatError for such an index, if it is known while the graph is traced
 */
function positions(call: Call, parts: readonly Along[]): Tensor {
  for (const { indices, extent } of parts) requireInside(call, indices, extent)
  const sum = parts
    .map(({ indices, extent, stride }) => ops.multiply(fromStart(indices.plain, extent), stride))
    .reduce((a, b) => ops.add(a, b))
  const unknown = parts.filter(({ indices }) => indices.host === null)
  if (unknown.length === 0) return sum
  const isInside = unknown
    .map(({ indices: { plain }, extent }) => ops.logicalAnd(ops.greaterEqual(plain, -extent), ops.less(plain, extent)))
    .reduce((a, b) => ops.logicalAnd(a, b))
  return ops.where(isInside, sum, OUTSIDE)
}

/** No axis has it, counted from either end. */
const OUTSIDE = -(2 ** 31) + 1

/** The positions of [… k] indices in the row-major elements of a shape of k axes. */
function positionsOf(call: Call, indices: Value, shape: readonly number[]): Tensor {
  const strides = stridesOf(shape)
  return positions(
    call,
    shape.map((extent, i) => ({ indices: lastOf(indices, i), extent, stride: strides[i]! })),
  )
}

/** Element i of the last axis. */
function lastOf(indices: Value, i: number): Value {
  const { host, shape, type } = indices
  if (host === null) return Value.of(ops.getItem(indices.plain, ['...', i]), type)
  const strides = stridesOf(shape)
  return Value.known(strided(host, shape.slice(0, -1), strides.slice(0, -1), i))
}

const gatherND: Operator = (call) => {
  const [x, indices] = [call.value(0), call.value(1)]
  const batch = call.integer('batch_dims', 0)
  const depth = indices.shape.at(-1) ?? 0
  call.require(
    batch >= 0 && batch < indices.rank && depth >= 1 && batch + depth <= x.rank,
    () => `indices [${indices.shape.join(', ')}] do not fit [${x.shape.join(', ')}]`,
  )
  const [outer, read, rest] = [
    x.shape.slice(0, batch),
    x.shape.slice(batch, batch + depth),
    x.shape.slice(batch + depth),
  ]
  const groups = sizeOf(outer)
  const places = indices.shape.slice(batch, -1)
  // The groups of the batch are parts of the elements, side by side.
  const group = hostOf(
    'int32',
    [groups, 1],
    Array.from({ length: groups }, (_, i) => i),
  )
  const strides = stridesOf(read)
  const parts = read.map((extent, i) => ({
    indices: reshaped(lastOf(indices, i), [groups, sizeOf(places)]),
    extent,
    stride: strides[i]!,
  }))
  const flat = positions(call, [{ indices: Value.known(group), extent: groups, stride: sizeOf(read) }, ...parts])
  const rows = ops.reshape(x.plain, [groups * sizeOf(read), sizeOf(rest)])
  const found = ops.take(rows, ops.reshape(flat, [groups * sizeOf(places)]), 0)
  return Value.of(ops.reshape(found, [...outer, ...places, ...rest]), x.type)
}

/** The positions in `shape` of elements along an axis, where the other indices are those of the elements themselves. */
function positionsAlong(call: Call, indices: Value, shape: readonly number[], axis: number): Tensor {
  const strides = stridesOf(shape)
  const parts = shape.map((extent, i): Along => {
    if (i === axis) return { indices, extent, stride: strides[i]! }
    const along = indices.shape.map((count, j) => (j === i ? count : 1))
    const places = hostOf(
      'int32',
      along,
      Array.from({ length: indices.shape[i]! }, (_, j) => j),
    )
    return { indices: Value.known(places), extent, stride: strides[i]! }
  })
  return positions(call, parts)
}

function requireAlong(call: Call, x: Value, indices: Value, axis: number): void {
  call.require(
    indices.rank === x.rank && indices.shape.every((extent, i) => i === axis || extent <= x.shape[i]!),
    () => `indices [${indices.shape.join(', ')}] do not fit [${x.shape.join(', ')}]`,
  )
}

const gatherElements: Operator = (call) => {
  const [x, indices] = [call.value(0), call.value(1)]
  const axis = call.axis(call.integer('axis', 0), x.rank)
  requireAlong(call, x, indices, axis)
  const flat = ops.reshape(positionsAlong(call, indices, x.shape, axis), [indices.size])
  return Value.of(ops.reshape(ops.take(ops.reshape(x.plain, [x.size]), flat, 0), indices.shape), x.type)
}

const SCATTER: Readonly<Record<string, (x: Tensor, found: Tensor) => Tensor>> = {
  add: ops.add,
  mul: ops.multiply,
  max: ops.maximum,
  min: ops.minimum,
}

const SEGMENTS = {
  add: ops.segmentSum,
  mul: ops.segmentProd,
  max: ops.segmentMax,
  min: ops.segmentMin,
  none: ops.segmentSum,
}

/** x [n, …] with updates [m, …] at places [m] of its first axis. */
function scattered(call: Call, x: Tensor, places: Tensor, updates: Tensor): Tensor {
  const how = call.word('reduction', 'none', ['none', 'add', 'mul', 'max', 'min'])
  const count = x.shape[0]!
  if (places.size === 0 || x.size === 0) return x
  const found = SEGMENTS[how](updates, places, count)
  if (how !== 'none') return SCATTER[how]!(x, ops.cast(found, x.dtype))
  const hits = ops.greater(ops.segmentSum(ops.onesLike(places, 'int32'), places, count), 0)
  return ops.where(ops.reshape(hits, [count, ...x.shape.slice(1).map(() => 1)]), ops.cast(found, x.dtype), x)
}

const scatterElements: Operator = (call) => {
  const [x, indices, updates] = [call.value(0), call.value(1), call.value(2)]
  const axis = call.axis(call.integer('axis', 0), x.rank)
  requireAlong(call, x, indices, axis)
  call.require(updates.size === indices.size, () => 'there must be one update for each index')
  const places = ops.reshape(positionsAlong(call, indices, x.shape, axis), [indices.size])
  const found = scattered(call, ops.reshape(x.plain, [x.size]), places, ops.reshape(updates.plain, [updates.size]))
  return Value.of(ops.reshape(found, x.shape), x.type)
}

const scatterND: Operator = (call) => {
  const [x, indices, updates] = [call.value(0), call.value(1), call.value(2)]
  const depth = indices.shape.at(-1) ?? 0
  const [written, rest] = [x.shape.slice(0, depth), x.shape.slice(depth)]
  const places = indices.shape.slice(0, -1)
  call.require(
    depth >= 1 && depth <= x.rank && updates.size === sizeOf(places) * sizeOf(rest),
    () =>
      `indices [${indices.shape.join(', ')}] and updates [${updates.shape.join(', ')}] do not fit [${x.shape.join(', ')}]`,
  )
  const flat = ops.reshape(positionsOf(call, indices, written), [sizeOf(places)])
  const found = scattered(
    call,
    ops.reshape(x.plain, [sizeOf(written), ...rest]),
    flat,
    ops.reshape(updates.plain, [sizeOf(places), ...rest]),
  )
  return Value.of(ops.reshape(found, x.shape), x.type)
}

const oneHot: Operator = (call) => {
  const [indices, values] = [call.value(0), call.value(2)]
  const depth = call.known(1).data[0] ?? 0
  const axis = call.axis(call.integer('axis', -1), indices.rank + 1)
  call.require(
    Number.isInteger(depth) && depth >= 1 && depth * indices.size <= 2 ** 28 && values.size === 2,
    () => `it needs a depth of 1 or more and two values, the depth is ${depth}`,
  )
  const index = fromStart(ops.cast(indices.plain, 'int32'), depth)
  const classes = ops.reshape(
    ops.arange(0, depth, 1, 'int32'),
    Array.from({ length: indices.rank + 1 }, (_, i) => (i === axis ? depth : 1)),
  )
  const isOn = ops.equal(ops.expandDims(index, axis), classes)
  const [off, on] = [0, 1].map((i) => ops.getItem(ops.reshape(values.plain, [2]), [i]))
  return Value.of(ops.where(isOn, on!, off!), values.type)
}

const topK: Operator = (call) => {
  const x = call.value(0)
  const axis = call.axis(call.integer('axis', -1), x.rank)
  const k = call.opset < 10 ? call.integer('k', 0) : (call.known(1).data[0] ?? 0)
  call.require(Number.isInteger(k) && k >= 0 && k <= x.shape[axis]!, () => `axis ${axis} has no ${k} elements`)
  const order = [...x.order.filter((each) => each !== axis), axis]
  const last = x.in(order)
  const isLargest = call.flag('largest', true)
  const reversed = (): Tensor => (last.dtype === 'float32' ? ops.negative(last) : ops.subtract(-1, last))
  const key = isLargest ? last : reversed()
  const [, found] = ops.topK(key, k)
  return [Value.of(ops.takeAlongAxis(last, found, -1), x.type, order), Value.of(found, 'int64', order)]
}

/** The indices of elements that are not 0, which must be known. */
const nonZero: Operator = (call) => {
  const x = call.known(0)
  const strides = stridesOf(x.shape)
  const places = Array.from(x.data.keys()).filter((i) => x.data[i] !== 0)
  const rows = x.shape.flatMap((extent, axis) => places.map((at) => Math.floor(at / strides[axis]!) % extent))
  return Value.known(hostOf('int64', [x.shape.length, places.length], rows))
}

/** Reverses the first elements of each sequence. */
const reverseSequence: Operator = (call) => {
  const x = call.value(0)
  const [time, batch] = [
    call.axis(call.integer('time_axis', 0), x.rank),
    call.axis(call.integer('batch_axis', 1), x.rank),
  ]
  const lengths = call.value(1).plain
  const steps = x.shape[time]!
  const along = (axis: number, row: Tensor): Tensor =>
    ops.reshape(
      row,
      x.shape.map((extent, i) => (i === axis ? extent : 1)),
    )
  const [at, length] = [along(time, ops.arange(0, steps, 1, 'int32')), along(batch, lengths)]
  const places = ops.where(ops.less(at, length), ops.subtract(ops.subtract(length, at), 1), at)
  return Value.of(ops.takeAlongAxis(x.plain, places, time), x.type)
}

/** Elements or slices where a known condition is true. */
const compress: Operator = (call) => {
  const x = call.value(0)
  const chosen = Array.from(call.known(1).data.keys()).filter((i) => call.known(1).data[i] !== 0)
  const flat = call.has('axis') ? x : reshaped(x, [x.size])
  const axis = call.has('axis') ? call.axis(call.integer('axis', 0), x.rank) : 0
  const last = chosen.at(-1) ?? 0
  call.require(last < Math.max(flat.shape[axis]!, 1), () => `it chooses element ${last} of ${flat.shape[axis]}`)
  return Value.of(ops.take(flat.plain, new Int32Array(chosen), axis), x.type)
}

export const indexingOperators: Readonly<Record<string, Operator>> = {
  Compress: compress,
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherND,
  NonZero: nonZero,
  OneHot: oneHot,
  ReverseSequence: reverseSequence,
  Scatter: scatterElements,
  ScatterElements: scatterElements,
  ScatterND: scatterND,
  TopK: topK,
}
