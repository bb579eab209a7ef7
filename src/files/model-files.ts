// Methods of models that write and read files, as functions. They know all formats, also in a bundle.

import { merged } from '../core/merged'
import { requireArguments } from '../core/arguments'
import { always, readOptions, unread, withoutOptions, type OptionInputs } from '../core/options'
import type { Model } from '../models/model'
import { requireModel } from '../models/required-model'
import { saveTable, type SaveOptions } from '../models/save'
import type { LoadWeightsOptions, SaveWeightsOptions } from '../models/weight-options'
import type { ByteSource } from '../engine/runtime/platform'
import { useAllFormats } from './loader'

const saveModelTable = () =>
  merged(saveTable, {
    /** Must not be false: a model is written to one file. Default null. */
    zipped: unread(always([null, true], 'a model is written to one file'), null),
  })
/** Options of `saving.saveModel`. */
export type SaveModelOptions = OptionInputs<ReturnType<typeof saveModelTable>>

/** A model with any inputs and outputs. */
type AnyModel = Pick<Model, 'save' | 'saveWeights' | 'loadWeights'>

/**
 * `model.save(path, options)`: the whole model as bytes, and as a file.
 *
 * Keras: `keras.saving.save_model`.
 * @param path where to write it (Node); null for bytes alone
 */
export async function saveModel(
  model: AnyModel,
  path?: string | URL | null,
  options: SaveModelOptions = {},
): Promise<Uint8Array> {
  requireArguments('saveModel', arguments, 3)
  requireModel('saveModel', model)
  readOptions('saveModel', saveModelTable(), options)
  useAllFormats()
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an option that is undefined has its default
  return model.save(path ?? undefined, withoutOptions(options, ['zipped']) as SaveOptions)
}

/**
 * `model.saveWeights(path, options)`: the weights as bytes, and as a file.
 *
 * Keras: `keras.saving.save_weights`.
 * @param path where to write it (Node); null for bytes alone
 */
export async function saveWeights(
  model: AnyModel,
  path?: string | URL | null,
  options?: SaveWeightsOptions,
): Promise<Uint8Array> {
  requireArguments('saveWeights', arguments, 3)
  requireModel('saveWeights', model)
  useAllFormats()
  return model.saveWeights(path ?? undefined, options)
}

/**
 * `model.loadWeights(source, options)`: reads weights that saveWeights or saveModel wrote.
 *
 * Keras: `keras.saving.load_weights`.
 * @param source the bytes, a path (Node), or a URL
 */
export async function loadWeights(model: AnyModel, source: ByteSource, options?: LoadWeightsOptions): Promise<void> {
  requireArguments('loadWeights', arguments, 3)
  requireModel('loadWeights', model)
  useAllFormats()
  return model.loadWeights(source, options)
}
