// Losses by name, including 'crossentropy', and custom functions as losses.

import { normalizeName } from '../core/errors'
import { Registry, camelCase, customFunction } from '../core/registry'
import type { Tensor } from '../ops/tensor'
import type { LossFunction, LossIdentifier } from './index'
import {
  BinaryCrossentropy,
  BinaryFocalCrossentropy,
  CategoricalCrossentropy,
  CategoricalFocalCrossentropy,
  CategoricalGeneralizedCrossEntropy,
  CategoricalHinge,
  Circle,
  CosineSimilarity,
  Dice,
  Hinge,
  Huber,
  KLDivergence,
  LogCosh,
  Loss,
  MeanAbsoluteError,
  MeanAbsolutePercentageError,
  MeanSquaredError,
  MeanSquaredLogarithmicError,
  Poisson,
  SparseCategoricalCrossentropy,
  SquaredHinge,
  Tversky,
} from './index'
import type { TargetShapes } from './targets'
import { UNKNOWN_SHAPES, targetKind } from './targets'

/** Keras's short names, of losses and of metrics. */
export const SHORT_NAMES = {
  bce: 'BinaryCrossentropy',
  kld: 'KLDivergence',
  mse: 'MeanSquaredError',
  mae: 'MeanAbsoluteError',
  mape: 'MeanAbsolutePercentageError',
  msle: 'MeanSquaredLogarithmicError',
} as const

/** A custom function as a loss. */
class FunctionLoss extends Loss {
  constructor(
    private readonly fn: LossFunction,
    name: string,
  ) {
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
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    SparseCategoricalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    KLDivergence,
    MeanSquaredError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredLogarithmicError,
    Huber,
    LogCosh,
    CosineSimilarity,
    Poisson,
    Hinge,
    SquaredHinge,
    CategoricalHinge,
    Dice,
    Tversky,
    Circle,
  }),
  // A name would put the loop of CTC in every bundle that contains compile().
  { aliases: SHORT_NAMES, unnamed: ['CTC'] },
)

function crossentropyFor(shapes: TargetShapes, name: string): Loss {
  const kinds = { binary: BinaryCrossentropy, sparse: SparseCategoricalCrossentropy, oneHot: CategoricalCrossentropy }
  return new kinds[targetKind(shapes)]({ name })
}

/**
 * A loss from a name, an instance, a saved configuration or a function; a name may refer to a custom object in scope.
 * @param shapes decide what 'crossentropy', or 'ce', means
 */
export function getLoss(identifier: LossIdentifier, shapes: TargetShapes = UNKNOWN_SHAPES): Loss {
  const own = customFunction<LossFunction>(identifier)
  if (own !== null) return new FunctionLoss(own.call, own.name === '' ? 'loss' : own.name)
  if (typeof identifier !== 'string') return losses.get(identifier)
  if (['crossentropy', 'ce'].includes(normalizeName(identifier))) return crossentropyFor(shapes, camelCase(identifier))
  if (!losses.knows(identifier)) throw losses.unknown(identifier, ['crossentropy'])
  return losses.get(identifier)
}
