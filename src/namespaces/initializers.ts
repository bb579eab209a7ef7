// The namespace `initializers`: everything of this folder that users need, and Keras's get, serialize and deserialize.

import { requireArguments } from '../core/arguments'
import { deserializeObject, getObject, serializeObject, type SavedObject } from '../core/identified'
import { Registry, type CustomObjects, type Serialized } from '../core/registry'
import { typed } from '../core/tree'
import * as module from '../parts/initializers'
import { FURTHER_NAMES, type InitializerIdentifier } from '../parts/initializers/names'

export * from '../parts/initializers'

const all = /* @__PURE__ */ new Registry('initializer', module.Initializer, () => module, { aliases: FURTHER_NAMES })

/**
 * The initializer of an identifier: a name in any spelling, a configuration, a class, an instance, a function; null for
 * null.
 *
 * Keras: `keras.initializers.get`.
 * @throws ArgumentError for an unknown name, with the nearest known one
 */
export function get(
  identifier: InitializerIdentifier | SavedObject | (new () => module.Initializer) | null,
): module.Initializer | module.InitializerFunction | null {
  requireArguments('initializers.get', arguments, 1)
  return typed(getObject(all, identifier))
}

/** The configuration of an initializer, or the name of a function. Keras: `keras.initializers.serialize`. */
export function serialize(initializer: module.Initializer | module.InitializerFunction): Serialized | string {
  requireArguments('initializers.serialize', arguments, 1)
  return serializeObject(initializer)
}

/**
 * The initializer of a configuration or a name.
 *
 * Keras: `keras.initializers.deserialize`.
 * @param customObjects your own classes and functions, by name
 * @throws ArgumentError for an unknown name, with the nearest known one
 */
export function deserialize(
  saved: SavedObject | string,
  customObjects: CustomObjects = {},
): module.Initializer | module.InitializerFunction {
  requireArguments('initializers.deserialize', arguments, 2)
  return typed(deserializeObject(all, saved, customObjects))
}
