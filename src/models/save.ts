// Encodes a model as bytes: architecture, weights, the options of compile, optimizer state and the positions of random
// streams, so that training resumes bit for bit. load.ts decodes them.

import { FormatError } from '../core/errors'
import { boolean, option, readOptions } from '../core/options'
import { describingForFile, type Config, type Json } from '../core/registry'
import type { Tree } from '../core/tree'
import type { LayerBase } from '../layers/layer'
import { stateOf, buildSpecOf } from '../layers/weight-lists'
import { TensorSpec } from '../layers/spec'
import { encodeContainer } from '../files/containers/safetensors'
import { FORMAT, VERSION, inFiles, numbered, namedTensors, type SavedVariable } from '../layers/saved-weights'
import type { Variable } from '../ops/variable'
import type { Optimizer } from '../optimizers'
import type { SaveOptions } from './load-options'
import type { TrainingState } from '../training/state'

export type { SaveOptions } from './load-options'

/** The options of save. */
const saveRows = {
  /** false omits the options of compile and the optimizer's state. Default true. */
  includeOptimizer: option(boolean, true),
  /** false: a file that exists is an error. Default true. */
  overwrite: option(boolean, true),
}
type SaveRows = typeof saveRows
export type SaveTable = { [Name in keyof SaveRows]: SaveRows[Name] }
export const saveTable: SaveTable = saveRows

/** The part of a model that saving and loading use. */
export interface SavedModel extends LayerBase {
  readonly training: TrainingState
  readonly graph: object | null
  toJSON(): { readonly className: string; readonly config: Config }
}

/** All variables of a model, with their keys in the file. */
export function savedVariables(model: SavedModel, { includeOptimizer = true }: SaveOptions = {}): SavedVariable[] {
  const optimizer = includeOptimizer ? model.training.compiled?.optimizer : undefined
  return [
    ...numbered('weights', inFiles(model.weights)),
    ...numbered('state', model.stateVariables),
    ...(optimizer === undefined ? [] : numbered('optimizer', variablesInFiles(optimizer, model.weights))),
  ]
}

/** The weights with slots in a file: those that files have as they are. An optimizer may have been built for another model, too. */
function weightsWithSlots({ builtFor }: Optimizer, weights: readonly Variable[]): readonly Variable[] {
  const known = new Set(weights)
  return builtFor.filter((weight) => weight.inFile === undefined && known.has(weight))
}

function variablesInFiles(optimizer: Optimizer, weights: readonly Variable[]): readonly Variable[] {
  const withSlots = new Set(weightsWithSlots(optimizer, weights))
  const others = optimizer.builtFor
    .filter((weight) => !withSlots.has(weight))
    .flatMap((weight) => [...optimizer.slotsOf(weight).values()])
  const left = new Set(others)
  return optimizer.variables.filter((variable) => !left.has(variable))
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

/**
 * @throws FormatError for a value that JSON would drop or write as {}, and for an object that contains itself: when it is saved, not
 * when it is loaded
 */
function textOf(description: Json): string {
  /** The last name of an object, and what is read of it. */
  let of = ''
  const refused = (what: string): FormatError =>
    new FormatError(`save: ${what}, which a file cannot hold. getConfig must return JSON.`)
  try {
    return JSON.stringify(description, (key, value: unknown) => {
      if (key === 'name') of = String(value)
      const isLost = typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint'
      const isEmptied = ArrayBuffer.isView(value) || value instanceof Map || value instanceof Set
      if (!isLost && !isEmptied) return value
      throw refused(`'${key}' in a configuration is a ${isEmptied ? value.constructor.name : typeof value}`)
    })
  } catch (error) {
    throw error instanceof FormatError ? error : refused(`the configuration of '${of}' contains itself`)
  }
}

/** The bytes of a model. */
export function saveModel(model: SavedModel, options: SaveOptions = {}): Uint8Array {
  const { includeOptimizer } = readOptions('save', saveTable, options)
  const compiled = includeOptimizer ? model.training.compiled : null
  const weights = inFiles(model.weights)
  const buildSpec = buildSpecOf(model)
  const described = describingForFile(() => ({
    model: model.toJSON(),
    compile: compiled === null ? null : compiled.serialize(),
  }))
  const description: Json = {
    ...described,
    optimizerFor:
      compiled === null
        ? []
        : weightsWithSlots(compiled.optimizer, model.weights).map((weight) => weights.indexOf(weight)),
    frozen: weights.flatMap((weight, i) => (weight.trainable ? [] : [i])),
    shuffle: { ...model.training.shuffleState },
    ...(model.graph === null && buildSpec !== null ? { build: specsToJson(buildSpec) } : {}),
    ...(stateOf(model).isApart ? { isApart: true } : {}),
  }
  return encodeContainer(namedTensors(savedVariables(model, { includeOptimizer })), {
    format: FORMAT,
    version: String(VERSION),
    description: textOf(description),
  })
}
