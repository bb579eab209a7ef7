// Methods of models that write and read files, as functions.

import { requireArguments } from '../core/arguments'
import type { ReadOptions } from '../data/abort'
import type { Model } from '../models/model'
import { requireModel } from '../models/required-model'
import type { SaveOptions } from '../models/save'
import type { ByteSource } from '../runtime/platform'

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
  options?: SaveOptions,
): Promise<Uint8Array> {
  requireArguments('saveModel', arguments, 3)
  requireModel('saveModel', model)
  return model.save(path ?? undefined, options)
}

/**
 * `model.saveWeights(path)`: the weights as bytes, and as a file.
 *
 * Keras: `keras.saving.save_weights`.
 * @param path where to write it (Node); null for bytes alone
 */
export async function saveWeights(model: AnyModel, path?: string | URL | null): Promise<Uint8Array> {
  requireArguments('saveWeights', arguments, 2)
  requireModel('saveWeights', model)
  return model.saveWeights(path ?? undefined)
}

/**
 * `model.loadWeights(source, options)`: reads weights that saveWeights or saveModel wrote.
 *
 * Keras: `keras.saving.load_weights`.
 * @param source the bytes, a path (Node), or a URL
 */
export async function loadWeights(model: AnyModel, source: ByteSource, options?: ReadOptions): Promise<void> {
  requireArguments('loadWeights', arguments, 3)
  requireModel('loadWeights', model)
  return model.loadWeights(source, options)
}
