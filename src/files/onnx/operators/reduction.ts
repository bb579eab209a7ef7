// Operators that reduce axes to one number, and running sums.

import * as ops from '../../../ops'
import type { Tensor } from '../../../ops/tensor'
import type { Call, Operator } from '../call'
import { MOST_KNOWN, reduced } from '../host'
import { types, type HostArray } from '../types'
import { Value, inOrder } from '../values'

type Kernel = (x: Tensor, axes: readonly number[]) => Tensor

/** A value without axes whose extents are 1. */
export function without(x: Value, axes: readonly number[]): Value {
  const left = inOrder(x.rank).filter((axis) => !axes.includes(axis))
  const shape = left.map((axis) => x.shape[axis]!)
  if (x.host !== null) return Value.known({ ...x.host, shape })
  const order = x.order.filter((axis) => left.includes(axis)).map((axis) => left.indexOf(axis))
  return Value.of(
    ops.reshape(
      x.asIs,
      order.map((axis) => shape[axis]!),
    ),
    x.type,
    order,
  )
}

const keep = { keepDims: true }
const total: Kernel = (x, axes) => ops.sum(x, { axis: axes, ...keep })
const square = (x: Tensor): Tensor => ops.multiply(x, x)

const reduction =
  (
    kernel: Kernel,
    host: ((elements: HostArray) => number) | null = null,
    mapsAlone: ((x: Tensor) => Tensor) | null = null,
  ): Operator =>
  (call) => {
    const x = call.value(0)
    const listed = call.list('axes', 1) ?? []
    if (listed.length === 0 && call.flag('noop_with_empty_axes'))
      return mapsAlone === null ? x : Value.of(mapsAlone(x.asIs), x.type, x.order)
    const axes = listed.length === 0 ? inOrder(x.rank) : call.axes(listed, x.rank)
    const keeps = call.flag('keepdims', true)
    const found =
      x.host !== null && host !== null && x.size <= MOST_KNOWN
        ? Value.known(reduced(x.host, axes, host))
        : reducedByKernel(x, axes, kernel)
    return keeps ? found : without(found, axes)
  }

function reducedByKernel(x: Value, axes: readonly number[], kernel: Kernel): Value {
  const { dtype } = types[x.type]
  const positions = axes.map((axis) => x.order.indexOf(axis))
  return Value.of(ops.cast(kernel(x.asIs, positions), dtype), x.type, x.order)
}

const sumOf = (elements: HostArray): number => {
  let sum = 0
  for (const each of elements) sum += each
  return sum
}
const productOf = (elements: HostArray): number => {
  let product = 1
  for (const each of elements) product *= each
  return product
}
const most = (elements: HostArray): number => {
  let found = -Infinity
  for (const each of elements) found = Math.max(found, each)
  return found
}
const least = (elements: HostArray): number => {
  let found = Infinity
  for (const each of elements) found = Math.min(found, each)
  return found
}

/** The largest or smallest element; that of no elements is infinite. */
const extreme =
  (isMost: boolean): Kernel =>
  (x, axes) => {
    const shape = x.shape.map((extent, i) => (axes.includes(i) ? 1 : extent))
    const isEmpty = axes.some((axis) => x.shape[axis] === 0)
    if (isEmpty) return ops.full(shape, isMost ? -Infinity : Infinity, x.dtype === 'float32' ? 'float32' : 'int32')
    return (isMost ? ops.max : ops.min)(x, { axis: axes, ...keep })
  }

const logSumExp: Kernel = (x, axes) =>
  axes.some((axis) => x.shape[axis] === 0) ? ops.log(total(x, axes)) : ops.logSumExp(x, { axis: axes, ...keep })

const mean: Kernel = (x, axes) => ops.mean(ops.cast(x, 'float32'), { axis: axes, ...keep })

/** The index of the largest or the smallest element. */
const index =
  (isMost: boolean): Operator =>
  (call) => {
    const x = call.value(0)
    const axis = call.axis(call.integer('axis', 0), x.rank)
    const position = x.order.indexOf(axis)
    const isLast = call.flag('select_last_index')
    const { host } = x
    if (host !== null && !isLast && x.size <= MOST_KNOWN) {
      const best = isMost ? most : least
      const found = reduced({ ...host, type: 'int64' }, [axis], (each) => each.indexOf(best(each)))
      return call.flag('keepdims', true) ? Value.known(found) : without(Value.known(found), [axis])
    }
    const read = isLast ? ops.flip(x.asIs, position) : x.asIs
    const found = (isMost ? ops.argmax : ops.argmin)(read, { axis: position, keepDims: true })
    const at = isLast ? ops.subtract(x.shape[axis]! - 1, found) : found
    const value = Value.of(at, 'int64', x.order)
    return call.flag('keepdims', true) ? value : without(value, [axis])
  }

/** result[i] = x[0] + … + x[i]; `exclusive` leaves out x[i]. */
const runningSum = (call: Call): Value => {
  const x = call.value(0)
  const { data } = call.known(1)
  call.require(data.length === 1, () => 'the axis must be one number')
  const axis = call.axis(data[0]!, x.rank)
  const position = x.order.indexOf(axis)
  const isReverse = call.flag('reverse')
  const read = isReverse ? ops.flip(x.asIs, position) : x.asIs
  const sums = ops.cumsum(read, position)
  const found = call.flag('exclusive') ? ops.subtract(sums, read) : sums
  return Value.of(isReverse ? ops.flip(found, position) : found, x.type, x.order)
}

export const reductionOperators: Readonly<Record<string, Operator>> = {
  ReduceL1: reduction((x, axes) => total(ops.abs(x), axes), null, ops.abs),
  ReduceL2: reduction((x, axes) => ops.sqrt(total(square(x), axes)), null, ops.abs),
  ReduceLogSum: reduction((x, axes) => ops.log(total(x, axes)), null, ops.log),
  ReduceLogSumExp: reduction(logSumExp),
  ReduceMax: reduction(extreme(true), most),
  ReduceMean: reduction(mean, (each) => sumOf(each) / each.length),
  ReduceMin: reduction(extreme(false), least),
  ReduceProd: reduction((x, axes) => ops.prod(x, { axis: axes, ...keep }), productOf),
  ReduceSum: reduction(total, sumOf),
  ReduceSumSquare: reduction((x, axes) => total(square(x), axes), null, square),
  ArgMax: index(true),
  ArgMin: index(false),
  CumSum: runningSum,
}
