// The check of functions that take a model.

import { ArgumentError } from '../core/errors'
import { receivedText } from '../core/registry'
import { Model } from './model'

/** @throws ArgumentError for a value that is not a model */
export function requireModel(where: string, model: unknown): asserts model is Model {
  if (!(model instanceof Model)) throw new ArgumentError(`${where} needs a model, received ${receivedText(model)}`)
}
