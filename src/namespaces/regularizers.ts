// The namespace `regularizers`: all regularizers, and Keras's get, serialize and deserialize.

import { ObjectNamespace, type SavedObject } from '../core/identified'
import type { CustomObjects, Serialized } from '../core/registry'
import type { Regularizer, RegularizerFunction, RegularizerIdentifier } from '../parts/regularizers'
import { regularizers } from '../parts/regularizers/registry'

export * from '../parts/regularizers'

const namespace = /* @__PURE__ */ new ObjectNamespace<Regularizer, RegularizerFunction>('regularizers', regularizers)

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
  return namespace.get(identifier, arguments)
}

/** The configuration of a regularizer, or the name of a function. Keras: `keras.regularizers.serialize`. */
export function serialize(regularizer: Regularizer | RegularizerFunction): Serialized | string {
  return namespace.serialize(regularizer, arguments)
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
  return namespace.deserialize(saved, customObjects, arguments)
}
