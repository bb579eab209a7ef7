// Losses by name: short names, and the types that editors complete.

import type { NamesOf, Serialized } from '../core/registry'
import type { Tensor } from '../ops/tensor'
import type { Loss } from './loss'
import type * as named from './named'

/** Keras's short names, of losses and of metrics. */
export const SHORT_NAMES = {
  bce: 'BinaryCrossentropy',
  kld: 'KLDivergence',
  mse: 'MeanSquaredError',
  mae: 'MeanAbsoluteError',
  mape: 'MeanAbsolutePercentageError',
  msle: 'MeanSquaredLogarithmicError',
} as const satisfies Readonly<Record<string, keyof typeof named>>

/** Per-sample values from targets and predictions, written with ops. */
export type LossFunction = (yTrue: Tensor, yPred: Tensor) => Tensor
export type LossName = NamesOf<typeof named> | keyof typeof SHORT_NAMES | 'crossentropy' | 'ce'
/** A known name (any spelling), an instance, a function, or a saved configuration. */
export type LossIdentifier = LossName | (string & {}) | Loss | LossFunction | Serialized
