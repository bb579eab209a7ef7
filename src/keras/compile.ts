// The options of compile in a configuration.

import type { Config, CustomObjects, Json } from '../core/registry'
import { isRecord, own } from './json'
import type { JsonRecord } from './json'
import { ObjectReader } from './objects'

/** The options of compile in this library's form. */
export function compileOptions(saved: JsonRecord, customObjects: CustomObjects): Config {
  const read = (name: string): Json => ObjectReader.value(own(saved, name) ?? null, customObjects)
  const optimizer = read('optimizer')
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
  const saved = isRecord(config) ? own(config, 'compile_config') : undefined
  return isRecord(saved) && isRecord(own(saved, 'optimizer')) ? saved : null
}
