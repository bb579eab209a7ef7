// Products of matrices, reductions, and Fourier transforms.

import * as ops from '../../../../ops'
import type { Tensor } from '../../../../ops/tensor'
import type { Complex } from '../../../../ops/math/complex'
import type { Call, Operator } from '../../../onnx/call'
import { MOST_KNOWN, hostOf } from '../../../onnx/host'
import { activationOperators } from '../../../onnx/operators/activation'
import { converted, logicOperators } from '../../../onnx/operators/logic'
import { matrixOperators } from '../../../onnx/operators/matrix'
import { reductionOperators } from '../../../onnx/operators/reduction'
import { Value, inOrder } from '../../../onnx/values'
import { by, integers, number, requireAlike } from './by'
import { fused } from './images'

/** Exchanges the last two axes. */
const swapped = (x: Value): Value => x.transposed([...inOrder(x.rank - 2), x.rank - 1, x.rank - 2])

function multiplied(call: Call, a: Value, b: Value, names: readonly [string, string]): Value {
  requireAlike(call, [a, b])
  call.require(a.rank >= 2 && b.rank >= 2, () => `[${a.shape.join(', ')}] and [${b.shape.join(', ')}] must be matrices`)
  const [left, right] = [a, b].map((x, i) => (call.flag(names[i]!) ? swapped(x) : x))
  return Value.of(ops.matmul(left!.plain, right!.plain), a.type)
}

const product =
  (...names: readonly [string, string]): Operator =>
  (call) =>
    multiplied(call, call.value(0), call.value(1), names)

/** Keeps the elements of some diagonals around the main one; a negative number keeps all. */
const band: Operator = (call) => {
  const x = call.value(0)
  const [lower, upper] = [number(call, 1), number(call, 2)]
  const [rows = 0, columns = 0] = x.shape.slice(-2)
  call.require(x.rank >= 2 && rows * columns <= MOST_KNOWN, () => `[${x.shape.join(', ')}] must be matrices`)
  const isKept = Array.from({ length: rows * columns }, (_, at) => {
    const below = Math.floor(at / columns) - (at % columns)
    return Number((lower < 0 || below <= lower) && (upper < 0 || -below <= upper))
  })
  const mask = Value.known(hostOf('bool', [rows, columns], isKept))
  return by(call, logicOperators['Where'], [mask, x, Value.known(hostOf(x.type, [], [0]))])
}

/** An empty list of axes reduces nothing. */
const reduction =
  (name: string): Operator =>
  (call) => {
    const x = call.value(0)
    const keepdims = Number(call.flag('keep_dims'))
    return by(call, reductionOperators[name], [x], { axes: integers(call, 1), keepdims, noop_with_empty_axes: 1 })
  }

/** Whether all or any elements are true. */
const condition =
  (name: string): Operator =>
  (call) => {
    const x = converted(call, call.value(0), 'int32')
    const keepdims = Number(call.flag('keep_dims'))
    const found = by(call, reductionOperators[name], [x], {
      axes: integers(call, 1),
      keepdims,
      noop_with_empty_axes: 1,
    })
    return converted(call, found, 'bool')
  }

const index =
  (name: string): Operator =>
  (call) =>
    by(call, reductionOperators[name], [call.value(0)], { axis: number(call, 1), keepdims: 0 })

const runningSum: Operator = (call) =>
  by(call, reductionOperators['CumSum'], [call.value(0), call.value(1)], {
    exclusive: call.integer('exclusive', 0),
    reverse: call.integer('reverse', 0),
  })

const runningProduct: Operator = (call) => {
  const { plain, rank, type } = call.value(0)
  const axis = call.axis(number(call, 1), rank)
  const isReverse = call.flag('reverse')
  const read = isReverse ? ops.flip(plain, axis) : plain
  const found = ops.cumprod(call.flag('exclusive') ? shifted(read, axis) : read, axis)
  return Value.of(isReverse ? ops.flip(found, axis) : found, type)
}

/** 1 before the elements of an axis, without the last. */
function shifted(x: Tensor, axis: number): Tensor {
  const whole = x.shape.map(() => 0)
  const less = x.shape.map((extent, i) => (i === axis ? extent - 1 : extent))
  const one = x.shape.map((extent, i) => (i === axis ? 1 : extent))
  return ops.concatenate([ops.ones(one, x.dtype === 'int32' ? 'int32' : 'float32'), ops.slice(x, whole, less)], axis)
}

/** The imaginary parts of values that are complex. */
const imaginary = /* @__PURE__ */ new WeakMap<Value, Tensor>()

const complex = ({ real, imag }: Complex): Value => {
  const value = Value.of(real, 'float32')
  imaginary.set(value, imag)
  return value
}

function complexOf(call: Call, i: number): Complex {
  const value = call.value(i)
  const { plain: real } = value
  return { real, imag: imaginary.get(value) ?? ops.zerosLike(real) }
}

/** Refuses complex operands. */
export const real =
  (operator: Operator): Operator =>
  (call) => {
    call.require(
      call.values.every((value) => value === null || !imaginary.has(value)),
      () => 'it is not available for complex numbers',
    )
    return operator(call)
  }

/** Computes both parts of complex operands. */
const parts =
  (operator: Operator): Operator =>
  (call) => {
    const isComplex = call.values.some((value) => value !== null && imaginary.has(value))
    const found = operator(call)
    if (!isComplex) return found
    const others = call.values.map((value) => {
      const imag = value === null ? undefined : imaginary.get(value)
      return imag === undefined ? value : Value.of(imag, 'float32')
    })
    const other = operator(call.changed({ values: others }))
    if (found instanceof Value && other instanceof Value) return complex({ real: found.plain, imag: other.plain })
    throw call.error('it is not available for complex numbers')
  }

const realTransform: Operator = (call) =>
  complex(ops.rfft(call.value(0).plain, call.maybe(1) === null ? null : number(call, 1)))

export const complexRows: Readonly<Record<string, Operator>> = {
  Complex: (call) => complex({ real: call.value(0).plain, imag: call.value(1).plain }),
  ComplexAbs: (call) => {
    const { real: x, imag } = complexOf(call, 0)
    return Value.of(ops.sqrt(ops.add(ops.square(x), ops.square(imag))), 'float32')
  },
  FFT: (call) => complex(ops.fft(complexOf(call, 0))),
  IFFT: (call) => complex(ops.ifft(complexOf(call, 0))),
  IRFFT: (call) => Value.of(ops.irfft(complexOf(call, 0), call.maybe(1) === null ? null : number(call, 1)), 'float32'),
  Imag: (call) => Value.of(complexOf(call, 0).imag, 'float32'),
  RFFT: realTransform,
  Real: (call) => Value.of(complexOf(call, 0).real, 'float32'),
}

/** Operators that only move elements, for complex numbers as well. */
export const moving = (rows: Readonly<Record<string, Operator>>): Record<string, Operator> =>
  Object.fromEntries(Object.entries(rows).map(([name, operator]) => [name, parts(operator)]))

export const matrixRows: Readonly<Record<string, Operator>> = {
  All: condition('ReduceMin'),
  Any: condition('ReduceMax'),
  ArgMax: index('ArgMax'),
  ArgMin: index('ArgMin'),
  BatchMatMul: product('adj_x', 'adj_y'),
  BatchMatMulV2: product('adj_x', 'adj_y'),
  Cumprod: runningProduct,
  Cumsum: runningSum,
  Einsum: matrixOperators['Einsum']!,
  EuclideanNorm: reduction('ReduceL2'),
  LogSoftmax: activationOperators['LogSoftmax']!,
  MatMul: product('transpose_a', 'transpose_b'),
  MatrixBandPart: band,
  Max: reduction('ReduceMax'),
  Mean: reduction('ReduceMean'),
  Min: reduction('ReduceMin'),
  Prod: reduction('ReduceProd'),
  Softmax: activationOperators['Softmax']!,
  Sum: reduction('ReduceSum'),
  _FusedMatMul: fused((call, a, b) => multiplied(call, a, b, ['transpose_a', 'transpose_b'])),
}
