// Models from JSON: of this library, and of Keras.

import { requireArguments } from '../../core/arguments'
import { requireContent } from '../../core/misplaced'
import type { SavedObject } from '../../core/identified'
import { readOptions } from '../../core/options'
import type { CustomObjects, Json, Serialized } from '../../core/registry'
import { encodeUtf8 } from '../../core/text'
import { jsonTable, type LoadOptions } from '../../models/load-options'
import type { Model } from '../../models/model'
import { modelFromSaved } from '../own/revive'
import type { Tensor } from '../../ops/tensor'
import { formerHardSigmoid } from './former'
import { isFormerVersion, isObject } from './keras-object'
import { ObjectReader } from './objects'
import { parsePythonJson } from './python-json'

/** A model of Keras from a configuration that ObjectReader read. */
export function modelOf(saved: Serialized, customObjects: CustomObjects): Model {
  return modelFromSaved(saved, { formerHardSigmoid, ...customObjects })
}

/** A model of the JSON of Keras. */
export function modelFromParsed(saved: Json, customObjects: CustomObjects): Model {
  return modelOf(ObjectReader.model(saved, customObjects, { isFormer: isFormerVersion(saved) }), customObjects)
}

/**
 * A model with new weights from the result of `toJSON` (or of `JSON.stringify` for a model), or from the JSON of Keras's `to_json()`.
 * `loadModel` reads files with such JSON, too.
 *
 *   const copy = modelFromJSON(JSON.stringify(model))
 *
 *   const model = modelFromJSON(await readFile('model.json', 'utf8'))    // model.to_json() in Python
 *   await model.loadWeights('model.weights.h5')
 *
 * Keras: `keras.models.model_from_json`.
 * @param json the text, or the object that it describes
 * @throws FormatError if the JSON is not a model, and for classes and options of Keras that this library does not have; ArgumentError
 * for other unknown classes
 */
export function modelFromJSON<In = Tensor, Out = Tensor>(
  json: string | SavedObject,
  options: Pick<LoadOptions, 'customObjects'> = {},
): Model<In, Out> {
  requireArguments('modelFromJSON', arguments, 2)
  const { customObjects } = readOptions('modelFromJSON', jsonTable, options)
  if (typeof json === 'string') requireContent(encodeUtf8(json.slice(0, 512)), null, 'modelFromJSON')
  const saved: unknown = typeof json === 'string' ? parsePythonJson(json, 'This is not a model: it') : json
  return isObject(saved) && !('className' in saved)
    ? modelFromParsed(saved, customObjects)
    : modelFromSaved(saved, customObjects)
}
