// The options of compile in a configuration.

import type { Config, CustomObjects, Json } from '../core/registry'
import { compileSaved } from '../models/load'
import type { Model } from '../models/model'
import { isRecord, own } from './json'
import type { JsonRecord } from './json'
import { ObjectReader } from './objects'

/** Compiles a model as its file says. */
export function compileAs(model: Model<unknown, unknown>, saved: JsonRecord, customObjects: CustomObjects): void {
  const read = (name: string): Json => ObjectReader.value(own(saved, name) ?? null, customObjects)
  const optimizer = read('optimizer')
  const options: Config = {
    optimizer: typeof optimizer === 'string' ? { className: optimizer, config: {} } : optimizer,
    loss: read('loss'),
    lossWeights: read('loss_weights'),
    metrics: read('metrics'),
    weightedMetrics: read('weighted_metrics'),
  }
  compileSaved(model, options, customObjects)
}

/** The options of compile in the configuration of a model; null if it is not compiled. */
export function compileConfig(config: Json): JsonRecord | null {
  const saved = isRecord(config) ? own(config, 'compile_config') : undefined
  return isRecord(saved) && isRecord(own(saved, 'optimizer')) ? saved : null
}
