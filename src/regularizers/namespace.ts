// The namespace `regularizers`: everything of this folder that users need, and Keras's get, serialize and deserialize.

import { deserializeObject, getObject, serializeObject } from '../core/identified'
import type { SavedObject } from '../core/identified'
import type { CustomObjects, Serialized } from '../core/registry'
import { typed } from '../core/tree'
import type { Regularizer, RegularizerFunction, RegularizerIdentifier } from './index'
import { regularizers as all } from './registry'

export * from './index'

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
  return typed(getObject(all, identifier))
}

/** The configuration of a regularizer, or the name of a function. Keras: `keras.regularizers.serialize`. */
export function serialize(regularizer: Regularizer | RegularizerFunction): Serialized | string {
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
  return typed(deserializeObject(all, saved, customObjects))
}
