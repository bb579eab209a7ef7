// Primitives that compute element i of the result from element i of each operand. Operands keep the order of axes of the largest.

import type { DType } from '../../../../core/dtypes'
import type { BinaryName, UnaryName } from '../../../../engine/primitives/elementwise'
import { GELU_TANH } from '../../../../engine/primitives/special'
import { inOrder, type Order } from '../../values'
import type { Call, Row } from '../call'
import { elementTypes, type Item } from '../items'
import { Refusal, type Writer } from '../writer'

/** Writes nodes for operands that broadcast; their dtype is that of the first. */
class Elements {
  constructor(
    private readonly writer: Writer,
    readonly dtype: DType,
  ) {}

  op(type: string, ...inputs: (string | number)[]): string {
    return this.writer.node(
      type,
      inputs.map((each) => (typeof each === 'number' ? this.writer.number(each, elementTypes[this.dtype]) : each)),
    )
  }

  mod(a: string, b: string): string {
    return this.writer.node('Mod', [a, b], { fmod: Number(this.dtype === 'float32') })
  }

  cast(x: string, dtype: DType): string {
    return this.writer.cast(x, dtype)
  }
}

type Formula = (e: Elements, ...operands: string[]) => string

const direct =
  (type: string): Formula =>
  (e, ...operands) =>
    e.op(type, ...operands)

/** Comparisons of order, which ONNX has for numbers only. */
const ordered =
  (type: string): Formula =>
  (e, a, b) =>
    e.dtype === 'bool' ? e.op(type, e.cast(a!, 'int32'), e.cast(b!, 'int32')) : e.op(type, a!, b!)

/** x with the sign of b where the remainder has another. */
function modulo(e: Elements, a: string, b: string): string {
  const rest = e.mod(a, b)
  if (e.dtype !== 'float32') return rest
  const differs = e.op('Xor', e.op('Less', rest, 0), e.op('Less', b, 0))
  const isMoved = e.op('And', differs, e.op('Not', e.op('Equal', rest, 0)))
  return e.op('Where', isMoved, e.op('Add', rest, b), rest)
}

/** eˣ − 1 = 2t / (1 − t) with t = tanh(x/2), where eˣ − 1 would lose digits. */
function expm1(e: Elements, x: string): string {
  const t = e.op('Tanh', e.op('Mul', x, 0.5))
  const small = e.op('Div', e.op('Mul', t, 2), e.op('Sub', 1, t))
  return e.op('Where', e.op('Less', e.op('Abs', x), 1), small, e.op('Sub', e.op('Exp', x), 1))
}

/** log(1 + x) = 2 artanh(x / (2 + x)), where 1 + x would lose digits. */
function log1p(e: Elements, x: string): string {
  const small = e.op('Mul', e.op('Atanh', e.op('Div', x, e.op('Add', x, 2))), 2)
  return e.op('Where', e.op('Less', e.op('Abs', x), 0.5), small, e.op('Log', e.op('Add', x, 1)))
}

function arctan2(e: Elements, a: string, b: string): string {
  const isNone = e.op('And', e.op('Equal', a, 0), e.op('Equal', b, 0))
  const angle = e.op('Where', isNone, e.op('Mul', a, 0), e.op('Atan', e.op('Div', a, b)))
  const turned = e.op('Where', e.op('Less', a, 0), e.op('Sub', angle, Math.PI), e.op('Add', angle, Math.PI))
  return e.op('Where', e.op('Less', b, 0), turned, angle)
}

const formulas: Readonly<Partial<Record<UnaryName | BinaryName | 'select', Formula>>> = {
  negative: direct('Neg'),
  abs: direct('Abs'),
  sign: direct('Sign'),
  exp: direct('Exp'),
  expm1: (e, x) => expm1(e, x!),
  log: direct('Log'),
  log1p: (e, x) => log1p(e, x!),
  sqrt: direct('Sqrt'),
  rsqrt: (e, x) => e.op('Reciprocal', e.op('Sqrt', x!)),
  reciprocal: direct('Reciprocal'),
  square: (e, x) => e.op('Mul', x!, x!),
  sin: direct('Sin'),
  cos: direct('Cos'),
  tanh: direct('Tanh'),
  sigmoid: direct('Sigmoid'),
  softplus: direct('Softplus'),
  tanhSoftplus: (e, x) => e.op('Tanh', e.op('Softplus', x!)),
  gated: direct('Mul'),
  slope: direct('Mul'),
  relu: direct('Relu'),
  reluGradient: (e, y, dy) => e.op('Where', e.op('Greater', y!, 0), dy!, 0),
  tanhGradient: (e, y, dy) => e.op('Mul', e.op('Sub', 1, e.op('Mul', y!, y!)), dy!),
  sigmoidGradient: (e, y, dy) => e.op('Mul', e.op('Mul', y!, e.op('Sub', 1, y!)), dy!),
  erf: direct('Erf'),
  // x Φ(x)
  gelu: (e, x) => e.op('Mul', e.op('Mul', x!, e.op('Add', e.op('Erf', e.op('Mul', x!, Math.SQRT1_2)), 1)), 0.5),
  geluTanh: (e, x) => {
    const slope = e.op('Add', e.op('Mul', e.op('Mul', x!, x!), GELU_TANH.cubic), GELU_TANH.linear)
    return e.op('Mul', x!, e.op('Sigmoid', e.op('Mul', x!, slope)))
  },
  floor: direct('Floor'),
  ceil: direct('Ceil'),
  round: direct('Round'),
  isNaN: direct('IsNaN'),
  isFinite: (e, x) => e.op('Not', e.op('Or', e.op('IsNaN', x!), e.op('IsInf', x!))),
  logicalNot: direct('Not'),
  add: direct('Add'),
  subtract: direct('Sub'),
  multiply: direct('Mul'),
  divide: direct('Div'),
  power: direct('Pow'),
  arctan2: (e, a, b) => arctan2(e, a!, b!),
  mod: (e, a, b) => modulo(e, a!, b!),
  // Integers are divided towards 0, and a − (a mod b) leaves no rest.
  floorDivide: (e, a, b) =>
    e.dtype === 'float32' ? e.op('Floor', e.op('Div', a!, b!)) : e.op('Div', e.op('Sub', a!, e.mod(a!, b!)), b!),
  maximum: direct('Max'),
  minimum: direct('Min'),
  less: ordered('Less'),
  lessEqual: ordered('LessOrEqual'),
  equal: direct('Equal'),
  notEqual: (e, a, b) => e.op('Not', e.op('Equal', a!, b!)),
  logicalAnd: (e, a, b) => bits(e, 'And', a!, b!),
  logicalOr: (e, a, b) => bits(e, 'Or', a!, b!),
  select: direct('Where'),
}

function bits(e: Elements, type: string, a: string, b: string): string {
  if (e.dtype === 'bool') return e.op(type, a, b)
  throw new Refusal(`${type.toLowerCase()} of the bits of integers`)
}

/** The order of axes in which operands of a rank are computed with. */
export function orderFor(items: readonly Item[], rank: number): Order {
  return items.find((item) => item.rank === rank && item.content.kind === 'node')?.order ?? inOrder(rank)
}

/** The name of an operand that broadcasts to a rank, for results with an order of axes. */
export function operandIn(writer: Writer, item: Item, rank: number, order: Order): string {
  const isPlain = order.every((axis, i) => axis === i)
  if (item.rank === 0 || (isPlain && item.rank < rank)) return writer.name(item)
  if (item.rank === rank) return writer.name(item, order)
  const ones = item.shape[0]!.map(() => 1)
  const shape = [...Array.from({ length: rank - item.rank }, () => ones), ...item.shape]
  // If only extents of 1 change places, the elements do not.
  const long = order.filter((axis) => shape[axis]!.some((each) => each !== 1))
  if (!long.every((axis, i) => i === 0 || long[i - 1]! < axis)) return writer.name(writer.reshaped(item, shape), order)
  return writer.name(
    writer.reshaped(
      item,
      order.map((axis) => shape[axis]!),
    ),
  )
}

export function elementwise(call: Call, formula: (operands: string[]) => string): Item {
  const { writer, inputs } = call
  const rank = call.output().shape.length
  const order = orderFor(inputs, rank)
  return call.result(formula(inputs.map((each) => operandIn(writer, each, rank, order))), order)
}

const same: Row = ({ inputs: [x] }) => x!

const cast: Row<'cast'> = (call) => elementwise(call as Call, ([x]) => call.writer.cast(x!, call.attributes.dtype))

export const elementwiseRows = {
  ...Object.fromEntries(
    Object.entries(formulas).map(([name, formula]): [string, Row] => [
      name,
      (call) =>
        elementwise(call, (operands) => {
          // The condition of select has another dtype.
          const { dtype } = call.inputs.at(-1)!
          return formula(new Elements(call.writer, dtype), ...operands)
        }),
    ]),
  ),
  cast,
  copy: same,
  stopGradient: same,
}
