// Primitives that reduce axes to one number, and softmax over the last axis.

import type { AxesAttributes, AxisAttributes } from '../../../../engine/ir/attributes'
import type { Order } from '../../values'
import type { Call, Row } from '../call'
import type { Item } from '../items'

/** The order of the axes that are left. */
function orderWithout(order: Order, axes: readonly number[]): Order {
  const left = [...order.keys()].filter((axis) => !axes.includes(axis))
  return order.filter((axis) => !axes.includes(axis)).map((axis) => left.indexOf(axis))
}

function reduced(call: Call, axes: readonly number[], write: (name: string, axes: readonly number[]) => string): Item {
  const { order } = call.input()
  const positions = axes.map((axis) => order.indexOf(axis)).sort((a, b) => a - b)
  return call.result(write(call.writer.name(call.input(), order), positions), orderWithout(order, axes))
}

/** Sums and extremes of booleans are those of 0 and 1. */
const reduction =
  (type: string): Row<'sum' | 'mean' | 'max' | 'min'> =>
  (call) => {
    const { writer } = call
    const { axes }: AxesAttributes = call.attributes
    const isBool = call.input().dtype === 'bool'
    return reduced(call, axes, (operand, positions) => {
      const name = isBool ? writer.cast(operand, 'int32') : operand
      // Only ReduceSum has its axes as an operand in this version.
      const found =
        type === 'ReduceSum'
          ? writer.node(type, [name, writer.integers(positions)], { keepdims: 0 })
          : writer.node(type, [name], { axes: positions, keepdims: 0 })
      return isBool && call.output().dtype === 'bool' ? writer.cast(found, 'bool') : found
    })
  }

const extremePlace =
  (type: string): Row<'argMax' | 'argMin'> =>
  (call) => {
    const { writer } = call
    const { axis }: AxisAttributes = call.attributes
    const isBool = call.input().dtype === 'bool'
    return reduced(call, [axis], (operand, [position]) => {
      const name = isBool ? writer.cast(operand, 'int32') : operand
      return writer.cast(writer.node(type, [name], { axis: position!, keepdims: 0 }), 'int32')
    })
  }

const alongLast =
  (type: string): Row<'softmax' | 'logSoftmax'> =>
  (call) => {
    const { name, order } = call.asIs()
    return call.result(call.writer.node(type, [name], { axis: order.indexOf(order.length - 1) }), order)
  }

export const reductionRows = {
  sum: reduction('ReduceSum'),
  mean: reduction('ReduceMean'),
  max: reduction('ReduceMax'),
  min: reduction('ReduceMin'),
  argMax: extremePlace('ArgMax'),
  argMin: extremePlace('ArgMin'),
  softmax: alongLast('Softmax'),
  logSoftmax: alongLast('LogSoftmax'),
}
