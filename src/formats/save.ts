// Encodes a model as bytes: architecture, weights, the options of compile, optimizer state and the positions of random
// streams, so that training resumes bit for bit. load.ts decodes them.

import { FormatError } from '../core/errors'
import { boolean, option, readOptions } from '../core/options'
import type { Config, Json } from '../core/registry'
import { classNameOf, snakeCase } from '../core/registry'
import type { Tree } from '../core/tree'
import type { LayerBase } from '../layers/layer'
import { TensorSpec } from '../layers/spec'
import type { Variable } from '../ops/variable'
import type { Trainer } from '../training/trainer'
import type { NamedTensor } from './safetensors'
import { encodeContainer } from './safetensors'

export const FORMAT = 'myelin'
export const WEIGHTS_FORMAT = `${FORMAT}-weights`
/** Version 2 numbers layers and weights in another order: see inFormerOrder. */
export const VERSION = 3

export interface SaveOptions {
  /** false omits the options of compile and the optimizer's state. Default true. */
  includeOptimizer?: boolean
}

/** For functions without options, which refuse all. */
export type NoOptions = Readonly<Record<string, never>>

const saveTable = { includeOptimizer: option(boolean, true) }

/** A model as saving and loading use it. */
export interface SavedModel extends LayerBase {
  readonly trainer: Trainer
  readonly graph: object | null
  toJSON(): { readonly className: string; readonly config: Config }
}

/** A variable with the name under which it is saved. */
export interface SavedVariable {
  readonly key: string
  readonly variable: Variable
}

/** Variables under keys that contain their positions: `weights/3/dense/kernel`. */
export function numbered(group: string, variables: readonly Variable[]): SavedVariable[] {
  return variables.map((variable, i) => ({ key: `${group}/${i}/${variable.name}`, variable }))
}

/**
 * The weights of a model under structural paths, `encoder/dense_1/kernel`: class names in snake case, numbered among
 * their siblings, so that automatic layer names do not matter. Keras's rule for .weights.h5.
 */
export function weightPaths(model: LayerBase): SavedVariable[] {
  const found: SavedVariable[] = []
  const seen = new Set<object>()
  const walk = (layer: LayerBase, path: string): void => {
    if (seen.has(layer)) return
    seen.add(layer)
    const taken = new Map<string, number>()
    const unique = (name: string): string => {
      let count = taken.get(name) ?? 0
      // A weight may already have the name that a second one of another name would get.
      while (count > 0 && taken.has(`${name}_${count}`)) count++
      const own = count === 0 ? name : `${name}_${count}`
      taken.set(name, count + 1)
      if (own !== name) taken.set(own, 1)
      return `${path}${own}`
    }
    for (const variable of layer.ownWeights) {
      if (seen.has(variable)) continue
      seen.add(variable)
      found.push({ key: unique(variable.name.split('/').at(-1)!), variable })
    }
    for (const inner of layer.sublayers) walk(inner, `${unique(snakeCase(classNameOf(inner)))}/`)
  }
  walk(model, '')
  return found
}

/** All variables of a model under the keys in the file. */
export function savedVariables(model: SavedModel, { includeOptimizer = true }: SaveOptions = {}): SavedVariable[] {
  const optimizer = includeOptimizer ? model.trainer.compiledState?.optimizer : undefined
  return [
    ...numbered('weights', model.weights),
    ...numbered('state', model.stateVariables),
    ...(optimizer === undefined ? [] : numbered('optimizer', optimizer.variables)),
  ]
}

function tensorsOf(variables: readonly SavedVariable[]): NamedTensor[] {
  // A view is enough: the container copies it.
  return variables.map(({ key, variable }) => ({ name: key, shape: variable.shape, data: variable.view }))
}

function specsToJson(specs: Tree<TensorSpec>): Json {
  if (specs instanceof TensorSpec) return { shape: specs.shape, dtype: specs.dtype }
  if (Array.isArray(specs)) return specs.map(specsToJson)
  return {
    fields: Object.fromEntries(
      Object.entries(specs).map(([key, each]) => [key, specsToJson(each as Tree<TensorSpec>)]),
    ),
  }
}

/** A value that JSON would drop or write as {} is refused when it is saved, not when it is loaded. */
function requireJson(key: string, value: unknown): unknown {
  const isLost = typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint'
  const isEmptied = ArrayBuffer.isView(value) || value instanceof Map || value instanceof Set
  if (!isLost && !isEmptied) return value
  const received = isEmptied ? value.constructor.name : typeof value
  throw new FormatError(
    `save: '${key}' in a configuration is a ${received}, which a file cannot hold. getConfig must return numbers, strings, booleans, null, lists and records of them.`,
  )
}

/** The bytes of a model. */
export function saveModel(model: SavedModel, options: SaveOptions = {}): Uint8Array {
  const { includeOptimizer } = readOptions('save', saveTable, options)
  const compiled = includeOptimizer ? model.trainer.compiledState : null
  const positions = new Map(model.weights.map((weight, i) => [weight, i]))
  const description: Json = {
    model: model.toJSON(),
    compile: compiled === null ? null : compiled.serialize(),
    optimizerFor: (compiled?.optimizer.builtFor ?? []).map((weight) => positions.get(weight) ?? -1),
    frozen: model.weights.flatMap((weight, i) => (weight.trainable ? [] : [i])),
    shuffle: { ...model.trainer.shuffleState },
    ...(model.graph === null && model.buildSpec !== null ? { build: specsToJson(model.buildSpec) } : {}),
  }
  return encodeContainer(tensorsOf(savedVariables(model, { includeOptimizer })), {
    format: FORMAT,
    version: String(VERSION),
    description: JSON.stringify(description, requireJson),
  })
}

/** The bytes of a model's weights alone. */
export function saveWeights(model: LayerBase): Uint8Array {
  return encodeContainer(tensorsOf(weightPaths(model)), { format: WEIGHTS_FORMAT, version: String(VERSION) })
}
