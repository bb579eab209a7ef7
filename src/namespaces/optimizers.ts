// The namespace `optimizers`: all optimizers, and Keras's get, serialize and deserialize.

import { ObjectNamespace, type SavedObject } from '../core/identified'
import { Registry, type CustomObjects, type Serialized } from '../core/registry'
import { readPatterns } from '../optimizers/file-patterns'
import { Optimizer } from '../optimizers/optimizer'
import type { OptimizerIdentifier } from '../optimizers/registry'
import { LossScaleOptimizer } from '../optimizers/loss-scale'
import { MultiOptimizer } from '../optimizers/multi'
import * as rules from '../optimizers/rules'

export * from '../optimizers'
export * as schedules from './schedules'

const registry = /* @__PURE__ */ new Registry('optimizer', Optimizer, () => ({
  ...rules,
  MultiOptimizer,
  LossScaleOptimizer,
}))

const namespace = /* @__PURE__ */ new ObjectNamespace<Optimizer>('optimizers', registry)

/**
 * The optimizer of an identifier: a name in any spelling, a configuration, a class, an instance; null for
 * null.
 *
 * Keras: `keras.optimizers.get`.
 * @throws ArgumentError for an unknown name, with the nearest known one
 */
export function get(identifier: OptimizerIdentifier | SavedObject | (new () => Optimizer) | null): Optimizer | null {
  return namespace.get(identifier, arguments)
}

/** The configuration of an optimizer. Keras: `keras.optimizers.serialize`. */
export function serialize(optimizer: Optimizer): Serialized {
  return namespace.serialize(optimizer, arguments)
}

/**
 * The optimizer of a configuration or a name.
 *
 * Keras: `keras.optimizers.deserialize`.
 * @param customObjects your own classes, by name
 * @throws ArgumentError for an unknown name, with the nearest known one
 */
export function deserialize(saved: SavedObject | string, customObjects: CustomObjects = {}): Optimizer {
  return readPatterns(() => namespace.deserialize(saved, customObjects, arguments))
}
