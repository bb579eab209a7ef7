// The activations as functions, with the defaults of keras.activations: `import { activations } from 'myelin'`.

import { requireArguments } from '../../core/arguments'
import { ArgumentError, quoted } from '../../core/errors'
import { activationName, type ActivationFunction } from './'

export {
  celu,
  elu,
  glu,
  hardSigmoid,
  hardSilu,
  leakyRelu,
  linear,
  logSigmoid,
  logSoftmax,
  mish,
  relu6,
  selu,
  silu,
  softmax,
  softsign,
  squareplus,
} from '../../ops/nn/activations'
export {
  hardShrink,
  hardTanh,
  softShrink,
  sparsePlus,
  sparseSigmoid,
  sparsemax,
  tanhShrink,
  threshold,
} from '../../ops/nn/shrinking'
export { sigmoid, softplus, tanh } from '../../ops/numpy/elementwise'
export { exponential, hardSwish, swish } from '../../ops/second-names'
export type { ReluOptions } from './relu'
export { relu } from './relu'

export { gelu } from './gelu'

/** The name under which an activation is saved. Keras: `keras.activations.serialize`. */
export function serialize(activation: ActivationFunction): string {
  requireArguments('activations.serialize', arguments, 1)
  if (typeof activation !== 'function')
    throw new ArgumentError(`activations.serialize needs a function, received ${quoted(activation)}`)
  return activationName(activation)
}
