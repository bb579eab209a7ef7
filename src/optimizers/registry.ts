// Optimizers by name.

import type { Config, CustomObjects, Serialized } from '../core/registry'
import { Registry, isSerialized } from '../core/registry'
import type { OptimizerOptions } from './index'
import { Adam, AdamW, Optimizer, RMSprop, SGD } from './index'
import { getSchedule } from './schedules'

export type OptimizerName = 'sgd' | 'rmsprop' | 'adam' | 'adamw'
/** A known name (any spelling), an instance, or a saved configuration. */
export type OptimizerIdentifier = OptimizerName | (string & {}) | Optimizer | Serialized

const isOptimizer = (value: unknown): value is Optimizer => value instanceof Optimizer

// A saved schedule may be of the user's own.
function withSchedule(config: Config, custom: CustomObjects): OptimizerOptions {
  const { learningRate } = config
  return isSerialized(learningRate) ? { ...config, learningRate: getSchedule(learningRate, custom) } : config
}

export const optimizers = new Registry<Optimizer>('optimizer', isOptimizer, () => ({ SGD, RMSprop, Adam, AdamW }), {  })

export function getOptimizer(identifier: OptimizerIdentifier, custom: CustomObjects = {}): Optimizer {
  return optimizers.get(identifier)
}
