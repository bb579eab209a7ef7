// Primitives that reduce axes to one number, and softmax over the last axis.

import type { AxesAttributes, AxisAttributes } from '../../../ir/attributes'
import type { Order } from '../../values'
import type { Node, Value } from '../../../ir/graph'
import type { Call, Row } from '../call'
import { pattern } from '../patterns'
import type { Item } from '../items'

/** The order of the axes that are left. */
function orderWithout(order: Order, axes: readonly number[]): Order {
  const left = [...order.keys()].filter((axis) => !axes.includes(axis))
  return order.filter((axis) => !axes.includes(axis)).map((axis) => left.indexOf(axis))
}

function reduced(call: Call, axes: readonly number[], write: (name: string, axes: readonly number[]) => string): Item {
  const { order } = call.input()
  const own = axes.map((axis) => order.indexOf(axis)).sort((a, b) => a - b)
  return call.result(write(call.writer.name(call.input(), order), own), orderWithout(order, axes))
}

/** Sums and extremes of booleans are those of 0 and 1. */
const reduction =
  (type: string): Row<'sum' | 'mean' | 'max' | 'min'> =>
  (call) => {
    const { writer } = call
    const { axes }: AxesAttributes = call.attributes
    const isBool = call.input().dtype === 'bool'
    return reduced(call as Call, axes, (given, own) => {
      const name = isBool ? writer.cast(given, 'int32') : given
      // Only ReduceSum has its axes as an operand in this version.
      const found =
        type === 'ReduceSum'
          ? writer.node(type, [name, writer.integers(own)], { keepdims: 0 })
          : writer.node(type, [name], { axes: own, keepdims: 0 })
      return isBool && call.output().dtype === 'bool' ? writer.cast(found, 'bool') : found
    })
  }

/** γ (x − μ) / √(σ² + ε) + β over the last axis, as LayerNormalization traces it. */
const NORMALIZED = pattern(
  'mean(x) reshape(0) subtract(x,1) square(2) mean(3) reshape(4) subtract(x,1) add(5,e) rsqrt(7) multiply(6,8) multiply(9,g) add(10,b)',
)

const mean: Row<'mean'> = (call) => {
  const { writer } = call
  const x = call.input()
  const match = call.around.match(NORMALIZED)
  const [epsilon, gamma, beta] = ['e', 'g', 'b'].map((letter) => writer.items.get(match?.values.get(letter) as Value))
  const isLast = [0, 4].every((i) => {
    const node = match?.nodes[i] as Node<'mean'> | undefined
    return node?.attributes.axes.length === 1 && node.attributes.axes[0] === x.rank - 1
  })
  const isKnown = epsilon?.content.kind === 'constant' && epsilon.rank === 0 && gamma?.rank === 1 && beta?.rank === 1
  if (match === null || !isLast || !isKnown) return reduction('ReduceMean')(call as Call<'mean'>)
  call.around.fuse(...match.nodes)
  const name = writer.node('LayerNormalization', [call.plain(), writer.name(gamma), writer.name(beta)], {
    axis: -1,
    epsilon: { float: epsilon.content.data[0]! },
  })
  return writer.item(name, x)
}

const extremePlace =
  (type: string): Row<'argMax' | 'argMin'> =>
  (call) => {
    const { writer } = call
    const { axis }: AxisAttributes = call.attributes
    const isBool = call.input().dtype === 'bool'
    return reduced(call as Call, [axis], (given, [own]) => {
      const name = isBool ? writer.cast(given, 'int32') : given
      return writer.cast(writer.node(type, [name], { axis: own!, keepdims: 0 }), 'int32')
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
  mean,
  max: reduction('ReduceMax'),
  min: reduction('ReduceMin'),
  argMax: extremePlace('ArgMax'),
  argMin: extremePlace('ArgMin'),
  softmax: alongLast('Softmax'),
  logSoftmax: alongLast('LogSoftmax'),
}
