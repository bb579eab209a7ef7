// The namespace `metrics`: everything of this folder that users need, and Keras's get, serialize and deserialize.

import { requireArguments } from '../core/arguments'
import { deserializeObject, getObject, serializeObject, type SavedObject } from '../core/identified'
import { Registry, type CustomObjects, type Serialized } from '../core/registry'
import { typed } from '../core/tree'
import * as module from '../metrics'
import { Metric } from '../metrics/metric'
import { SHORT_NAMES, type MetricFunction, type MetricIdentifier } from '../metrics/names'

export * from '../metrics'

const all = /* @__PURE__ */ new Registry('metric', Metric, () => module, { aliases: SHORT_NAMES })

/**
 * The metric of an identifier: a name in any spelling, a configuration, a class, an instance, a function; null for
 * null.
 *
 * Keras: `keras.metrics.get`.
 * @throws ArgumentError for an unknown name, with the nearest known one
 */
export function get(
  identifier: MetricIdentifier | SavedObject | (new () => Metric) | null,
): Metric | MetricFunction | null {
  requireArguments('metrics.get', arguments, 1)
  return typed(getObject(all, identifier))
}

/** The configuration of a metric, or the name of a function. Keras: `keras.metrics.serialize`. */
export function serialize(metric: Metric | MetricFunction): Serialized | string {
  requireArguments('metrics.serialize', arguments, 1)
  return serializeObject(metric)
}

/**
 * The metric of a configuration or a name.
 *
 * Keras: `keras.metrics.deserialize`.
 * @param customObjects your own classes and functions, by name
 * @throws ArgumentError for an unknown name, with the nearest known one
 */
export function deserialize(saved: SavedObject | string, customObjects: CustomObjects = {}): Metric | MetricFunction {
  requireArguments('metrics.deserialize', arguments, 2)
  return typed(deserializeObject(all, saved, customObjects))
}
