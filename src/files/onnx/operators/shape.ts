// Operators on shapes, and those that make constants. parts.ts has those that move elements.

import { sizeOf } from '../../../core/shapes'
import * as ops from '../../../ops'
import type { Call, Operator } from '../call'
import { MOST_KNOWN, expanded, hostOf } from '../host'
import { Value, inOrder } from '../values'
import { without } from './reduction'

/** More elements are refused before memory is allocated. */
const MOST_ELEMENTS = 2 ** 28

/** Integers of an operand as a shape. */
function shapeFrom(call: Call, i: number): number[] {
  const shape = Array.from(call.known(i).data)
  requireShape(call, shape)
  return shape
}

export function requireShape(call: Call, shape: readonly number[]): void {
  call.require(
    shape.length <= 32 &&
      shape.every((extent) => Number.isInteger(extent) && extent >= 0) &&
      sizeOf(shape) <= MOST_ELEMENTS,
    () => `[${shape.slice(0, 32).join(', ')}] is not the shape of a tensor that fits into memory`,
  )
}

/** The same elements in another shape. */
export function reshaped(x: Value, shape: readonly number[]): Value {
  return x.host === null ? Value.of(ops.reshape(x.plain, shape), x.type) : Value.known({ ...x.host, shape })
}

const shape: Operator = (call) => {
  const { shape } = call.value(0)
  const bound = (name: string, absent: number): number => {
    const at = call.integer(name, absent)
    return Math.min(Math.max(at < 0 ? at + shape.length : at, 0), shape.length)
  }
  return Value.integers(shape.slice(bound('start', 0), bound('end', shape.length)))
}

const reshape: Operator = (call) => {
  const x = call.value(0)
  const listed = call.list('shape', 1) ?? []
  const keepsZero = call.flag('allowzero')
  const target = listed.map((extent, i) => (extent === 0 && !keepsZero ? (x.shape[i] ?? 0) : extent))
  const open = target.indexOf(-1)
  const known = sizeOf(target.filter((_, i) => i !== open))
  if (open >= 0) target[open] = known === 0 ? 0 : x.size / known
  requireShape(call, target)
  call.require(
    sizeOf(target) === x.size,
    () => `[${x.shape.join(', ')}] does not fit into [${listed.join(', ')}], which is [${target.join(', ')}]`,
  )
  return reshaped(x, target)
}

const flatten: Operator = (call) => {
  const x = call.value(0)
  const attribute = call.integer('axis', 1)
  const axis = attribute === x.rank ? attribute : call.axis(attribute, x.rank)
  return reshaped(x, [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis))])
}

const squeeze: Operator = (call) => {
  const x = call.value(0)
  const listed = call.list('axes', 1)
  const axes = listed === null ? inOrder(x.rank).filter((axis) => x.shape[axis] === 1) : call.axes(listed, x.rank)
  call.require(
    axes.every((axis) => x.shape[axis] === 1),
    () => `the axes [${axes.join(', ')}] of [${x.shape.join(', ')}] must have the extent 1`,
  )
  return without(x, axes)
}

const unsqueeze: Operator = (call) => {
  const x = call.value(0)
  const listed = call.list('axes', 1) ?? []
  const axes = call.axes(listed, x.rank + listed.length)
  const target: number[] = []
  const old = [...x.shape]
  for (let i = 0; i < x.rank + axes.length; i++) target.push(axes.includes(i) ? 1 : old.shift()!)
  return reshaped(x, target)
}

const transpose: Operator = (call) => {
  const x = call.value(0)
  const permutation = call.axes(call.integers('perm') ?? [...inOrder(x.rank)].reverse(), x.rank)
  call.require(permutation.length === x.rank, () => `perm must have ${x.rank} axes`)
  return x.transposed(permutation)
}

/** Larger repetitions are views of tensors, which take no memory. */
const MOST_REPEATED = 2 ** 16

/** Repeats extents of 1. */
export function broadcastTo(x: Value, shape: readonly number[]): Value {
  if (x.host !== null && sizeOf(shape) <= MOST_REPEATED) return Value.known(expanded(x.host, shape))
  const aligned = x.ofRank(shape.length)
  return Value.of(
    ops.broadcastTo(
      aligned.asIs,
      aligned.order.map((axis) => shape[axis]!),
    ),
    x.type,
    aligned.order,
  )
}

const expand: Operator = (call) => {
  const x = call.value(0)
  const operand = shapeFrom(call, 1)
  const rank = Math.max(operand.length, x.rank)
  const from = [...new Array<number>(rank - x.rank).fill(1), ...x.shape]
  const wanted = [...new Array<number>(rank - operand.length).fill(1), ...operand]
  const target = from.map((extent, i) => (extent === 1 ? wanted[i]! : extent))
  call.require(
    target.every((extent, i) => wanted[i] === 1 || wanted[i] === extent),
    () => `[${x.shape.join(', ')}] does not broadcast to [${operand.join(', ')}]`,
  )
  requireShape(call, target)
  return broadcastTo(x, target)
}

const tile: Operator = (call) => {
  const x = call.value(0)
  const repeats = shapeFrom(call, 1)
  call.require(repeats.length === x.rank, () => `there must be a number of repeats for each of ${x.rank} axes`)
  const apart = x.shape.flatMap((extent) => [1, extent])
  const target = x.shape.map((extent, i) => extent * repeats[i]!)
  requireShape(call, target)
  const wide = broadcastTo(
    reshaped(x, apart),
    apart.map((extent, i) => (i % 2 === 0 ? repeats[i / 2]! : extent)),
  )
  return reshaped(wide, target)
}

const constant: Operator = (call) => {
  const found = call.tensor('value')
  if (found !== null) return Value.known(found)
  const [floats, integers] = [call.floats('value_floats'), call.integers('value_ints')]
  if (call.has('value_float')) return Value.known(hostOf('float32', [], [call.float('value_float', 0)]))
  if (call.has('value_int')) return Value.integers([call.integer('value_int', 0)], [])
  if (integers !== null && call.has('value_ints')) return Value.integers(integers)
  if (call.has('value_floats')) return Value.known(hostOf('float32', [floats.length], floats))
  throw call.error('it has no value of numbers')
}

const constantOfShape: Operator = (call) => {
  const shape = shapeFrom(call, 0)
  const value = call.tensor('value') ?? hostOf('float32', [1], [0])
  call.require(value.data.length === 1, () => 'the value must be one number')
  return broadcastTo(Value.known({ ...value, shape: [] }), shape)
}

const range: Operator = (call) => {
  const [start, limit, step] = [call.known(0), call.known(1), call.known(2)].map((each) => each.data[0] ?? NaN)
  const { type } = call.value(0)
  const count = Math.max(0, Math.ceil((limit! - start!) / step!))
  call.require(count <= MOST_KNOWN, () => `from ${start} to ${limit} by ${step} are too many elements`)
  return Value.known(
    hostOf(
      type,
      [count],
      Array.from({ length: count }, (_, i) => start! + i * step!),
    ),
  )
}

const eyeLike: Operator = (call) => {
  const x = call.value(0)
  call.require(x.rank === 2 && x.size <= MOST_KNOWN, () => `[${x.shape.join(', ')}] must be a matrix`)
  const type = call.type('dtype', x.type)
  const k = call.integer('k', 0)
  const [rows = 0, columns = 0] = x.shape
  const data = Array.from({ length: rows * columns }, (_, i) => Number((i % columns) - Math.floor(i / columns) === k))
  return Value.known(hostOf(type, x.shape, data))
}

export const shapeOperators: Readonly<Record<string, Operator>> = {
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Expand: expand,
  EyeLike: eyeLike,
  Flatten: flatten,
  Identity: (call) => call.value(0),
  Range: range,
  Reshape: reshape,
  Shape: shape,
  Size: (call) => Value.integers([call.value(0).size], []),
  Squeeze: squeeze,
  Tile: tile,
  Transpose: transpose,
  Unsqueeze: unsqueeze,
}
