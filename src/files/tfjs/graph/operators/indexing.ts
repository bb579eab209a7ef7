// Operators that read and write elements at indices.

import * as ops from '../../../../ops'
import type { Call, Operator } from '../../../onnx/call'
import { hostOf } from '../../../onnx/host'
import { indexingOperators } from '../../../onnx/operators/indexing'
import { broadcastTo, requireShape, reshaped } from '../../../onnx/operators/shape'
import { Value } from '../../../onnx/values'
import { by, number, requireAlike } from './by'
import { shapeAt } from './shapes'

/** An axis of one element after the others. */
const withLast = (x: Value): Value => reshaped(x, [...x.shape, 1])

const gather: Operator = (call) => {
  const [x, indices] = [call.value(0), call.value(1)]
  const axis = call.axis(call.maybe(2) === null ? 0 : number(call, 2), x.rank)
  const attribute = call.integer('batch_dims', 0)
  const batch = attribute < 0 ? attribute + indices.rank : attribute
  if (batch === 0) return by(call, indexingOperators['Gather'], [x, indices], { axis })
  call.require(batch === axis, () => `batch_dims ${batch} must be the axis ${axis}`)
  return by(call, indexingOperators['GatherND'], [x, withLast(indices)], { batch_dims: batch })
}

function scattered(call: Call, x: Value, indices: Value, updates: Value, reduction: string): Value {
  requireAlike(call, [x, updates])
  return by(call, indexingOperators['ScatterND'], [x, indices, updates], { reduction })
}

/** Indices that occur twice add their updates. */
const scatter: Operator = (call) => {
  const updates = call.value(1)
  const zeros = broadcastTo(Value.known(hostOf(updates.type, [], [0])), shapeAt(call, 2))
  return scattered(call, zeros, call.value(0), updates, 'add')
}

/** Elements at indices in a tensor of one value. */
const sparse: Operator = (call) => {
  const [indices, values, rest] = [call.value(0), call.value(2), call.value(3)]
  const shape = shapeAt(call, 1)
  const places = indices.rank < 2 ? reshaped(indices, [indices.size / shape.length, shape.length]) : indices
  call.require(
    values.size === 1 || values.size === places.shape[0],
    () => `there are ${values.size} values for ${places.shape[0]} indices`,
  )
  const updates = broadcastTo(values.rank === 0 ? reshaped(values, [1]) : values, [places.shape[0]!])
  return scattered(call, broadcastTo(reshaped(rest, []), shape), places, updates, 'none')
}

/** Indices outside 0 … depth − 1 have no class. */
const oneHot: Operator = (call) => {
  const [indices, on, off] = [call.value(0), call.value(2), call.value(3)]
  const depth = number(call, 1)
  const axis = call.axis(call.integer('axis', -1), indices.rank + 1)
  requireAlike(call, [on, off])
  requireShape(call, [...indices.shape, depth])
  call.require(on.size === 1 && off.size === 1, () => 'the values must be numbers')
  const classes = ops.reshape(
    ops.arange(0, depth, 1, 'int32'),
    Array.from({ length: indices.rank + 1 }, (_, i) => (i === axis ? depth : 1)),
  )
  const isOn = ops.equal(ops.expandDims(ops.cast(indices.plain, 'int32'), axis), classes)
  return Value.of(ops.where(isOn, reshaped(on, []).plain, reshaped(off, []).plain), on.type)
}

export const indexingRows: Readonly<Record<string, Operator>> = {
  Gather: gather,
  GatherNd: (call) => by(call, indexingOperators['GatherND'], [call.value(0), call.value(1)]),
  GatherV2: gather,
  OneHot: oneHot,
  ScatterNd: scatter,
  SparseToDense: sparse,
  TensorScatterUpdate: (call) => scattered(call, call.value(0), call.value(1), call.value(2), 'none'),
  TopKV2: (call) => indexingOperators['TopK']!(call),
}
