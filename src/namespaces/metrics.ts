// The namespace `metrics`: all metrics, and Keras's get, serialize and deserialize.

import { ObjectNamespace, type SavedObject } from '../core/identified'
import { Registry, type CustomObjects, type Serialized } from '../core/registry'
import * as module from '../metrics'
import { Metric } from '../metrics/metric'
import { SHORT_NAMES, type MetricFunction, type MetricIdentifier } from '../metrics/names'

export * from '../metrics'

const registry = /* @__PURE__ */ new Registry('metric', Metric, () => module, { aliases: SHORT_NAMES })

const namespace = /* @__PURE__ */ new ObjectNamespace<Metric, MetricFunction>('metrics', registry)

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
  return namespace.get(identifier, arguments)
}

/** The configuration of a metric, or the name of a function. Keras: `keras.metrics.serialize`. */
export function serialize(metric: Metric | MetricFunction): Serialized | string {
  return namespace.serialize(metric, arguments)
}

/**
 * The metric of a configuration or a name.
 *
 * Keras: `keras.metrics.deserialize`.
 * @param customObjects your own classes and functions, by name
 * @throws ArgumentError for an unknown name, with the nearest known one
 */
export function deserialize(saved: SavedObject | string, customObjects: CustomObjects = {}): Metric | MetricFunction {
  return namespace.deserialize(saved, customObjects, arguments)
}
