// Losses by name, and a user's function as a loss.

import { Registry, customFunction } from '../core/registry'
import type { Tensor } from '../ops/tensor'
import type { LossFunction, LossIdentifier } from './index'
import {
  BinaryCrossentropy, CategoricalCrossentropy, Huber, Loss, MeanAbsoluteError, MeanSquaredError,
  SparseCategoricalCrossentropy,
} from './index'

/** A user's function as a loss. */
class FunctionLoss extends Loss {
  constructor(private readonly fn: LossFunction, name: string) {
    super({ name })
  }
  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return this.fn(yTrue, yPred)
  }
}

const isLoss = (value: unknown): value is Loss => value instanceof Loss

export const losses = new Registry<Loss>(
  'loss',
  isLoss,
  () => ({
    BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy, MeanSquaredError, MeanAbsoluteError, Huber,
  }),
  { bce: 'BinaryCrossentropy', mse: 'MeanSquaredError', mae: 'MeanAbsoluteError' },
)

/** A loss from a name, an instance, a saved configuration or a function; a name may be that of a custom object in scope. */
export function getLoss(identifier: LossIdentifier): Loss {
  const own = customFunction<LossFunction>(identifier)
  return own === null ? losses.get(identifier) : new FunctionLoss(own.call, own.name === '' ? 'loss' : own.name)
}
