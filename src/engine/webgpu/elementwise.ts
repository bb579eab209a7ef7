// The WGSL of elementwise primitives: an expression of the operands, which are f32 for float32 and i32 for int32 and bool.

import { internalError } from '../../core/errors'
import type { DType } from '../../core/dtypes'
import type { Node } from '../ir/graph'
import type { PrimitiveName } from '../ir/attributes'
import { GELU_TANH } from '../primitives/special'

/** The expression of a primitive for operands of a dtype. */
type Expression = (operands: readonly string[], dtype: DType, node: Node) => string

const of =
  (template: string): Expression =>
  ([a, b, c]) =>
    template.replaceAll(/\b[abc]\b/g, (name) => ({ a, b, c })[name]!)

const isFloat = (dtype: DType): boolean => dtype === 'float32'

/** An expression for floats, and another for int32. */
const either =
  (float: string, integer: string): Expression =>
  (operands, dtype, node) =>
    of(isFloat(dtype) ? float : integer)(operands, dtype, node)

const cast: Expression = ([x], from, { outputs: [out] }) => {
  const to = out!.dtype
  if (to === 'bool') return isFloat(from) ? `select(0i, 1i, ${x} != 0.0)` : `select(0i, 1i, ${x} != 0i)`
  if (isFloat(from) === isFloat(to)) return x!
  return isFloat(to) ? `f32(${x})` : `truncated(${x})`
}

const expressions: { readonly [Name in PrimitiveName]?: Expression } = {
  copy: of('a'),
  negative: of('(-a)'),
  abs: of('abs(a)'),
  sign: of('sign(a)'),
  exp: of('exp(a)'),
  expm1: of('(exp(a) - 1.0)'),
  log: of('log(a)'),
  log1p: of('log(1.0 + a)'),
  sqrt: of('sqrt(a)'),
  rsqrt: of('inverseSqrt(a)'),
  reciprocal: of('(1.0 / a)'),
  square: of('(a * a)'),
  sin: of('sin(a)'),
  cos: of('cos(a)'),
  tanh: of('tanh(a)'),
  tanhGradient: of('((1.0 - a) * (1.0 + a) * b)'),
  sigmoid: of('(1.0 / (1.0 + exp(-a)))'),
  sigmoidGradient: of('(a * (1.0 - a) * b)'),
  softplus: of('(max(a, 0.0) + log(1.0 + exp(-abs(a))))'),
  slope: of('(a * b)'),
  flushFactor: of('flushFactor(a)'),
  flushState: of('flushState(a)'),
  relu: of('max(a, 0.0)'),
  reluGradient: of('select(0.0, b, a > 0.0)'),
  floor: of('floor(a)'),
  ceil: of('ceil(a)'),
  round: of('round(a)'),
  isNaN: of('select(0i, 1i, isNaN(a))'),
  isFinite: of('select(0i, 1i, isFinite(a))'),
  logicalNot: of('(1i - a)'),
  cast,
  add: of('(a + b)'),
  subtract: of('(a - b)'),
  multiply: of('(a * b)'),
  divide: of('(a / b)'),
  maximum: of('max(a, b)'),
  minimum: of('min(a, b)'),
  less: of('select(0i, 1i, a < b)'),
  lessEqual: of('select(0i, 1i, a <= b)'),
  equal: of('select(0i, 1i, a == b)'),
  notEqual: of('select(0i, 1i, a != b)'),
  logicalAnd: of('(a & b)'),
  logicalOr: of('(a | b)'),
  select: of('select(c, b, a != 0i)'),
}

/** Whether there is WGSL for an elementwise node. */
export function isExpressible({ name }: Node): boolean {
  return expressions[name] !== undefined
}

/** The WGSL of an elementwise node. */
export function expressionOf(node: Node, operands: readonly string[]): string {
  const expression = expressions[node.name]
  if (expression === undefined) throw internalError(`${node.name} has no WGSL`)
  return expression(operands, node.inputs[0]!.dtype, node)
}

export { either, GELU_TANH }
