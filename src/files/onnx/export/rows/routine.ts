// Kernels that load with the ops that use them: attention, normalization, sorting, running sums, Fourier transforms, products of int8 weights.

import { AttentionKernel } from '../../../../engine/primitives/attention'
import { FourierTransform } from '../../../../engine/primitives/fourier'
import { Normalization } from '../../../../engine/primitives/normalization'
import { QuantizedContraction } from '../../../../engine/primitives/quantized'
import { RunningResult } from '../../../../engine/primitives/running'
import { ArgSort, SearchSorted, SortedValues } from '../../../../engine/primitives/sorting'
import type { Call, Row } from '../call'
import type { Item } from '../items'
import { Refusal } from '../writer'
import { running } from './loop'
import { quantized } from './quantized'

/** softmax(scale · query · keyᵀ + bias) · value, where the mask is true and t − before ≤ s ≤ t + after. */
function attention(call: Call, { attributes }: AttentionKernel): readonly Item[] {
  const { writer } = call
  const { scale, before, after, hasMask, hasBias } = attributes
  const [query, key, value] = [call.input(), call.input(1), call.input(2)]
  const [batch, rows, heads, depth] = [query.shape[0]!, query.shape[1]!, query.shape[2]!, query.shape[3]!]
  const [columns, groups] = [key.shape[1]!, key.shape[2]!]
  const shared = heads.map((each, i) => each / groups[i]!)
  const one = batch.map(() => 1)
  const isShared = shared[0] !== 1
  // Heads that share a key are another axis: [batch, groups, shared, rows, features] beside [batch, groups, 1, columns, features].
  const queries = isShared
    ? writer.name(writer.reshaped(query, [batch, rows, groups, shared, depth]), [0, 2, 3, 1, 4])
    : writer.name(query, [0, 2, 1, 3])
  const beside = (item: Item, order: readonly number[]): string =>
    isShared
      ? writer.name(writer.reshaped(item, [batch, columns, groups, one, item.shape[3]!]), order)
      : writer.name(
          item,
          order.filter((axis) => axis !== 3).map((axis) => Math.min(axis, 3)),
        )
  const scaled = scale === 1 ? queries : writer.node('Mul', [queries, writer.number(scale, 'float32')])
  const wide = [batch, groups, shared, rows, columns]
  let scores = writer.node('MatMul', [scaled, beside(key, [0, 2, 3, 4, 1])])
  if (isShared) scores = writer.reshape(scores, wide, [batch, heads, rows, columns])
  if (hasBias) scores = writer.node('Add', [scores, writer.name(call.inputs.at(-1)!)])
  const hidden = writer.number(-3e38, 'float32')
  const hide = (isHidden: string): string => writer.node('Where', [isHidden, hidden, scores])
  if (hasMask) scores = writer.node('Where', [call.plain(3), scores, hidden])
  const isBand = [before < Infinity, after < Infinity]
  if (isBand.includes(true)) {
    const at = writer.places(columns)
    const from = writer.reshape(writer.places(rows), [rows], [rows, one])
    const distance = writer.node('Sub', [at, from])
    if (isBand[0]) scores = hide(writer.node('Less', [distance, writer.number(-before, 'int32')]))
    if (isBand[1]) scores = hide(writer.node('Greater', [distance, writer.number(after, 'int32')]))
  }
  let shares = writer.node('Softmax', [scores], { axis: -1 })
  if (isShared) shares = writer.reshape(shares, [batch, heads, rows, columns], wide)
  const found = writer.node('MatMul', [shares, beside(value, [0, 2, 3, 1, 4])])
  const width = value.shape[3]!
  const merged = isShared
    ? writer.reshape(found, [batch, groups, shared, rows, width], [batch, heads, rows, width])
    : found
  if (call.around.isRead(call.node.outputs[1]!)) throw new Refusal('the sums of attention')
  return [call.result(merged, [0, 2, 1, 3]), writer.item('', call.output(1))]
}

/** (x − mean) / √(variance + epsilon) · scale + shift over the last axes; without a centre, ONNX has no operator for it. */
function normalization(call: Call, { attributes }: Normalization): readonly Item[] {
  const { writer } = call
  const { leading, axes, epsilon, isCentered, hasScale } = attributes
  const [x, weights] = [call.input(), call.inputs.slice(1)]
  if ([1, 2].some((i) => call.around.isRead(call.node.outputs[i]!))) throw new Refusal('the means of a normalization')
  const rest = [1, 2].map((i) => writer.item('', call.output(i)))
  if (isCentered && hasScale && leading === 0) {
    const operands = [x, ...weights].map((each) => writer.name(each))
    return [
      call.result(writer.node('LayerNormalization', operands, { axis: -axes, epsilon: { float: epsilon } })),
      ...rest,
    ]
  }
  const last = Array.from({ length: axes }, (_, i) => i - axes)
  const average = (name: string): string => writer.node('ReduceMean', [name], { axes: last, keepdims: 1 })
  const values = writer.name(x)
  const distance = isCentered ? writer.node('Sub', [values, average(values)]) : values
  const variance = average(writer.node('Mul', [distance, distance]))
  const spread = writer.node('Sqrt', [writer.node('Add', [variance, writer.number(epsilon, 'float32')])])
  // Weights that differ between samples are beside the rows.
  const between = x.shape.slice(leading, x.rank - axes).map((each) => each.map(() => 1))
  const beside = (weight: Item): string => {
    const { shape } = weight
    const wide = [...shape.slice(0, leading), ...(leading === 0 ? [] : between), ...shape.slice(leading)]
    return writer.name(writer.reshaped(weight, wide))
  }
  const [scale, shift] = weights.map(beside)
  let y = writer.node('Div', [distance, spread])
  if (scale !== undefined) y = writer.node('Mul', [y, scale])
  if (shift !== undefined) y = writer.node('Add', [y, shift])
  return [call.result(y), ...rest]
}

/** TopK prefers the first of equal elements, as a stable sort does. */
function sorted(call: Call, { axis, descending }: ArgSort | SortedValues, isValues: boolean): Item {
  const { writer } = call
  const { name, order } = call.asIs()
  const { dtype } = call.input()
  const numbers = dtype === 'bool' ? writer.cast(name, 'int32') : name
  const count = writer.extent(call.output().shape[axis]!)
  const attributes = { axis: order.indexOf(axis), largest: Number(descending) }
  const [values = '', places = ''] = writer.scope.all('TopK', [numbers, count], 2, attributes)
  if (!isValues) return call.result(writer.cast(places, 'int32'), order)
  return call.result(dtype === 'bool' ? writer.cast(values, 'bool') : values, order)
}

/** The number of sorted elements that are below each value. */
function searched(call: Call, { isRight }: SearchSorted): Item {
  const { writer } = call
  const values = call.input(1)
  const one = values.shape[0]?.map(() => 1) ?? call.input().shape[0]!.map(() => 1)
  const apart = writer.name(writer.reshaped(values, [...values.shape, one]))
  const isBelow = writer.node(isRight ? 'LessOrEqual' : 'Less', [call.plain(), apart])
  const counts = writer.node('ReduceSum', [writer.cast(isBelow, 'int32'), writer.integers([-1])], { keepdims: 0 })
  return call.result(counts)
}

/** Real and imaginary parts are one axis more in ONNX, and its inverse divides by the number of elements. */
function fourier(call: Call, { axis, isBackwards }: FourierTransform): readonly Item[] {
  const { writer } = call
  const real = call.input()
  const last = writer.integers([real.rank])
  const parts = [0, 1].map((i) => writer.node('Unsqueeze', [call.plain(i), last]))
  const whole = writer.node('Concat', parts, { axis: real.rank })
  const found = writer.node('DFT', [whole], { axis, inverse: Number(isBackwards) })
  const scaled = isBackwards ? writer.node('Mul', [found, writer.scalar(real.shape[axis]!, 'float32')]) : found
  return [0, 1].map((i) =>
    call.result(writer.node('Gather', [scaled, writer.number(i, 'int64')], { axis: real.rank }), undefined, i),
  )
}

function accumulated(call: Call, { axis, kind, isBackwards }: RunningResult): Item {
  if (kind !== 'sum') return running(call, axis, kind === 'product', isBackwards)
  const { name, order } = call.asIs()
  const { writer } = call
  return call.result(
    writer.node('CumSum', [name, writer.number(order.indexOf(axis), 'int64')], { reverse: Number(isBackwards) }),
    order,
  )
}

export const routine: Row<'routine'> = (call) => {
  const { routine: kernel } = call.attributes
  if (kernel instanceof AttentionKernel) return attention(call, kernel)
  if (kernel instanceof Normalization) return normalization(call, kernel)
  if (kernel instanceof ArgSort) return sorted(call, kernel, false)
  if (kernel instanceof SortedValues) return sorted(call, kernel, true)
  if (kernel instanceof SearchSorted) return searched(call, kernel)
  if (kernel instanceof RunningResult) return accumulated(call, kernel)
  if (kernel instanceof FourierTransform) return fourier(call, kernel)
  if (kernel instanceof QuantizedContraction) return quantized(call, kernel)
  throw new Refusal(kernel.name)
}
