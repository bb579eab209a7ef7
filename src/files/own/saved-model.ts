// What save wrote: checks every field of a file before it uses it. Names no class of a layer, a loss or a metric: revive.ts does,
// and myelin/predict takes them from the application.

import { ArgumentError, FormatError } from '../../core/errors'
import { construct, customObject, isSerialized, type Config, type Json, type Serialized } from '../../core/registry'
import { sizeOf } from '../../core/shapes'
import type { Tree } from '../../core/tree'
import { withFile } from '../../core/file-scope'
import { SPARE_ELEMENTS, limitWeights } from '../../core/weight-limit'
import { parseJson } from '../containers/json'
import { decodeContainer, type Container, type KindOfFile } from '../containers/safetensors'
import { FORMAT, VERSION, inFiles, isFormer, restoreNumbered } from '../../layers/saved-weights'
import { TensorSpec } from '../../layers/spec'
import { inFormerOrder, stateOf } from '../../layers/weight-lists'
import type { Variable } from '../../ops/variable'
import { Model } from '../../models/model'
import { savedVariables } from '../../models/save'

/** What a file may name. */
interface ModelReading {
  /** Runs `body` while the names of classes refer to them. */
  within(body: () => Model): Model
  /** Compiles a model with saved options; null leaves it uncompiled. */
  readonly compile: ((model: Model, saved: Config) => void) | null
  /** Names what a file is that is no model of this library. */
  readonly kindOf: KindOfFile | undefined
}

interface Description {
  readonly className: string
  readonly config: Config
  readonly compile: Config | null
  /** The positions of the weights for which the optimizer has slots. */
  readonly optimizerFor: readonly number[]
  /** The positions of weights whose own `trainable` is false. */
  readonly frozen: readonly number[]
  readonly shuffle: { readonly seed: number; readonly epoch: number }
  /** The specs for which a model that is not a graph was built. */
  readonly build: Tree<TensorSpec> | null
  /** Whether its call got several inputs as separate arguments. */
  readonly isApart: boolean
}

function readDescription({ metadata }: Container): Description {
  const text = metadata['description']
  if (metadata['format'] !== FORMAT || text === undefined) {
    throw new FormatError(
      'This file has weights, but no model. Create the model, then load the weights into it: model.loadWeights(path)',
    )
  }
  const parsed = parseJson(text, 'The file is damaged: its description')
  if (!isConfig(parsed) || !isSerialized(parsed['model']))
    throw new FormatError('The file is damaged: its description is incomplete')
  // Files before version 3 have the version in their description.
  const version = metadata['version'] ?? String(parsed['version'])
  if (version !== String(VERSION) && version !== String(VERSION - 1)) {
    throw new FormatError(
      `The file has format version ${version}; this library reads versions ${VERSION - 1} and ${VERSION}`,
    )
  }
  const { className, config } = parsed['model']
  return {
    className,
    config,
    compile: isConfig(parsed['compile']) ? parsed['compile'] : null,
    optimizerFor: numbers(parsed['optimizerFor']),
    frozen: numbers(parsed['frozen']),
    build: readSpecs(parsed['build']),
    isApart: parsed['isApart'] === true,
    shuffle: readShuffle(parsed['shuffle']),
  }
}

function readShuffle(value: Json | undefined): { seed: number; epoch: number } {
  const { seed, epoch } = isConfig(value) ? value : { seed: 0, epoch: 0 }
  if (Number.isSafeInteger(seed) && isCount(epoch)) return { seed: Number(seed), epoch }
  throw new FormatError('The file is damaged: the order of the samples is incomplete')
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

/** Specs as save() writes them: { shape, dtype }, lists of them, and { fields }. */
function readSpecs(value: Json | undefined): Tree<TensorSpec> | null {
  if (Array.isArray(value)) return value.map((each: Json) => readSpecs(each) ?? new TensorSpec([]))
  if (!isConfig(value)) return null
  const { shape, dtype, fields } = value
  if (isConfig(fields))
    return Object.fromEntries(Object.entries(fields).map(([key, each]) => [key, readSpecs(each) ?? new TensorSpec([])]))
  const isKnown = dtype === 'float32' || dtype === 'int32' || dtype === 'bool'
  const isShape = Array.isArray(shape) && shape.every((extent: Json) => extent === null || isCount(extent))
  if (!isShape || !isKnown) throw new FormatError('The file is damaged: the specs of the model are incomplete')
  return new TensorSpec([...shape], dtype)
}

function numbers(value: Json | undefined): number[] {
  return Array.isArray(value) ? value.map(Number) : []
}

function isConfig(value: Json | undefined): value is Config {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A model from its class and configuration. */
export function makeModel({ className, config }: Serialized, within: ModelReading['within']): Model {
  return within(() => {
    const made = construct(customObject(className), config)
    if (made instanceof Model) return made
    if (made === undefined) throw new ArgumentError(`Unknown model class '${className}'.`)
    throw new FormatError(`Cannot load a model of class '${className}'`)
  })
}

// Creates slots for the weights that were trained before saving; other weights may be trainable now.
function restoreSlots({ optimizer }: Model, numberedWeights: readonly Variable[], positions: readonly number[]): void {
  if (positions.length === 0) return
  const weights = positions.map((position) => {
    const weight = numberedWeights[position]
    if (weight === undefined)
      throw new FormatError(`The file is damaged: the optimizer trains weight ${position}, which does not exist`)
    return weight
  })
  optimizer.build(weights)
}

/** A model from the bytes that save wrote. */
export function readModel(bytes: Uint8Array, { within, compile, kindOf }: ModelReading): Model {
  const container = decodeContainer(bytes, { kindOf })
  const description = readDescription(container)
  // A byte may hold two weights of four bits.
  const largest = Math.max(
    0,
    ...Array.from(container.tensors.values(), ({ shape, data }) => sizeOf(shape) * (data instanceof Int8Array ? 2 : 1)),
  )
  const isOld = isFormer(container.metadata)
  const model = limitWeights(largest, SPARE_ELEMENTS + 2 * bytes.length, () => {
    const made = withFile({ fillsWeights: true }, () => {
      const created = makeModel(description, within)
      stateOf(created).isApart = description.isApart
      if (description.build !== null) created.ensureBuilt(description.build)
      return created
    })
    const weights = inFormerOrder(isOld, () => inFiles(made.weights))
    const frozen = new Set(description.frozen)
    weights.forEach((weight, i) => {
      if (weight.trainable === frozen.has(i)) weight.trainable = !frozen.has(i)
    })
    if (compile !== null && description.compile !== null) {
      compile(made, description.compile)
      restoreSlots(made, weights, description.optimizerFor)
    }
    return made
  })
  restoreNumbered(
    inFormerOrder(isOld, () => savedVariables(model, { includeOptimizer: compile !== null })),
    container.tensors,
    compile !== null,
  )
  Object.assign(model.training.shuffleState, description.shuffle)
  return model
}
