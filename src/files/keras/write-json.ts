// The parts of files of Keras that are JSON besides the model itself.

import { isSerialized, snakeCase, type Json } from '../../core/registry'
import type { LayerBase } from '../../layers/layer'
import { SHORT_NAMES } from '../../losses/names'
import type { Compiled } from '../../training/compiled'
import { recordOf } from '../containers/json'
import { mappedConfig } from './multi-optimizer'
import { kerasName, type Style } from './write-names'
import { pythonJson } from './python-json'
import { ObjectWriter } from './write-objects'

/** The version whose format is written. */
export const KERAS_VERSION = '3.15.1'

/** JSON in which these options are floats of Python, such as 1.0: Keras refuses integers. */
export function jsonOf(value: Json): string {
  return pythonJson(value).replace(/(?<!\\)"(learning_rate|momentum|beta|threshold)":(-?\d+)(?=[,}])/g, '"$1":$2.0')
}

/** A loss by its long name: in `.h5` files, Keras 3 refuses the short ones. */
function lossName(name: string): string {
  const long = new Map<string, string>(Object.entries(SHORT_NAMES)).get(name.toLowerCase())
  return long === undefined ? kerasName(name) : snakeCase(long)
}

/** The options of compile of a model. */
export function compileConfig(compiled: Compiled, model: LayerBase, style: Style = 'current'): Record<string, Json> {
  const { optimizer, loss, lossWeights = null, metrics, weightedMetrics } = recordOf(compiled.serialize())
  const isFormer = style === 'former'
  const named = (value: Json | undefined, namespace: string): Json => {
    if (value === undefined || value === null) return null
    if (typeof value === 'string') return isFormer && namespace === 'losses' ? lossName(value) : kerasName(value)
    if (Array.isArray(value)) return value.map((each: Json) => named(each, namespace))
    if (isSerialized(value)) {
      const { class_name, config, ...others } = ObjectWriter.object(value, namespace, style)
      // Keras finds the classes of these files by their names, and ignores upper and lower case.
      return { ...(isFormer ? {} : others), class_name: class_name!, config: config! }
    }
    if (typeof value === 'object')
      return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, named(each, namespace)]))
    return value
  }
  return {
    optimizer: named(mappedConfig(compiled.optimizer, optimizer!, model), 'optimizers'),
    loss: named(loss, 'losses'),
    loss_weights: lossWeights,
    metrics: named(metrics, 'metrics'),
    weighted_metrics: named(weightedMetrics, 'metrics'),
    run_eagerly: false,
    steps_per_execution: 1,
    jit_compile: false,
  }
}
