// Keras's files by path, address or bytes.

import { merged } from '../../core/merged'
import { requireArguments } from '../../core/arguments'
import { choice, nullable, option, readOptions } from '../../core/options'
import { writeFile } from '../../engine/runtime/files'
import { signalOption, type ReadOptions } from '../../data/samples/abort'
import { loadTable, type LoadOptions } from '../../models/load-options'
import type { Model } from '../../models/model'
import { requireNew } from '../../models/overwrite'
import { requireModel } from '../../models/required-model'
import { saveTable, type SaveOptions } from '../../models/save'
import type { Tensor } from '../../ops/tensor'
import { readerBeside } from '../../engine/runtime/beside'
import { bytesFrom, naming, type ByteSource } from '../../engine/runtime/platform'
import { fillFromKeras, modelFromKeras } from './read'
import { archiveOf, weightsFile } from './write'
import { legacyModelFile, legacyWeightsFile } from './write-legacy'

/** A path (Node), a URL, bytes, or a `File` or `Blob`. */
export type KerasSource = ByteSource

/**
 * The model of a file that Keras wrote: `.keras` of Keras 3 and of Keras 2.12 and later, and `.h5`. It has the weights, the options of
 * compile and the state of the optimizer, so that `fit` continues. `loadModel` does the same for such a file.
 *
 *   const model = await readKeras('model.keras', { customObjects: { Gate } })
 *
 * Weights and computations are float32 for all dtype policies. Python code in a file is never run: a Lambda layer
 * calls the function that customObjects has under the name of its function, or of the layer. Layers with several inputs of a `tf.` function
 * (TFOpLambda) are refused.
 *
 * Keras: `keras.saving.load_model`.
 * @param source a path (Node), a URL, bytes, or a `File` or `Blob`
 * @throws FormatError for a damaged file, and for classes and options that this library does not have, all of them in one message;
 * ArgumentError for an unknown option; StateError, with its cause, if the source cannot be read
 */
export async function readKeras<In = Tensor, Out = Tensor>(
  source: KerasSource,
  options: LoadOptions = {},
): Promise<Model<In, Out>> {
  requireArguments('readKeras', arguments, 2)
  const read = readOptions('readKeras', loadTable, options)
  const bytes = await bytesFrom(source, 'readKeras', read.signal)
  return await naming(source, () => modelFromKeras(bytes, read))
}

export interface KerasWriteOptions extends SaveOptions {
  /** `keras`, or `h5`, the legacy format. Default: `h5` for a path that ends in `.h5` or `.hdf5`, otherwise `keras`. */
  format?: 'keras' | 'h5' | null
}

const writeTable = merged(saveTable, { format: option(nullable(choice('keras', 'h5')), null) })

/** The kind of HDF5 file that a path names by its ending; null for other files. */
function hdf5Of(path: string | URL | null | undefined): 'model' | 'weights' | null {
  if (path == null || !/\.(?:h5|hdf5)$/i.test(String(path))) return null
  return /\.weights\.h5$/i.test(String(path)) ? 'weights' : 'model'
}

/**
 * A model as a `.keras` file, which Keras 3 opens on every backend: it has the weights, the options of compile and the state of the
 * optimizer. `model.save('model.keras')` does the same; in a bundle, after a call of `loadModel`.
 *
 *   const bytes = await writeKeras(model)
 *   await writeKeras(model, 'model.h5') // for programs that read only HDF5
 *
 * Keras 2.15 opens the legacy `.h5`, too, if it has all classes and options of the model, and if the model has no ops, no inner models and
 * no calls with tensors as separate arguments. There training continues with a new optimizer.
 *
 * Keras: `Model.save`.
 * @param path where to write it as well (Node); null for bytes alone. A path that ends in `.weights.h5` gets the weights alone, as
 * `writeKerasWeights` writes them
 * @throws FormatError for layers, options and ops that Keras does not have, all of them in one message
 */
export async function writeKeras(
  model: Model,
  path?: string | URL | null,
  options: KerasWriteOptions = {},
): Promise<Uint8Array> {
  requireArguments('writeKeras', arguments, 3)
  requireModel('writeKeras', model)
  const { includeOptimizer, overwrite, format } = readOptions('writeKeras', writeTable, options)
  if (path != null && !overwrite) requireNew(path, 'writeKeras')
  if (format === null && hdf5Of(path) === 'weights') return writeKerasWeights(model, path)
  const isLegacy = (format ?? (hdf5Of(path) === null ? 'keras' : 'h5')) === 'h5'
  const bytes = (isLegacy ? legacyModelFile : archiveOf)(model, includeOptimizer)
  if (path != null) await writeFile(path, bytes, 'writeKeras')
  return bytes
}

/**
 * The weights of a model as a `.weights.h5` file, which `Model.load_weights` of Keras 3 reads into a model of the same layers. A path that
 * ends in `.h5` alone has the legacy format, which Keras 2 reads, too.
 *
 *   const bytes = await writeKerasWeights(model)
 *
 * Keras: `Model.save_weights`.
 * @param path where to write it as well (Node); null for bytes alone
 */
export async function writeKerasWeights(model: Model, path?: string | URL | null): Promise<Uint8Array> {
  requireArguments('writeKerasWeights', arguments, 2)
  requireModel('writeKerasWeights', model)
  const isLegacy = hdf5Of(path) === 'model'
  const bytes = isLegacy ? legacyWeightsFile(model) : weightsFile(model)
  if (path != null) await writeFile(path, bytes, 'writeKerasWeights')
  return bytes
}

/**
 * Loads the weights of a file of Keras, `.weights.h5`, `.h5` or `.keras`, into a model. Replaces all weights, or none.
 * `model.loadWeights` does the same for such a file. The path or the URL of a `.weights.json` loads the files that it names, which are
 * beside it.
 *
 *   await loadKerasWeights(model, 'model.weights.h5')
 *
 * In `.weights.h5` and `.keras` files layers are found by their classes and their order, in `.h5` files by their names, or by their order
 * if the names differ.
 *
 * Keras: `Model.load_weights`.
 * @throws FormatError that names weights that are missing, left over, or of another shape
 */
export async function loadKerasWeights(model: Model, source: KerasSource, options: ReadOptions = {}): Promise<void> {
  requireArguments('loadKerasWeights', arguments, 3)
  const { signal } = readOptions('loadKerasWeights', signalOption(), options)
  const bytes = await bytesFrom(source, 'loadKerasWeights', signal)
  await naming(source, () => fillFromKeras(model, bytes, readerBeside(source, bytes, 'loadKerasWeights', signal)))
}
