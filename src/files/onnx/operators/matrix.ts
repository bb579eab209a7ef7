// Products of matrices.

import * as ops from '../../../ops'
import type { Tensor } from '../../../ops/tensor'
import type { Operator } from '../call'
import { types } from '../types'
import { Value } from '../values'

const matmul: Operator = (call) => {
  const [a, b] = [call.value(0), call.value(1)]
  return Value.of(ops.matmul(a.plain, b.plain), a.type)
}

/** alpha · a · b + beta · c */
const gemm: Operator = (call) => {
  const operand = (i: number, flag: string): Tensor => {
    const x = call.value(i)
    call.require(x.rank === 2, () => `operand ${i} must be a matrix, it has the shape [${x.shape.join(', ')}]`)
    return call.flag(flag) ? x.transposed([1, 0]).plain : x.plain
  }
  const scaled = (x: Tensor, by: number): Tensor => (by === 1 ? x : ops.multiply(x, by))
  const { type } = call.value(0)
  const { dtype } = types[type]
  const found = scaled(ops.matmul(operand(0, 'transA'), operand(1, 'transB')), call.float('alpha', 1))
  const bias = call.maybe(2)
  if (bias === null) return Value.of(found, type)
  const shape = bias.shape.length > 2 ? bias.shape.slice(-2) : bias.shape
  const sum = ops.add(found, scaled(ops.reshape(bias.plain, shape), call.float('beta', 1)))
  call.require(
    sum.rank === 2 && sum.size === found.size,
    () => `the bias [${bias.shape.join(', ')}] does not fit [${found.shape.join(', ')}]`,
  )
  return Value.of(ops.cast(sum, dtype), type)
}

const einsum: Operator = (call) => {
  const { all } = call
  const equation = call.text('equation', '').replaceAll(' ', '')
  return Value.of(ops.einsum(equation, ...all.map((each) => each.plain)), all[0]!.type)
}

/** Integers minus their zero points. */
const matmulInteger: Operator = (call) => {
  const less = (i: number, isRows: boolean): Tensor => {
    const [x, zero] = [call.value(i).plain, call.maybe(i + 2)]
    if (zero === null) return x
    const point = zero.plain
    return ops.subtract(x, point.rank === 1 && isRows && point.size > 1 ? ops.expandDims(point, -1) : point)
  }
  return Value.of(ops.matmul(less(0, true), less(1, false)), 'int32')
}

export const matrixOperators: Readonly<Record<string, Operator>> = {
  Einsum: einsum,
  Gemm: gemm,
  MatMul: matmul,
  MatMulInteger: matmulInteger,
}
