// Losses by name, and a user's function as a loss.

import type { Tensor } from '../ops/tensor'
import { alignRanks } from './loss'
import type { CustomObjects } from '../core/registry'
import { Registry } from '../core/registry'
import type { LossFunction, LossIdentifier } from './index'
import {
  BinaryCrossentropy, CategoricalCrossentropy, Huber, Loss, MeanAbsoluteError, MeanSquaredError,
  SparseCategoricalCrossentropy,
} from './index'

/** A user's function as a loss. */
class FunctionLoss extends Loss {
  constructor(private readonly fn: LossFunction) {
    super({ name: fn.name === '' ? 'loss' : fn.name })
  }
  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return this.fn(...alignRanks(yTrue, yPred))
  }
}

const isLoss = (value: unknown): value is Loss => value instanceof Loss

export const losses = new Registry<Loss>('loss', isLoss, () => ({ BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy, MeanSquaredError, MeanAbsoluteError, Huber }), { bce: 'BinaryCrossentropy', mse: 'MeanSquaredError', mae: 'MeanAbsoluteError' })

/** A loss from a name, an instance, a saved configuration or a function. */
export function getLoss(identifier: LossIdentifier, custom: CustomObjects = {}): Loss {
  if (typeof identifier === 'function') return new FunctionLoss(identifier)
  return losses.get(identifier)
}
