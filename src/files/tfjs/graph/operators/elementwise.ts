// Operators that compute element i of the result from element i of each operand.

import * as ops from '../../../../ops'
import type { Tensor } from '../../../../ops/tensor'
import type { Call, Operator } from '../../../onnx/call'
import { ACTIVATIONS, activationOperators } from '../../../onnx/operators/activation'
import { elementwise, elementwiseOperators, mapped, unary, type Host } from '../../../onnx/operators/elementwise'
import { conditionOf, converted, logicOperators } from '../../../onnx/operators/logic'
import { reshaped } from '../../../onnx/operators/shape'
import type { Value } from '../../../onnx/values'
import { alike, by, isChannelsLast, requireAlike } from './by'

/** Operators of both with the same names and meanings. */
const SAME = [
  'Abs', 'Acos', 'Acosh', 'Asin', 'Asinh', 'Atan', 'Atanh', 'Ceil', 'Cos', 'Cosh', 'Erf', 'Exp', 'Floor', 'Log', 'Neg',
  'Reciprocal', 'Round', 'Sign', 'Sin', 'Sinh', 'Sqrt', 'Tan',
] // prettier-ignore

const binary =
  (kernel: (a: Tensor, b: Tensor) => Tensor, host: Host | null = null): Operator =>
  (call) => {
    const [a, b] = [call.value(0), call.value(1)]
    requireAlike(call, [a, b])
    return elementwise(call, [a, b], a.type, (x, y) => kernel(x!, y!), host)
  }

/** Whole numbers below the quotient, also of integers. */
const quotient: Host = (a, b) => Math.floor(a! / b!)

/** TensorFlow.js rounds quotients of integers down. */
const divide: Operator = (call) =>
  (call.value(0).isFloat ? elementwiseOperators['Div']! : binary(ops.floorDivide, quotient))(call)

/** 0 where b is 0; the gradient is finite there, too. */
function quotientOrZero(a: Tensor, b: Tensor): Tensor {
  const isZero = ops.equal(b, 0)
  return ops.where(isZero, ops.zerosLike(a), ops.divide(a, ops.where(isZero, ops.onesLike(b), b)))
}

/** A bias for each channel. */
const biasAdd: Operator = (call) => {
  const [x, bias] = [call.value(0), call.value(1)]
  return addBias(call, x, bias)
}

/** Exporters also fuse the sum with another result of the same product. */
export function addBias(call: Call, x: Value, bias: Value): Value {
  const axis = isChannelsLast(call) ? x.rank - 1 : 1
  const aligned =
    bias.rank === 1
      ? reshaped(
          bias,
          x.shape.map((_, i) => (i === axis ? bias.size : 1)),
        )
      : bias
  const sum = by(call, elementwiseOperators['Add'], [x, aligned])
  call.require(
    sum.rank === x.rank && sum.shape.every((extent, i) => extent === x.shape[i]),
    () => `the bias [${bias.shape.join(', ')}] does not fit [${x.shape.join(', ')}]`,
  )
  return sum
}

export const leakyRelu = (call: Call, x: Value, alpha: number): Value =>
  elementwise(call, [x], x.type, (each) => ACTIVATIONS['LeakyRelu']!(each!, alpha))

const select: Operator = (call) => {
  const [condition, a, b] = [call.value(0), call.value(1), call.value(2)]
  requireAlike(call, [a, b])
  // The condition of Select may choose rows.
  const isRows = call.node.type === 'Select' && condition.rank === 1 && a.rank > 1 && condition.size === a.shape[0]
  const shape = a.shape.map((extent, i) => (i === 0 ? extent : 1))
  return by(call, logicOperators['Where'], [isRows ? reshaped(condition, shape) : condition, a, b])
}

const notEqual: Operator = (call) => {
  const [a, b] = [call.value(0), call.value(1)]
  requireAlike(call, [a, b])
  return elementwise(
    call,
    [a, b],
    'bool',
    (x, y) => ops.notEqual(x!, y!),
    (x, y) => Number(x !== y),
  )
}

const named = (names: readonly string[], table: Readonly<Record<string, Operator>>): Record<string, Operator> =>
  Object.fromEntries(names.map((name) => [name, table[name]!]))

export const elementwiseRows: Readonly<Record<string, Operator>> = {
  ...named(SAME, elementwiseOperators),
  ...named(['Elu', 'Relu', 'Selu', 'Sigmoid', 'Softplus', 'Tanh'], activationOperators),
  Expm1: unary(ops.expm1),
  LeakyRelu: (call) => leakyRelu(call, call.value(0), call.float('alpha', 0.2)),
  Log1p: unary(ops.log1p),
  Prelu: alike(activationOperators['PRelu']),
  Relu6: (call) => mapped(call, (x) => ops.minimum(ops.maximum(x, 0), 6)),
  Rsqrt: unary(ops.rsqrt, (x) => 1 / Math.sqrt(x!)),
  Square: unary(ops.square, (x) => x! * x!),

  Add: alike(elementwiseOperators['Add']),
  AddV2: alike(elementwiseOperators['Add']),
  AddN: alike(elementwiseOperators['Sum']),
  Atan2: binary(ops.arctan2),
  BiasAdd: biasAdd,
  BitwiseAnd: binary(ops.bitwiseAnd, (a, b) => a! & b!),
  ClipByValue: alike(elementwiseOperators['Clip']),
  Div: divide,
  DivNoNan: binary(quotientOrZero, (a, b) => (b === 0 ? 0 : a! / b!)),
  FloorDiv: binary(ops.floorDivide, quotient),
  FloorMod: binary(ops.mod, (a, b) => a! - b! * Math.floor(a! / b!)),
  Maximum: alike(elementwiseOperators['Max']),
  Minimum: alike(elementwiseOperators['Min']),
  Mod: binary(ops.mod, (a, b) => a! - b! * Math.floor(a! / b!)),
  Mul: alike(elementwiseOperators['Mul']),
  Pow: elementwiseOperators['Pow']!,
  RealDiv: divide,
  SquaredDifference: binary(
    (a, b) => ops.square(ops.subtract(a, b)),
    (a, b) => (a! - b!) ** 2,
  ),
  Sub: alike(elementwiseOperators['Sub']),

  Equal: alike(logicOperators['Equal']),
  Greater: alike(logicOperators['Greater']),
  GreaterEqual: alike(logicOperators['GreaterOrEqual']),
  IsFinite: conditionOf(ops.isfinite, Number.isFinite),
  IsInf: logicOperators['IsInf']!,
  IsNan: logicOperators['IsNaN']!,
  Less: alike(logicOperators['Less']),
  LessEqual: alike(logicOperators['LessOrEqual']),
  LogicalAnd: logicOperators['And']!,
  LogicalNot: logicOperators['Not']!,
  LogicalOr: logicOperators['Or']!,
  NotEqual: notEqual,
  Select: select,
  SelectV2: select,
  Cast: (call) => converted(call, call.value(0), call.type('DstT', 'float32')),
}
