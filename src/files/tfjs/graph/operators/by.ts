// Operators of TensorFlow by those of ONNX, which have the same operands, or attributes in other words. Values of ONNX know the order
// of their axes, so that a transposition to channels first and back moves no element.

import { Call, type Operator } from '../../../onnx/call'
import { types } from '../../../onnx/types'
import { Value, channelsLast, inOrder } from '../../../onnx/values'
import { attributeOf } from '../attributes'

export type Attributes = Readonly<Record<string, number | string | readonly number[]>>

/** All results of an operator of ONNX. Errors name the node of the file. */
export function allBy(
  call: Call,
  operator: Operator | undefined,
  values: readonly (Value | null)[],
  attributes: Attributes = {},
): readonly Value[] {
  const made = Object.entries(attributes).map(([name, value]) => attributeOf(name, value))
  const found = operator!(new Call(call.node, made, values, call.opset, call.around))
  return found instanceof Value ? [found] : found
}

/** The first result. */
export function by(
  call: Call,
  operator: Operator | undefined,
  values: readonly (Value | null)[],
  attributes: Attributes = {},
): Value {
  return allBy(call, operator, values, attributes)[0]!
}

/** Whether the channels of images are last. */
export const isChannelsLast = (call: Call): boolean => !/^NC/i.test(call.text('data_format', 'NHWC'))

/** [batch, channels, …spatial axes] */
export function channelsFirst(call: Call, x: Value): Value {
  return isChannelsLast(call) && x.rank > 1
    ? x.transposed([0, x.rank - 1, ...inOrder(x.rank - 2).map((axis) => axis + 1)])
    : x
}

/** [batch, channels, …spatial axes] in the order of the node. */
export function asBefore(call: Call, x: Value): Value {
  return isChannelsLast(call) && x.rank > 1 ? x.transposed(channelsLast(x.rank)) : x
}

/** The elements of a list for the spatial axes. */
export function spatial(call: Call, name: string, rank: number, absent: number): number[] {
  const list = call.integers(name) ?? []
  if (list.length === 0) return new Array<number>(rank - 2).fill(absent)
  const [first, last] = isChannelsLast(call) ? [1, rank - 1] : [2, rank]
  call.require(
    list.length === rank && list.every((each, i) => (i >= first && i < last) || each === 1),
    () => `${name} [${list.join(', ')}] must have ${rank} numbers, with 1 for samples and channels`,
  )
  return list.slice(first, last)
}

/** Integers of an operand that must be known. */
export const integers = (call: Call, i: number): number[] => {
  const list = Array.from(call.known(i).data)
  call.require(list.every(Number.isInteger), () => `operand ${i} [${list.slice(0, 9).join(', ')}] must have integers`)
  return list
}

/** An operand that is one known number. */
export function number(call: Call, i: number): number {
  const { data } = call.known(i)
  call.require(data.length === 1, () => `operand ${i} must be one number`)
  return data[0]!
}

/** @throws FormatError unless operands have one dtype, as in every graph of TensorFlow */
export function requireAlike(call: Call, values: readonly Value[]): void {
  const dtypes = new Set(values.map(({ type }) => types[type].dtype))
  call.require(dtypes.size <= 1, () => `operands must have one dtype, received ${[...dtypes].join(' and ')}`)
}

/** The operator for operands of one dtype. */
export const alike =
  (operator: Operator | undefined): Operator =>
  (call) => {
    requireAlike(call, call.all)
    return operator!(call)
  }
