// Metrics by name, including 'accuracy' and 'crossentropy', and custom functions as metrics.

import { normalizeName } from '../core/errors'
import { Registry, camelCase, customFunction, type ClassesIn } from '../core/registry'
import { targetKind, type TargetShapes } from '../losses/targets'
import type * as all from './'
import { Metric } from './metric'
import * as named from './named'
import { SHORT_NAMES, type MetricFunction } from './names'

// These are not available by name, because they have required options.
const unnamed = {
  ConfusionMatrix: true,
  IoU: true,
  MeanIoU: true,
  OneHotIoU: true,
  OneHotMeanIoU: true,
  PrecisionAtRecall: true,
  RecallAtPrecision: true,
  SensitivityAtSpecificity: true,
  SpecificityAtSensitivity: true,
} satisfies Record<Exclude<ClassesIn<typeof all>, keyof typeof named>, true>

export const metrics = /* @__PURE__ */ new Registry('metric', Metric, () => named, { aliases: SHORT_NAMES, unnamed })

/** The class of a short name for each kind of targets. */
type ByTargets = Record<ReturnType<typeof targetKind>, new (options: { name: string }) => Metric>
const accuracies: ByTargets = {
  binary: named.BinaryAccuracy,
  sparse: named.SparseCategoricalAccuracy,
  oneHot: named.CategoricalAccuracy,
}
const crossentropies: ByTargets = {
  binary: named.BinaryCrossentropy,
  sparse: named.SparseCategoricalCrossentropy,
  oneHot: named.CategoricalCrossentropy,
}
const byTargets = new Map<string, ByTargets>([
  ['accuracy', accuracies],
  ['acc', accuracies],
  ['crossentropy', crossentropies],
  ['ce', crossentropies],
])

/** Whether the shapes of targets and outputs decide which metric a name means. */
export function dependsOnShapes(identifier: unknown): boolean {
  return typeof identifier === 'string' && byTargets.has(normalizeName(identifier))
}

/**
 * A metric from a name, an instance, a saved configuration or a function; a name may be that of a custom object. The
 * identifier may come from users unchecked: this checks it. The name is also the key in logs.
 * @param shapes decide what 'accuracy' and 'crossentropy', or 'acc' and 'ce', mean
 */
export function getMetric(identifier: unknown, shapes: TargetShapes): Metric {
  const fn = customFunction<MetricFunction>(identifier)
  if (fn !== null) {
    return new named.MeanMetricWrapper(fn.call, { name: fn.name || 'metric' })
  }
  if (typeof identifier !== 'string') return metrics.get(identifier)
  const name = camelCase(identifier)
  const kinds = byTargets.get(normalizeName(identifier))
  if (kinds !== undefined) return new kinds[targetKind(shapes)]({ name })
  if (!metrics.knows(identifier)) throw metrics.unknown(identifier, ['crossentropy'])
  return metrics.get({ className: identifier, config: { name } })
}
