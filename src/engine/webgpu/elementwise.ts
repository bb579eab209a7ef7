// The WGSL of elementwise primitives: an expression of the operands, which are f32 for float32 and i32 for int32 and bool.

import { internalError } from '../../core/errors'
import type { DType } from '../../core/dtypes'
import type { Node } from '../ir/graph'
import type { PrimitiveName } from '../ir/attributes'

/** The expression of a primitive for operands of a dtype. */
type Expression = (operands: readonly string[], dtype: DType, node: Node) => string

const of =
  (template: string): Expression =>
  ([a, b, c]) =>
    template.replaceAll(/\b[abc]\b/g, (name) => ({ a, b, c })[name]!)

const isFloat = (dtype: DType): boolean => dtype === 'float32'

/** An expression for floats, and another for int32 and bool. */
const either =
  (float: string, integer: string): Expression =>
  (operands, dtype, node) =>
    of(isFloat(dtype) ? float : integer)(operands, dtype, node)

const bool = (condition: string): string => `select(0i, 1i, ${condition})`

const cast: Expression = ([x], from, { outputs: [out] }) => {
  const to = out!.dtype
  if (to === 'bool') return bool(isFloat(from) ? `magnitude(${x}) != 0u` : `${x} != 0i`)
  if (isFloat(from) === isFloat(to)) return x!
  return isFloat(to) ? `f32(${x})` : `truncated(${x})`
}

const expressions: { readonly [Name in PrimitiveName]?: Expression } = {
  copy: of('a'),
  negative: of('(-a)'),
  abs: of('abs(a)'),
  sign: of('signOf(a)'),
  exp: of('expOf(a)'),
  expm1: of('expm1Of(a)'),
  log: of('logOf(a)'),
  log1p: of('log1pOf(a)'),
  sqrt: of('sqrtOf(a)'),
  rsqrt: of('rsqrtOf(a)'),
  reciprocal: of('divided(1.0, a)'),
  square: of('(a * a)'),
  sin: of('sinOf(a)'),
  cos: of('cosOf(a)'),
  tanh: of('tanhOf(a)'),
  tanhGradient: of('((1.0 - a) * (1.0 + a) * b)'),
  sigmoid: of('sigmoidOf(a)'),
  sigmoidGradient: of('(a * (1.0 - a) * b)'),
  gelu: of('geluOf(a)'),
  geluGradient: of('geluGradient(a, b)'),
  geluTanh: of('geluTanh(a)'),
  softplus: of('softplusOf(a)'),
  tanhSoftplus: of('tanhSoftplus(a)'),
  gated: of('gated(a, b)'),
  slope: of('(a * b)'),
  flushFactor: of('flushFactor(a)'),
  flushState: of('flushState(a)'),
  relu: of('relu(a)'),
  reluGradient: of('reluGradient(a, b)'),
  erf: of('erfOf(a)'),
  erfInv: of('erfInv(a)'),
  floor: of('floorOf(a)'),
  ceil: of('ceilOf(a)'),
  round: of('roundOf(a)'),
  isNaN: of(bool('isNaN(a)')),
  isFinite: of(bool('isFinite(a)')),
  logicalNot: of('(1i - a)'),
  cast,
  add: of('(a + b)'),
  subtract: of('(a - b)'),
  multiply: of('(a * b)'),
  divide: of('divided(a, b)'),
  power: either('power(a, b)', 'wholePower(a, b)'),
  arctan2: of('arctan2(a, b)'),
  mod: either('modulo(a, b)', 'floorRemainderI32(a, b)'),
  floorDivide: either('floorQuotient(a, b)', 'floorQuotientI32(a, b)'),
  maximum: either('maximum(a, b)', 'max(a, b)'),
  minimum: either('minimum(a, b)', 'min(a, b)'),
  less: either(bool('isLess(a, b)'), bool('a < b')),
  lessEqual: either(bool('isAtMost(a, b)'), bool('a <= b')),
  equal: either(bool('isEqual(a, b)'), bool('a == b')),
  notEqual: either(bool('!isEqual(a, b)'), bool('a != b')),
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
