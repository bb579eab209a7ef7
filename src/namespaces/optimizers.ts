// The namespace `optimizers`: everything of this folder that users need, and Keras's get, serialize and deserialize.

import { requireArguments } from '../core/arguments'
import { deserializeObject, getObject, serializeObject, type SavedObject } from '../core/identified'
import { Registry, type CustomObjects, type Serialized } from '../core/registry'
import { typed } from '../core/tree'
import { readPatterns } from '../optimizers/file-patterns'
import { Optimizer } from '../optimizers/optimizer'
import type { OptimizerIdentifier } from '../optimizers/registry'
import { LossScaleOptimizer } from '../optimizers/loss-scale'
import { MultiOptimizer } from '../optimizers/multi'
import * as rules from '../optimizers/rules'

export * from '../optimizers'
export * as schedules from './schedules'

const all = /* @__PURE__ */ new Registry('optimizer', Optimizer, () => ({
  ...rules,
  MultiOptimizer,
  LossScaleOptimizer,
}))

/**
 * The optimizer of an identifier: a name in any spelling, a configuration, a class, an instance; null for
 * null.
 *
 * Keras: `keras.optimizers.get`.
 * @throws ArgumentError for an unknown name, with the nearest known one
 */
export function get(identifier: OptimizerIdentifier | SavedObject | (new () => Optimizer) | null): Optimizer | null {
  requireArguments('optimizers.get', arguments, 1)
  return typed(getObject(all, identifier))
}

/** The configuration of an optimizer. Keras: `keras.optimizers.serialize`. */
export function serialize(optimizer: Optimizer): Serialized {
  requireArguments('optimizers.serialize', arguments, 1)
  return typed(serializeObject(optimizer))
}

/**
 * The optimizer of a configuration or a name.
 *
 * Keras: `keras.optimizers.deserialize`.
 * @param customObjects your own classes, by name
 * @throws ArgumentError for an unknown name, with the nearest known one
 */
export function deserialize(saved: SavedObject | string, customObjects: CustomObjects = {}): Optimizer {
  requireArguments('optimizers.deserialize', arguments, 2)
  return readPatterns(() => typed(deserializeObject(all, saved, customObjects)))
}
