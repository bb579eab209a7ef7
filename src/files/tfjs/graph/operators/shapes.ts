// Operators on shapes, and those that make elements. parts.ts has those that move them.

import * as ops from '../../../../ops'
import type { Call, Operator } from '../../../onnx/call'
import { hostOf } from '../../../onnx/host'
import { broadcastTo, requireShape, reshaped, shapeOperators } from '../../../onnx/operators/shape'
import { Value, inOrder } from '../../../onnx/values'
import { by, integers, number, requireAlike } from './by'

/** A known shape. */
export function shapeAt(call: Call, i: number): number[] {
  const shape = integers(call, i)
  requireShape(call, shape)
  return shape
}

const identity: Operator = (call) => call.value(0)

const filled = (call: Call, value: Value, shape: readonly number[]): Value => {
  call.require(value.size === 1, () => 'the value must be one number')
  return broadcastTo(reshaped(value, []), shape)
}

const constant = (call: Call, x: Value, value: number): Value =>
  filled(call, Value.known(hostOf(x.type, [], [value])), x.shape)

const linear: Operator = (call) => {
  const [start, stop, count] = [number(call, 0), number(call, 1), number(call, 2)]
  call.require(Number.isInteger(count) && count >= 1 && count <= 2 ** 20, () => `there are ${count} numbers`)
  const step = count > 1 ? (stop - start) / (count - 1) : 0
  return Value.known(
    hostOf(
      'float32',
      [count],
      Array.from({ length: count }, (_, i) => start + i * step),
    ),
  )
}

const range: Operator = (call) => {
  requireAlike(call, call.all)
  for (const i of [0, 1, 2]) number(call, i)
  return shapeOperators['Range']!(call)
}

/** Extents of axis −1 follow from the others. */
const reshape: Operator = (call) => {
  const value = call.value(1)
  call.require(value.rank <= 1, () => `the shape has the extents [${value.shape.join(', ')}]`)
  return by(call, shapeOperators['Reshape'], [call.value(0), reshaped(value, [value.size])], { allowzero: 1 })
}

/** The same value, if its shape is as expected. */
const ensureShape: Operator = (call) => {
  const x = call.value(0)
  const shape = call.integers('shape') ?? []
  call.require(
    shape.length === x.rank && shape.every((extent, i) => extent < 0 || extent === x.shape[i]),
    () => `[${x.shape.join(', ')}] must be [${shape.join(', ')}]`,
  )
  return x
}

const squeeze: Operator = (call) => {
  const axes = call.integers('squeeze_dims') ?? call.integers('axis') ?? []
  return by(call, shapeOperators['Squeeze'], [call.value(0)], axes.length === 0 ? {} : { axes: axes })
}

const expandDims: Operator = (call) =>
  by(call, shapeOperators['Unsqueeze'], [call.value(0)], { axes: [number(call, 1)] })

const transpose: Operator = (call) => {
  const x = call.value(0)
  return by(call, shapeOperators['Transpose'], [x], call.maybe(1) === null ? {} : { perm: integers(call, 1) })
}

/** The shape to which two shapes broadcast. */
const broadcastArgs: Operator = (call) => {
  const [a, b] = [integers(call, 0), integers(call, 1)]
  const rank = Math.max(a.length, b.length)
  const shape = inOrder(rank).map((i) => {
    const [x, y] = [a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1]
    call.require(x === y || x === 1 || y === 1, () => `[${a.join(', ')}] and [${b.join(', ')}] do not broadcast`)
    return x === 1 ? y : x
  })
  return Value.integers(shape)
}

/** These take complex numbers as well. */
export const movingShapeRows: Readonly<Record<string, Operator>> = {
  ExpandDims: expandDims,
  Identity: identity,
  Reshape: reshape,
  Squeeze: squeeze,
  Transpose: transpose,
}

export const shapeRows: Readonly<Record<string, Operator>> = {
  BroadcastArgs: broadcastArgs,
  BroadcastTo: (call) => by(call, shapeOperators['Expand'], [call.value(0), Value.integers(shapeAt(call, 1))]),
  EnsureShape: ensureShape,
  FakeQuantWithMinMaxVars: identity,
  Fill: (call) => filled(call, call.value(1), shapeAt(call, 0)),
  IdentityN: (call) => call.all,
  LinSpace: linear,
  OnesLike: (call) => constant(call, call.value(0), 1),
  PlaceholderWithDefault: identity,
  Range: range,
  Rank: (call) => Value.integers([call.value(0).rank], []),
  Shape: (call) => Value.integers(call.value(0).shape),
  ShapeN: (call) => call.all.map(({ shape }) => Value.integers(shape)),
  Size: (call) => Value.integers([call.value(0).size], []),
  Snapshot: identity,
  StopGradient: (call) => {
    const x = call.value(0)
    return x.host !== null ? x : Value.of(ops.stopGradient(x.asIs), x.type, x.order)
  },
  Tile: (call) => by(call, shapeOperators['Tile'], [call.value(0), Value.integers(shapeAt(call, 1))]),
  ZerosLike: (call) => constant(call, call.value(0), 0),
}
