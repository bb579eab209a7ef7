// Optimizers by name.

import type { Serialized } from '../core/registry'
import { Registry } from '../core/registry'
import { MultiOptimizer } from './multi'
import { Optimizer } from './optimizer'
import { rules } from './rules'

export type OptimizerName =
  | 'sgd'
  | 'rmsprop'
  | 'adam'
  | 'adamw'
  | 'adadelta'
  | 'adafactor'
  | 'adagrad'
  | 'adamax'
  | 'ftrl'
  | 'lamb'
  | 'lion'
  | 'muon'
  | 'nadam'
/** A known name (any spelling), an instance, or a saved configuration. */
export type OptimizerIdentifier = OptimizerName | (string & {}) | Optimizer | Serialized

const isOptimizer = (value: unknown): value is Optimizer => value instanceof Optimizer

export const optimizers = new Registry<Optimizer>('optimizer', isOptimizer, () => ({ ...rules(), MultiOptimizer }))

export function getOptimizer(identifier: OptimizerIdentifier): Optimizer {
  return optimizers.get(identifier)
}
