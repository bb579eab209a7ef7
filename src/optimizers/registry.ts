// Optimizers by name. What nobody names, MultiOptimizer, is found in saved configurations through the scope of custom
// objects that loaders open: so only applications that use it carry it.

import type { Serialized } from '../core/registry'
import { Registry } from '../core/registry'
import { Optimizer } from './optimizer'
import { rules } from './rules'

export type OptimizerName = 'sgd' | 'rmsprop' | 'adam' | 'adamw'
/** A known name (any spelling), an instance, or a saved configuration. */
export type OptimizerIdentifier = OptimizerName | (string & {}) | Optimizer | Serialized

const isOptimizer = (value: unknown): value is Optimizer => value instanceof Optimizer

export const optimizers = new Registry<Optimizer>('optimizer', isOptimizer, rules)

export function getOptimizer(identifier: OptimizerIdentifier): Optimizer {
  return optimizers.get(identifier)
}
