// Products of int8 weights: x becomes integers within ±127, and the sums are scaled. The file has the weights as int8.

import { LARGEST, unpackWeights, type QuantizedContraction } from '../../../../engine/primitives/quantized'
import { inOrder, type Order } from '../../values'
import type { Call } from '../call'
import { Item, type Weight } from '../items'
import { Refusal } from '../writer'
import { channelsSecond, kernelFirst } from './window'

/** The unpacked weights of each packed variable. */
const unpacked = /* @__PURE__ */ new WeakMap<Weight, Weight>()

function kernelOf(packed: Item, { sight }: QuantizedContraction): Item {
  const { content } = packed
  if (content.kind !== 'weight') throw new Refusal('int8 weights that are computed')
  const shape = [...sight.window, sight.channels, sight.filters]
  let weight = unpacked.get(content.weight)
  if (weight === undefined) {
    const data = unpackWeights(content.weight.data, sight)
    weight = { ...content.weight, shape, data, written: null, forms: new Map() }
    unpacked.set(content.weight, weight)
  }
  const extents = shape.map((extent) => packed.shape[0]!.map(() => extent))
  return new Item('int8', extents, { kind: 'weight', weight, views: [] })
}

/** relu(s · scale · Σ q w + bias) with q = ⌊x / s⌉ */
export function quantized(call: Call, routine: QuantizedContraction): Item {
  const { writer } = call
  const [x, packed, scales, bias] = [call.input(), call.input(1), call.input(2), call.input(3)]
  const fixed = call.inputs[4]
  const { window, strides, dilation } = routine.sight
  const isProduct = window.length === 0
  const order: Order = isProduct ? inOrder(x.rank) : channelsSecond(x.rank)
  const number = (value: number): string => writer.number(value, 'float32')
  const node = (type: string, ...inputs: string[]): string => writer.node(type, inputs)
  const values = writer.name(x, order)
  const axes = isProduct ? [x.rank - 1] : inOrder(x.rank).slice(1)
  const largest =
    fixed === undefined
      ? writer.node('ReduceMax', [node('Abs', values)], { axes, keepdims: 1 })
      : node('Mul', writer.name(fixed), number(LARGEST))
  const factor = node(
    'Where',
    node('Greater', largest, number(1e-30)),
    node('Div', number(LARGEST), largest),
    number(0),
  )
  const whole = node('Clip', node('Round', node('Mul', values, factor)), number(-LARGEST), number(LARGEST))
  const kernel = kernelOf(packed, routine)
  const weights = writer.cast(writer.name(kernel, isProduct ? [0, 1] : kernelFirst(x.rank)), 'float32')
  const sums = isProduct
    ? node('MatMul', whole, weights)
    : writer.node('Conv', [whole, weights], { kernel_shape: window, strides, dilations: dilation })
  // [filters], or [filters, 1, …] beside channels that come second.
  const one = x.shape[0]!.map(() => 1)
  const beside = (item: Item): string =>
    writer.name(isProduct ? item : writer.reshaped(item, [item.shape[0]!, ...window.map(() => one)]))
  const scale = node('Mul', node('Div', largest, number(LARGEST)), beside(scales))
  const found = node('Add', node('Mul', sums, scale), beside(bias))
  return call.result(routine.relu ? node('Relu', found) : found, order)
}
