// The options of compile in a configuration.

import type { Config, CustomObjects, Json } from '../../core/registry'
import { warn } from '../../core/warnings'
import type { LayerBase } from '../../layers/layer'
import { isRecord, valueAt, type JsonRecord } from '../containers/json'
import { readOptimizer } from './multi-optimizer'
import { ObjectReader } from './objects'

/** The options of compile in this library's form, for a model with its weights. */
export function compileOptions(saved: JsonRecord, model: LayerBase, customObjects: CustomObjects): Config {
  const value = (each: Json): Json => ObjectReader.value(each, customObjects)
  const read = (name: string): Json => value(valueAt(saved, name) ?? null)
  const optimizer = readOptimizer(valueAt(saved, 'optimizer') ?? null, model, value)
  return {
    optimizer: typeof optimizer === 'string' ? { className: optimizer, config: {} } : optimizer,
    loss: read('loss'),
    lossWeights: read('loss_weights'),
    metrics: read('metrics'),
    weightedMetrics: read('weighted_metrics'),
  }
}

/** The options of compile in the configuration of a model; null if it is not compiled. */
export function compileConfig(config: Json): JsonRecord | null {
  const saved = isRecord(config) ? valueAt(config, 'compile_config') : undefined
  return isRecord(saved) && isRecord(valueAt(saved, 'optimizer')) ? saved : null
}

/** Says that a model does not have the state of its optimizer. @param why the state does not fit */
export function warnOfState(model: LayerBase, why: string): void {
  warn(
    `loadModel: ${model} trains on with a new state of its optimizer. That of the file does not fit: ${why}. This is so if layers were frozen, unfrozen or added after the training`,
  )
}
