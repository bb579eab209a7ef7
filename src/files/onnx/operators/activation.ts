// Activations, with the parameters that their attributes have.

import { sizeOf } from '../../../core/shapes'
import * as ops from '../../../ops'
import type { Tensor } from '../../../ops/tensor'
import type { Call, Operator } from '../call'
import { Value } from '../values'
import { elementwise, mapped, unary } from './elementwise'

/** f(x, alpha, beta) by the names of ONNX; also the activations of recurrent operators. */
export const ACTIVATIONS: Readonly<Record<string, (x: Tensor, alpha?: number, beta?: number) => Tensor>> = {
  Affine: (x, alpha = 1, beta = 0) => ops.add(ops.multiply(x, alpha), beta),
  Celu: (x, alpha = 1) => ops.celu(x, alpha),
  Elu: (x, alpha = 1) => ops.elu(x, alpha),
  HardSigmoid: (x, alpha = 0.2, beta = 0.5) => ops.clip(ops.add(ops.multiply(x, alpha), beta), 0, 1),
  HardSwish: (x) => ops.hardSilu(x),
  LeakyRelu: (x, alpha = 0.01) => leaky(x, alpha),
  Mish: (x) => ops.mish(x),
  Relu: (x) => (x.dtype === 'float32' ? ops.relu(x) : ops.maximum(x, 0)),
  ScaledTanh: (x, alpha = 1, beta = 1) => ops.multiply(ops.tanh(ops.multiply(x, beta)), alpha),
  Selu: (x, alpha = 1.67326319217681884765625, gamma = 1.05070102214813232421875) =>
    ops.multiply(ops.where(ops.greater(x, 0), x, ops.multiply(ops.expm1(ops.minimum(x, 0)), alpha)), gamma),
  Sigmoid: (x) => ops.sigmoid(x),
  Softplus: (x) => ops.softplus(x),
  Softsign: (x) => ops.softsign(x),
  Swish: (x, alpha = 1) => ops.multiply(x, ops.sigmoid(ops.multiply(x, alpha))),
  Tanh: (x) => ops.tanh(x),
  ThresholdedRelu: (x, alpha = 1) => ops.where(ops.greater(x, alpha), x, 0),
}

function leaky(x: Tensor, alpha: number): Tensor {
  return ops.where(ops.less(x, 0), ops.multiply(x, alpha), x)
}

/** The attributes of activations, in the order of their parameters. */
const PARAMETERS: readonly string[] = ['alpha', 'beta']

const activation =
  (name: string): Operator =>
  (call) => {
    const second = name === 'Selu' ? 'gamma' : PARAMETERS[1]!
    const [alpha, beta] = [PARAMETERS[0]!, second].map((each) => (call.has(each) ? call.float(each, 0) : undefined))
    return mapped(call, (x) => ACTIVATIONS[name]!(x, alpha, beta))
  }

const gelu: Operator = (call) => {
  const how = call.word('approximate', 'none', ['none', 'tanh'])
  return mapped(call, (x) => ops.gelu(x, how === 'tanh'))
}

const shrink: Operator = (call) => {
  const [bias, limit] = [call.float('bias', 0), call.float('lambd', 0.5)]
  return mapped(call, (x) =>
    ops.where(
      ops.less(x, -limit),
      ops.add(x, bias),
      ops.where(ops.greater(x, limit), ops.subtract(x, bias), ops.zerosLike(x)),
    ),
  )
}

const prelu: Operator = (call) => {
  const [x, slope] = [call.value(0), call.value(1)]
  return elementwise(call, [x, slope], x.type, (each, by) =>
    ops.where(ops.less(each!, 0), ops.multiply(each!, by!), each!),
  )
}

/**
 * A function of the elements along an axis. Before version 13, all axes from `axis` on are one.
 */
const along =
  (kernel: (x: Tensor, axis: number) => Tensor): Operator =>
  (call: Call) => {
    const x = call.value(0)
    if (call.opset >= 13) {
      const axis = call.axis(call.integer('axis', -1), x.rank)
      return Value.of(kernel(x.asIs, x.order.indexOf(axis)), x.type, x.order)
    }
    const at = call.integer('axis', 1)
    const axis = at === x.rank ? at : call.axis(at, x.rank)
    const rows = sizeOf(x.shape.slice(0, axis))
    const flat = ops.reshape(x.plain, [rows, sizeOf(x.shape.slice(axis))])
    return Value.of(ops.reshape(kernel(flat, 1), x.shape), x.type)
  }

/** 1 for the first largest element, 0 for the others. */
const hardmax = (x: Tensor, axis: number): Tensor => ops.oneHot(ops.argmax(x, axis), x.shape[axis]!, axis)

export const activationOperators: Readonly<Record<string, Operator>> = {
  ...Object.fromEntries(
    ['Celu', 'Elu', 'HardSigmoid', 'HardSwish', 'LeakyRelu', 'Mish', 'Selu', 'Swish', 'ThresholdedRelu'].map((name) => [
      name,
      activation(name),
    ]),
  ),
  Gelu: gelu,
  Hardmax: along(hardmax),
  LogSoftmax: along((x, axis) => ops.logSoftmax(x, axis)),
  PRelu: prelu,
  Relu: unary(
    (x) => ACTIVATIONS['Relu']!(x),
    (x) => Math.max(x!, 0),
  ),
  Shrink: shrink,
  Sigmoid: unary(ops.sigmoid),
  Softmax: along((x, axis) => ops.softmax(x, axis)),
  Softplus: unary(ops.softplus),
  Softsign: unary(ops.softsign),
  Tanh: unary(ops.tanh, Math.tanh),
}
