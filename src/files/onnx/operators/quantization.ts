// Quantization, by the formulas of ONNX: kernels compute with the float32 values of quantized elements.

import * as ops from '../../../ops'
import type { Tensor } from '../../../ops/tensor'
import type { Call, Operator } from '../call'
import { types, type ElementType } from '../types'
import { Value } from '../values'

/** A scale or a zero point with the axes of x: one number, one for each element of an axis, or one for each block. */
function beside(call: Call, x: Value, i: number): Tensor {
  const { plain, shape } = call.value(i)
  if (plain.size === 1) return ops.reshape(plain, [])
  const axis = call.axis(call.integer('axis', 1), x.rank)
  if (shape.length === 1) {
    call.require(shape[0] === x.shape[axis], () => `operand ${i} must have ${x.shape[axis]} elements`)
    return ops.reshape(
      plain,
      x.shape.map((extent, at) => (at === axis ? extent : 1)),
    )
  }
  const size = call.integer('block_size', 0)
  call.require(
    size >= 1 &&
      shape.length === x.rank &&
      shape.every((extent, at) => extent === (at === axis ? Math.ceil(x.shape[axis]! / size) : x.shape[at])),
    () => `operand ${i} [${shape.join(', ')}] does not fit [${x.shape.join(', ')}] in blocks of ${size}`,
  )
  const places = Int32Array.from({ length: x.shape[axis]! }, (_, at) => Math.floor(at / size))
  return ops.take(plain, places, axis)
}

/** round(x / scale) + zero point, limited to the type */
const quantize: Operator = (call) => {
  const x = call.value(0)
  const absent: ElementType = call.type('output_dtype', 'uint8')
  const type = call.maybe(2)?.type ?? absent
  const { range, isFloat } = types[type]
  call.require(!isFloat, () => `the type ${type} is not one of integers`)
  const scaled = ops.round(ops.divide(ops.cast(x.plain, 'float32'), ops.cast(beside(call, x, 1), 'float32')))
  const moved = call.maybe(2) === null ? scaled : ops.add(scaled, ops.cast(beside(call, x, 2), 'float32'))
  return Value.of(ops.cast(ops.clip(moved, range[0], range[1]), 'int32'), type)
}

/** (x − zero point) · scale */
const dequantize: Operator = (call) => {
  const x = call.value(0)
  const moved = call.maybe(2) === null ? x.plain : ops.subtract(x.plain, beside(call, x, 2))
  return Value.of(ops.multiply(ops.cast(moved, 'float32'), beside(call, x, 1)), call.value(1).type)
}

/** To uint8, with a scale and a zero point from the extremes of x. */
const dynamicQuantize: Operator = (call) => {
  const x = ops.cast(call.value(0).plain, 'float32')
  const [low, high] = [ops.minimum(ops.min(x), 0), ops.maximum(ops.max(x), 0)]
  const scale = ops.divide(ops.subtract(high, low), 255)
  const zero = ops.clip(ops.round(ops.divide(ops.negative(low), scale)), 0, 255)
  const y = ops.clip(ops.add(ops.round(ops.divide(x, scale)), zero), 0, 255)
  return [
    Value.of(ops.cast(y, 'int32'), 'uint8'),
    Value.of(scale, 'float32'),
    Value.of(ops.cast(zero, 'int32'), 'uint8'),
  ]
}

export const quantizationOperators: Readonly<Record<string, Operator>> = {
  DequantizeLinear: dequantize,
  DynamicQuantizeLinear: dynamicQuantize,
  QuantizeLinear: quantize,
}
