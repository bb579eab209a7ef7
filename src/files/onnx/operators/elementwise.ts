// Operators that compute element i of the result from element i of each operand, and the frame that they share.

import { broadcastShapes, sizeOf } from '../../../core/shapes'
import * as ops from '../../../ops'
import type { Tensor } from '../../../ops/tensor'
import type { Call, Operator } from '../call'
import { MOST_KNOWN, zip } from '../host'
import { types, type ElementType } from '../types'
import { Value, inOrder } from '../values'

type Kernel = (...operands: Tensor[]) => Tensor
export type Host = (...elements: number[]) => number

/**
 * Computes with kernels, or on the heap if all operands are known and `host` is not null. The result has the
 * order of axes of the largest operand.
 */
export function elementwise(
  call: Call,
  operands: readonly Value[],
  type: ElementType,
  kernel: Kernel,
  host: Host | null = null,
): Value {
  const shape = broadcastShapes(
    call.node.type,
    operands.map((each) => each.shape),
  )
  const known = operands.flatMap((each) => each.host ?? [])
  if (host !== null && known.length === operands.length && sizeOf(shape) <= MOST_KNOWN)
    return Value.known(zip(call.node.type, type, host, known))
  const rank = shape.length
  const full = operands.filter((each) => each.host === null && each.rank === rank).sort((a, b) => b.size - a.size)
  const order = full[0]?.order ?? inOrder(rank)
  const tensors = operands.map((each) => {
    const isScalar = each.size === 1 && sizeOf(shape) !== 1
    return isScalar ? ops.reshape(each.plain, []) : each.ofRank(rank).in(order)
  })
  const result = kernel(...tensors)
  // Scalars alone would lose the axes of extent 1.
  return Value.of(
    ops.reshape(
      result,
      order.map((axis) => shape[axis]!),
    ),
    type,
    order,
  )
}

/** A function of one operand; its type stays. */
export const unary =
  (kernel: (x: Tensor) => Tensor, host: Host | null = null): Operator =>
  (call) =>
    mapped(call, kernel, host)

/** The same, with attributes. */
export const mapped = (call: Call, kernel: (x: Tensor) => Tensor, host: Host | null = null): Value => {
  const x = call.value(0)
  return elementwise(call, [x], x.type, kernel, host)
}

/** Whether the operands are integers of few bits, whose arithmetic wraps. */
export const isNarrow = (type: ElementType): boolean => !types[type].isFloat && types[type].bytes < 4 && type !== 'bool'

/** Wraps integers to the range of a type, because kernels compute with 32 bits. */
export function wrapped(x: Tensor, type: ElementType): Tensor {
  if (!isNarrow(type)) return x
  const [low, high] = types[type].range
  const span = high - low + 1
  return ops.subtract(ops.mod(ops.subtract(x, low), span), -low)
}

/** A function of two operands of one type, which is also that of the result. */
const binary =
  (kernel: Kernel, host: Host, integers: { kernel: Kernel; host: Host } = { kernel, host }): Operator =>
  (call) => {
    const [a, b] = [call.value(0), call.value(1)]
    const by = a.isFloat ? { kernel, host } : integers
    return elementwise(call, [a, b], a.type, (x, y) => wrapped(by.kernel(x!, y!), a.type), by.host)
  }

/** A function of any number of operands, two at a time. */
const folding =
  (kernel: Kernel, host: Host, isMean = false): Operator =>
  (call) => {
    const { all } = call
    const scale = isMean ? 1 / all.length : 1
    return elementwise(
      call,
      all,
      all[0]!.type,
      (...xs) => {
        const total = xs.reduce((a, b) => kernel(a, b))
        return isMean ? ops.multiply(total, scale) : total
      },
      (...xs) => xs.reduce((a, b) => host(a, b)) * scale,
    )
  }

/** a / b towards zero. */
function quotient(a: Tensor, b: Tensor): Tensor {
  return ops.multiply(ops.multiply(ops.sign(a), ops.sign(b)), ops.floorDivide(ops.abs(a), ops.abs(b)))
}

const modulo = (a: number, b: number): number => a - b * Math.floor(a / b)

const mod: Operator = (call) => {
  const isTruncated = call.flag('fmod')
  const [a, b] = [call.value(0), call.value(1)]
  const host: Host = isTruncated ? (x, y) => x! % y! : (x, y) => modulo(x!, y!)
  return elementwise(call, [a, b], a.type, (x, y) => (isTruncated ? ops.fmod : ops.mod)(x!, y!), host)
}

/** The base decides the type of the result. */
const pow: Operator = (call) => {
  const [base, exponent] = [call.value(0), call.value(1)]
  const { dtype } = types[base.type]
  const kernel: Kernel = (x, y) => {
    const found = ops.power(ops.cast(x!, 'float32'), ops.cast(y!, 'float32'))
    return dtype === 'int32' ? ops.cast(ops.round(found), dtype) : found
  }
  const { host } = exponent
  // x² is exact, and has a gradient at negative x.
  if (host !== null && host.data.length === 1 && host.data[0] === 2 && base.isFloat)
    return elementwise(
      call,
      [base, exponent],
      base.type,
      (x, y) => ops.multiply(ops.square(x!), ops.onesLike(y!)),
      (x) => x! * x!,
    )
  return elementwise(call, [base, exponent], base.type, kernel, (x, y) => x! ** y!)
}

const clip: Operator = (call) => {
  const x = call.value(0)
  if (call.opset < 11) {
    const [low, high] = [call.float('min', -Infinity), call.float('max', Infinity)]
    return mapped(
      call,
      (each) => ops.minimum(ops.maximum(each, low), high),
      (each) => Math.min(Math.max(each!, low), high),
    )
  }
  const [low, high] = [call.maybe(1), call.maybe(2)]
  const bounds = [low, high].flatMap((each) => each ?? [])
  return elementwise(
    call,
    [x, ...bounds],
    x.type,
    (each, ...limits) => {
      const raised = low === null ? each! : ops.maximum(each!, limits.shift()!)
      return high === null ? raised : ops.minimum(raised, limits.shift()!)
    },
    (each, ...limits) => {
      const raised = low === null ? each! : Math.max(each!, limits.shift()!)
      return high === null ? raised : Math.min(raised, limits.shift()!)
    },
  )
}

/** Half to even. */
function nearest(x: number): number {
  const below = Math.floor(x)
  const rest = x - below
  return rest < 0.5 || (rest === 0.5 && below % 2 === 0) ? below : below + 1
}

export const elementwiseOperators: Readonly<Record<string, Operator>> = {
  Abs: unary(ops.abs, Math.abs),
  Acos: unary(ops.arccos),
  Acosh: unary(ops.arccosh),
  Asin: unary(ops.arcsin),
  Asinh: unary(ops.arcsinh),
  Atan: unary(ops.arctan),
  Atanh: unary(ops.arctanh),
  Ceil: unary(ops.ceil, Math.ceil),
  Cos: unary(ops.cos, Math.cos),
  Cosh: unary(ops.cosh),
  Erf: unary(ops.erf),
  Exp: unary(ops.exp, Math.exp),
  Floor: unary(ops.floor, Math.floor),
  Log: unary(ops.log, Math.log),
  Neg: unary(ops.negative, (x) => -x!),
  Reciprocal: unary(ops.reciprocal, (x) => 1 / x!),
  Round: unary(ops.round, (x) => nearest(x!)),
  Sign: unary(ops.sign, Math.sign),
  Sin: unary(ops.sin, Math.sin),
  Sinh: unary(ops.sinh),
  Sqrt: unary(ops.sqrt, Math.sqrt),
  Tan: unary(ops.tan),
  Add: binary(ops.add, (a, b) => a! + b!),
  Sub: binary(ops.subtract, (a, b) => a! - b!),
  Mul: binary(ops.multiply, (a, b) => a! * b!),
  Div: binary(ops.divide, (a, b) => a! / b!, {
    kernel: (a, b) => quotient(a!, b!),
    host: (a, b) => Math.trunc(a! / b!),
  }),
  Mod: mod,
  Pow: pow,
  Max: folding(ops.maximum, Math.max),
  Min: folding(ops.minimum, Math.min),
  Sum: folding(ops.add, (a, b) => a! + b!),
  Mean: folding(ops.add, (a, b) => a! + b!, true),
  Clip: clip,
}
