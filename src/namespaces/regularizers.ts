// The namespace `regularizers`: everything of this folder that users need, and Keras's get, serialize and deserialize.

import { requireArguments } from '../core/arguments'
import { deserializeObject, getObject, serializeObject, type SavedObject } from '../core/identified'
import type { CustomObjects, Serialized } from '../core/registry'
import { typed } from '../core/tree'
import type { Regularizer, RegularizerFunction, RegularizerIdentifier } from '../parts/regularizers'
import { regularizers as all } from '../parts/regularizers/registry'

export * from '../parts/regularizers'

/**
 * The regularizer of an identifier: a name in any spelling, a configuration, a class, an instance, a function; null for
 * null.
 *
 * Keras: `keras.regularizers.get`.
 * @throws ArgumentError for an unknown name, with the nearest known one
 */
export function get(
  identifier: RegularizerIdentifier | SavedObject | (new () => Regularizer) | null,
): Regularizer | RegularizerFunction | null {
  requireArguments('regularizers.get', arguments, 1)
  return typed(getObject(all, identifier))
}

/** The configuration of a regularizer, or the name of a function. Keras: `keras.regularizers.serialize`. */
export function serialize(regularizer: Regularizer | RegularizerFunction): Serialized | string {
  requireArguments('regularizers.serialize', arguments, 1)
  return serializeObject(regularizer)
}

/**
 * The regularizer of a configuration or a name.
 *
 * Keras: `keras.regularizers.deserialize`.
 * @param customObjects your own classes and functions, by name
 * @throws ArgumentError for an unknown name, with the nearest known one
 */
export function deserialize(
  saved: SavedObject | string,
  customObjects: CustomObjects = {},
): Regularizer | RegularizerFunction {
  requireArguments('regularizers.deserialize', arguments, 2)
  return typed(deserializeObject(all, saved, customObjects))
}
