// Weights of models in files of every format, by path, address or bytes.

import { merged } from '../../core/merged'
import { warn } from '../../core/warnings'
import { requireArguments } from '../../core/arguments'
import { FormatError, listed } from '../../core/errors'
import { keysOf } from '../../core/keys'
import { choice, option, readOptions } from '../../core/options'
import { sameShape } from '../../core/shapes'
import { weightEndings, type WeightFormat } from '../containers/format-list'
import type { NamedTensor } from '../containers/safetensors'
import { inFiles, namedTensors, numbered, positionOf, weightPaths } from '../../layers/saved-weights'
import type { LayerBase } from '../../layers/layer'
import type { Model } from '../../models/model'
import { requireModel } from '../../models/required-model'
import {
  readLoading,
  saveWeightsTable,
  type LoadWeightsOptions,
  type SaveWeightsOptions,
} from '../../models/weight-options'
import { requireNew } from '../../models/overwrite'
import { readerBeside } from '../../engine/runtime/beside'
import { writeFile } from '../../engine/runtime/files'
import { bytesFrom, naming, type ByteSource } from '../../engine/runtime/platform'
import type { NamedArrays } from './format'
import { hasArrays, noMapping, readArrays, requireWeightFormat, weightFormatIn, weightFormats } from './formats'
import type { WeightMapping, WeightTargets } from '../containers/weight-mapping'
import { mappedArrays, mappedValues } from './mapping'
import { mappingFor } from './torch'

/**
 * Loads the weights of a file into a model, all or none: a file of a format of `saveWeights`, or one of Keras. The format is found from
 * the content. `model.loadWeights` does the same; in a bundle, after a call of `loadModel`.
 *
 *   await readWeights(model, 'net.safetensors', { mapping: { 'fc.weight': { to: 'dense/kernel', transpose: [1, 0] } } })
 *
 * Floats of 16 and 64 bits become float32.
 * @throws FormatError that names weights that are missing, left over, or of another shape
 */
export async function readWeights(model: Model, source: ByteSource, options: LoadWeightsOptions = {}): Promise<void> {
  requireArguments('readWeights', arguments, 3)
  const { signal, ...read } = readLoading('readWeights', options)
  const bytes = await bytesFrom(source, 'readWeights', signal)
  await naming(source, () => fillWeights(model, bytes, { ...read, source, signal }))
}

/** What else is known of a file of weights. */
export interface WeightsFrom {
  /** The weights of the names in the file; null for names of this library. */
  readonly mapping: WeightMapping | null
  /** Where the bytes are from. */
  readonly source: ByteSource
  /** Ends reading other files. */
  readonly signal: AbortSignal | null
  /** Whether layers whose weights do not fit keep theirs. */
  readonly skipMismatch: boolean
}

/** The same for bytes that were read. */
export async function fillWeights(
  model: LayerBase,
  bytes: Uint8Array,
  { mapping, source, signal, skipMismatch }: WeightsFrom,
): Promise<void> {
  const skipped: string[] | null = skipMismatch ? [] : null
  const format = weightFormats[weightFormatIn(bytes)]
  if (!hasArrays(format)) {
    if (mapping !== null)
      throw noMapping('loadWeights', 'This file has its weights by layers: load it without the mapping.')
    await format.fill(model, bytes, readerBeside(source, bytes, 'loadWeights', signal), skipped)
  } else if (skipped !== null) fillFitting(model, await format.read(bytes), skipped)
  else if (mapping === null && format.own !== undefined) format.own.fill(model, bytes)
  else fillMapped(model, await format.read(bytes), mapping)
  if (skipped !== null && skipped.length > 0)
    warn(`loadWeights: these keep their weights, which do not fit those of the file: ${listed(skipped, ', ')}`)
}

/** Loads arrays by the names of a mapping, or else those that have names of weights. */
function fillMapped(model: LayerBase, arrays: NamedArrays, mapping: WeightMapping | null): void {
  const weights = weightPaths(model)
  const values = mappedValues(weights, arrays, mapping ?? ((name) => (isOf(name) ? name : undefined)))
  for (const [variable, value] of values) variable.assign(value)

  function isOf(name: string): boolean {
    return weights.some(({ key }) => key === name)
  }
}

/** Loads the weights of all layers whose arrays fit. @param skipped takes the paths of the others */
function fillFitting(model: LayerBase, arrays: NamedArrays, skipped: string[]): void {
  // Files of whole models number the weights.
  const byPosition = new Map(Array.from(arrays, ([name, array]) => [positionOf(name), array]))
  const isModel = [...arrays.keys()].some((name) => positionOf(name) !== name)
  const weights = isModel ? numbered('weights', inFiles(model.weights)) : weightPaths(model)
  const layerOf = (key: string): string => key.slice(isModel ? positionOf(key).length : 0).replace(/\/?[^/]*$/, '')
  const arrayOf = (key: string): NamedTensor | undefined => byPosition.get(positionOf(key))
  const others = weights.filter(({ key, variable }) => {
    const array = arrayOf(key)
    return array === undefined || !sameShape(array.shape, variable.shape)
  })
  const layers = new Set(others.map(({ key }) => layerOf(key)))
  const fitting = weights.filter(({ key }) => !layers.has(layerOf(key)))
  if (fitting.length === 0) throw new FormatError('No weight of the file fits the model')
  const fittingArrays = new Map(fitting.map(({ key }) => [key, arrayOf(key)!]))
  for (const [variable, value] of mappedValues(fitting, fittingArrays, (name) => name)) variable.assign(value)
  skipped.push(...layers)
}

export interface WriteWeightsOptions extends SaveWeightsOptions {
  /** The format. Default: that of the ending of the path, or safetensors without a path. */
  format?: WeightFormat
}

/**
 * The weights of a model as a file.
 *
 *   await writeWeights(model, 'net.npz')
 *   const bytes = await writeWeights(model, null, { format: 'npz' })
 *
 * @param path where to write it as well (Node); null for bytes alone. Its ending selects the format, as in `model.saveWeights`
 */
export async function writeWeights(
  model: Model,
  path: string | URL | null,
  options: WriteWeightsOptions = {},
): Promise<Uint8Array> {
  requireArguments('writeWeights', arguments, 3)
  requireModel('writeWeights', model)
  const table = merged(saveWeightsTable(), {
    format: option(choice(...keysOf(weightEndings)), 'safetensors'),
  })
  const { mapping, overwrite, format } = readOptions('writeWeights', table, options)
  if (path !== null && !overwrite) requireNew(path, 'writeWeights')
  const found = path !== null && options.format === undefined ? requireWeightFormat(path, 'writeWeights') : format
  const write = await weightWriter(found, mapping)
  const bytes = await write(model)
  if (path !== null) await writeFile(path, bytes, 'writeWeights')
  return bytes
}

/** A function for the bytes of weights, which reads them before it returns. */
export async function weightWriter(
  name: WeightFormat,
  mapping: WeightMapping | null,
): Promise<(model: LayerBase) => Promise<Uint8Array>> {
  const format = weightFormats[name]
  if (!hasArrays(format)) {
    if (mapping !== null) throw noMapping('saveWeights', `${weightEndings[name]} has weights by layers.`)
    return format.writer()
  }
  return async (model) => {
    if (mapping === null && format.own !== undefined) return format.own.write(model)
    const weights = weightPaths(model)
    return format.write(mapping === null ? namedTensors(weights) : mappedArrays(weights, mapping))
  }
}

/**
 * A mapping from the names and layouts of PyTorch, for the state of a module that was saved as safetensors, or with `numpy.savez`.
 *
 *   const mapping = await torchMapping(model, 'net.safetensors')
 *   await model.loadWeights('net.safetensors', { mapping })
 *
 * Linear, Conv, ConvTranspose, BatchNorm, LayerNorm, GroupNorm, Embedding, RNN, LSTM, GRU (with resetAfter) and MultiheadAttention are
 * found. A layer gets the only module that has its shapes. If several layers have equal shapes, it gets
 *
 * - the module of its name: a layer named `layer1.0.bn1` or `layer1_0_bn1`, or `bn1` in a model named `layer1_0`; or
 * - if the names of these modules differ in numbers only, as those of `layers.0.norm` and `layers.1.norm` do, and each of these layers needs the
 *   result of the one before it, the module of its place.
 *
 * Arrays that are not used, such as `num_batches_tracked`, are null.
 * @throws FormatError that names layers and modules for which nothing fits, and those of which nothing tells which is which
 */
export async function torchMapping(model: Model, source: ByteSource): Promise<Record<string, WeightTargets>> {
  requireArguments('torchMapping', arguments, 2)
  requireModel('torchMapping', model)
  const bytes = await bytesFrom(source, 'torchMapping')
  return naming(source, async () => mappingFor(model, weightPaths(model), await readArrays(bytes)))
}
