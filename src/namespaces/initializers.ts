// The namespace `initializers`: all initializers, and Keras's get, serialize and deserialize.

import { ObjectNamespace, type SavedObject } from '../core/identified'
import { Registry, type CustomObjects, type Serialized } from '../core/registry'
import * as module from '../parts/initializers'
import { FURTHER_NAMES, type InitializerIdentifier } from '../parts/initializers/names'

export * from '../parts/initializers'

const registry = /* @__PURE__ */ new Registry('initializer', module.Initializer, () => module, {
  aliases: FURTHER_NAMES,
})

const namespace = /* @__PURE__ */ new ObjectNamespace<module.Initializer, module.InitializerFunction>(
  'initializers',
  registry,
)

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
  return namespace.get(identifier, arguments)
}

/** The configuration of an initializer, or the name of a function. Keras: `keras.initializers.serialize`. */
export function serialize(initializer: module.Initializer | module.InitializerFunction): Serialized | string {
  return namespace.serialize(initializer, arguments)
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
  return namespace.deserialize(saved, customObjects, arguments)
}
