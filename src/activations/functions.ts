// The activations as functions, with the defaults of keras.activations: `import { activations } from 'myelin'`.

import { ArgumentError, quoted } from '../core/errors'
import { boolean, option } from '../core/options'
import type { Named } from '../ops/arguments'
import { readArguments } from '../ops/arguments'
import type { TensorLike } from '../ops/convert'
import { gelu as geluOp } from '../ops/nn/activations'
import type { Tensor } from '../ops/tensor'
import type { ActivationFunction } from './index'
import { activationName } from './index'

export {
  celu,
  elu,
  exponential,
  glu,
  hardSigmoid,
  hardSilu,
  hardSilu as hardSwish,
  leakyRelu,
  linear,
  logSigmoid,
  logSoftmax,
  mish,
  relu6,
  selu,
  silu,
  silu as swish,
  softmax,
  softsign,
  squareplus,
} from '../ops/nn/activations'
export {
  hardShrink,
  hardTanh,
  softShrink,
  sparsePlus,
  sparseSigmoid,
  sparsemax,
  tanhShrink,
  threshold,
} from '../ops/nn/shrinking'
export { sigmoid, softplus, tanh } from '../ops/numpy/elementwise'
export type { ReluOptions } from './relu'
export { relu } from './relu'

/**
 * x · Φ(x), Φ the normal distribution function. Keras: `keras.activations.gelu`.
 * @param approximate uses ½x (1 + tanh(√(2/π) (x + 0.044715 x³))). Default false
 */
export function gelu(x: TensorLike, approximate?: Named<'approximate', boolean>): Tensor {
  const table = { approximate: option(boolean, false) }
  return geluOp(x, readArguments('activations.gelu', table, approximate))
}

/** The name under which an activation is saved. Keras: `keras.activations.serialize`. */
export function serialize(activation: ActivationFunction): string {
  if (typeof activation !== 'function')
    throw new ArgumentError(`activations.serialize needs a function, received ${quoted(activation)}`)
  return activationName(activation)
}
