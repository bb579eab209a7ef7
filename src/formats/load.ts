// A model from its bytes. Every field of a file is checked before it is used. Saving is in save.ts.

import { ArgumentError, FormatError, formatShape } from '../core/errors'
import { sameShape } from '../core/shapes'
import type { BatchShape, Layer } from '../layers'
import { layers } from '../layers/registry'
import type { LossIdentifier } from '../losses'
import type { MetricIdentifier } from '../metrics'
import type { Config, CustomObjects, Json, Serialized } from '../core/registry'
import { customObjectScope, isSerialized } from '../core/registry'
import { readFile } from '../runtime/platform'
import type { CompileOptions } from '../training/compiled'
import type { Model } from '../models/model'
import type { Container } from './safetensors'
import { decodeContainer } from './safetensors'
import { FORMAT, VERSION, savedVariables } from './save'
import { Sequential } from '../models/sequential'

export interface LoadOptions {
  /** Your own classes and functions, by the name they were saved under. */
  customObjects?: CustomObjects
  /** false: leave the model uncompiled. Default true. */
  compile?: boolean
}

interface Description {
  readonly className: string
  readonly config: Config
  readonly compile: Config | null
  /** The positions of the weights that the optimizer has slots for. */
  readonly optimizerFor: readonly number[]
  /** The positions of weights that are not trainable in themselves. */
  readonly frozen: readonly number[]
  readonly shuffle: { readonly seed: number; readonly epoch: number }
}

function readDescription({ metadata }: Container): Description {
  const text = metadata['description']
  if (metadata['format'] !== FORMAT || text === undefined) {
    throw new FormatError('This file was not written by this library: it has weights, but no model')
  }
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw new FormatError('The file is damaged: its description is no JSON')
  }
  if (!isConfig(parsed) || !isSerialized(parsed['model'])) throw new FormatError('The file is damaged: its description is incomplete')
  if (parsed['version'] !== VERSION) {
    throw new FormatError(`The file has format version ${String(parsed['version'])}; this library reads version ${VERSION}`)
  }
  const { className, config } = parsed['model']
  const shuffle = parsed['shuffle']
  return {
    className,
    config,
    compile: isConfig(parsed['compile']) ? parsed['compile'] : null,
    optimizerFor: numbers(parsed['optimizerFor']),
    frozen: numbers(parsed['frozen']),
    shuffle: isConfig(shuffle) ? { seed: Number(shuffle['seed']), epoch: Number(shuffle['epoch']) } : { seed: 0, epoch: 0 },
  }
}

function numbers(value: Json | undefined): number[] {
  return Array.isArray(value) ? value.map(Number) : []
}

function isConfig(value: unknown): value is Config {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isBatchShape(value: readonly Json[]): value is BatchShape {
  return value.every((extent) => extent === null || (Number.isInteger(extent) && Number(extent) > 0))
}

function makeModel({ className, config }: Serialized): Sequential {
  if (className !== Sequential.className) throw new FormatError(`Cannot load a model of class '${className}'`)
  const saved = config['layers']
  if (!Array.isArray(saved)) throw new FormatError('The file is damaged: the model has no list of layers')
  const list = saved.map((entry: Json): Layer => {
    if (!isSerialized(entry)) throw new FormatError('The file is damaged: a layer has no class name')
    return entry.className === Sequential.className ? makeModel(entry) : layers.get(entry)
  })
  const model = new Sequential(list, {
    ...(typeof config['name'] === 'string' ? { name: config['name'] } : {}),
    trainable: config['trainable'] !== false,
  })
  const shape = config['buildShape']
  if (Array.isArray(shape)) {
    if (!isBatchShape(shape)) throw new FormatError(`The file is damaged: the build shape is ${JSON.stringify(shape)}`)
    model.ensureBuilt(shape)
  }
  return model
}

function compileAgain(model: Model, saved: Config, custom: CustomObjects): void {
  const identifier = (value: Json | undefined): string | { className: string; config: Config } | ((...inputs: never[]) => unknown) => {
    if (typeof value === 'string') {
      const own = custom[value]
      return isFunction(own) ? own : value
    }
    if (isSerialized(value)) return value
    throw new FormatError('The file is damaged: what compile chose is incomplete')
  }
  const list = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : [])
  const options: CompileOptions = {
    optimizer: optimizerOf(saved['optimizer']),
    loss: identifier(saved['loss']) as LossIdentifier,
    metrics: list(saved['metrics']).map((value) => identifier(value) as MetricIdentifier),
    weightedMetrics: list(saved['weightedMetrics']).map((value) => identifier(value) as MetricIdentifier),
  }
  model.compile(options, custom)
}

// Slots for the weights that were trained, which need not be those that are to be trained next.
function restoreSlots(model: Model, positions: readonly number[]): void {
  if (positions.length === 0) return
  const weights = positions.map((position) => {
    const weight = model.weights[position]
    if (weight === undefined) throw new FormatError(`The file is damaged: the optimizer trains weight ${position}, which is not there`)
    return weight
  })
  model.optimizer.build(weights)
}

function optimizerOf(value: Json | undefined): { className: string; config: Config } {
  if (isSerialized(value)) return value
  throw new FormatError('The file is damaged: it has no optimizer')
}

function isFunction(value: unknown): value is (...inputs: never[]) => unknown {
  return typeof value === 'function'
}

function restoreVariables(model: Model, { tensors }: Container): void {
  const variables = savedVariables(model)
  // All are checked before one is written.
  const found = variables.map(({ key, variable }) => {
    const tensor = tensors.get(key)
    if (tensor === undefined) throw new FormatError(`The file lacks '${key}'`)
    if (!sameShape(tensor.shape, variable.shape)) {
      throw new FormatError(`'${key}' has shape ${formatShape(tensor.shape)}, the model needs ${formatShape(variable.shape)}`)
    }
    const isFloat = tensor.data instanceof Float32Array
    if (isFloat !== (variable.dtype === 'float32')) {
      throw new FormatError(`'${key}' is ${isFloat ? 'float32' : 'int32'}, the model needs ${variable.dtype}`)
    }
    return { variable, tensor }
  })
  for (const { variable, tensor } of found) variable.view.set(tensor.data)
}

/** A model from its bytes. */
export function modelFromBytes(bytes: Uint8Array, options: LoadOptions = {}): Sequential {
  try {
    return customObjectScope(options.customObjects ?? {}, () => readModel(bytes, options))
  } catch (error) {
    if (error instanceof ArgumentError && error.message.startsWith('Unknown')) {
      error.message += ' What is your own goes into customObjects, under this name.'
    }
    throw error
  }
}

function readModel(bytes: Uint8Array, { customObjects = {}, compile = true }: LoadOptions = {}): Sequential {
  const container = decodeContainer(bytes)
  const description = readDescription(container)
  const model = makeModel(description)
  model.weights.forEach((weight, i) => (weight.trainable = !description.frozen.includes(i)))
  if (compile && description.compile !== null) {
    compileAgain(model, description.compile, customObjects)
    restoreSlots(model, description.optimizerFor)
  }
  restoreVariables(model, container)
  Object.assign(model.shuffleState, description.shuffle)
  return model
}

/**
 * Loads a model that `model.save` wrote.
 * @param source the bytes, a path (Node), or a URL (fetch)
 * @throws FormatError for a truncated, damaged or foreign file
 */
export async function loadModel(source: Uint8Array | ArrayBuffer | string | URL, options: LoadOptions = {}): Promise<Sequential> {
  if (source instanceof Uint8Array) return modelFromBytes(source, options)
  if (source instanceof ArrayBuffer) return modelFromBytes(new Uint8Array(source), options)
  return modelFromBytes(await readFile(source), options)
}
