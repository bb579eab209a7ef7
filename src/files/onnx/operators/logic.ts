// Conditions, choices, and conversions between types of elements.

import * as ops from '../../../ops'
import type { Tensor } from '../../../ops/tensor'
import type { Call, Operator } from '../call'
import { types, type ElementType } from '../types'
import type { Value } from '../values'
import { elementwise, isNarrow, wrapped, type Host } from './elementwise'

/** A condition on two operands. */
const comparison =
  (kernel: (a: Tensor, b: Tensor) => Tensor, host: (a: number, b: number) => boolean): Operator =>
  (call) =>
    elementwise(
      call,
      [call.value(0), call.value(1)],
      'bool',
      (a, b) => kernel(a!, b!),
      (a, b) => Number(host(a!, b!)),
    )

const where: Operator = (call) => {
  const [condition, a, b] = [call.value(0), call.value(1), call.value(2)]
  return elementwise(
    call,
    [condition, a, b],
    a.type,
    (c, x, y) => ops.where(c!, x!, y!),
    (c, x, y) => (c ? x! : y!),
  )
}

/** A value with elements of another type. */
export function converted(call: Call, x: Value, type: ElementType): Value {
  if (x.type === type) return x
  const [from, to] = [types[x.type], types[type]]
  const number: Host = to.isFloat ? (each) => each! : (each) => Math.trunc(each!)
  const host: Host = type === 'bool' ? (each) => Number(each !== 0) : number
  return elementwise(
    call,
    [x],
    type,
    (each) => (from.dtype === to.dtype && !isNarrow(type) ? each! : wrapped(ops.cast(each!, to.dtype), type)),
    host,
  )
}

const cast: Operator = (call) => converted(call, call.value(0), call.type('to', 'float32'))
const castLike: Operator = (call) => converted(call, call.value(0), call.value(1).type)

/** A condition on one operand. */
export const conditionOf =
  (kernel: (x: Tensor) => Tensor, host: (x: number) => boolean): Operator =>
  (call) =>
    elementwise(
      call,
      [call.value(0)],
      'bool',
      (x) => kernel(x!),
      (x) => Number(host(x!)),
    )

const isInfinite: Operator = (call) => {
  const [below, above] = [call.flag('detect_negative', true), call.flag('detect_positive', true)]
  const kernel = (x: Tensor): Tensor => {
    if (below && above) return ops.isinf(x)
    if (above) return ops.equal(x, Infinity)
    return below ? ops.equal(x, -Infinity) : ops.cast(ops.zerosLike(x), 'bool')
  }
  const host = (x: number): boolean => (below && x === -Infinity) || (above && x === Infinity)
  return conditionOf(kernel, host)(call)
}

export const logicOperators: Readonly<Record<string, Operator>> = {
  Equal: comparison(ops.equal, (a, b) => a === b),
  Greater: comparison(ops.greater, (a, b) => a > b),
  GreaterOrEqual: comparison(ops.greaterEqual, (a, b) => a >= b),
  Less: comparison(ops.less, (a, b) => a < b),
  LessOrEqual: comparison(ops.lessEqual, (a, b) => a <= b),
  And: comparison(ops.logicalAnd, (a, b) => a !== 0 && b !== 0),
  Or: comparison(ops.logicalOr, (a, b) => a !== 0 || b !== 0),
  Xor: comparison(ops.notEqual, (a, b) => a !== b),
  Not: conditionOf(ops.logicalNot, (x) => x === 0),
  IsNaN: conditionOf(ops.isnan, Number.isNaN),
  IsInf: isInfinite,
  Where: where,
  Cast: cast,
  CastLike: castLike,
}
