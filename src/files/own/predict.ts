// loadModel for a page that predicts: with the layers that it names, so that a bundle has no others.

import { requireArguments } from '../../core/arguments'
import { readOptions } from '../../core/options'
import { classesOf } from './known-classes'
import { predictTable, type LayerClass, type LoadOptions } from '../../models/load-options'
import { fileLoader } from '../../models/file-loader'
import type { Model } from '../../models/model'
import { readModel } from './saved-model'
import { withOnlyClasses } from '../../models/reader'
import { customObjectScope } from '../../models/scope'
import type { Tensor } from '../../ops/tensor'
import { bytesFrom, naming, type ByteSource } from '../../engine/runtime/platform'

/** Options of `loadModel` of `myelin/predict`. */
export interface PredictLoadOptions extends Pick<LoadOptions, 'customObjects' | 'signal'> {
  /** The classes of layers that files may name, besides `customObjects`. */
  layers: readonly LayerClass[]
}

/**
 * Loads a model that `model.save` wrote, without its compile options: it predicts and explains, and `compile` prepares it for
 * training. In a bundle there are only the layers that are named here, where `loadModel` of `myelin` has all of them, and the code
 * of other formats.
 *
 *   import { Dense } from 'myelin'
 *   import { loadModel } from 'myelin/predict'
 *   const model = await loadModel('/model.safetensors', { layers: [Dense] })
 * @param source the bytes, a path (Node), a URL (fetch), a `File` or `Blob`
 * @throws ArgumentError for a layer of the file that `layers` and `customObjects` lack; FormatError for a truncated, damaged or
 * foreign file; StateError, with its cause, if the source cannot be read
 */
export async function loadModel<In = Tensor, Out = Tensor>(
  source: ByteSource,
  options: PredictLoadOptions,
): Promise<Model<In, Out>> {
  requireArguments('loadModel', arguments, 2)
  const { signal, layers, customObjects } = readOptions('loadModel', predictTable, options)
  const known = classesOf(layers)
  const bytes = await bytesFrom(source, 'loadModel', signal)
  const model = await naming(source, () =>
    readModel(bytes, {
      within: (body) => withOnlyClasses(known, () => customObjectScope(customObjects, body)),
      kindOf: fileLoader()?.kindOf,
      compile: null,
    }),
  )
  return model
}
