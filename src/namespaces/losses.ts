// The namespace `losses`: all losses, and Keras's get, serialize and deserialize.

import { ObjectNamespace, type SavedObject } from '../core/identified'
import { Registry, type CustomObjects, type Serialized } from '../core/registry'
import * as module from '../losses'
import { Loss } from '../losses/loss'
import { SHORT_NAMES, type LossFunction, type LossIdentifier } from '../losses/names'

export * from '../losses'

const registry = /* @__PURE__ */ new Registry('loss', Loss, () => module, { aliases: SHORT_NAMES })

const namespace = /* @__PURE__ */ new ObjectNamespace<Loss, LossFunction>('losses', registry, {
  functions: { module, aliases: SHORT_NAMES },
})

/**
 * The loss of an identifier: a name in any spelling, a configuration, a class, an instance, a function; null for
 * null. A name that begins with a small letter means a function: `losses.get('mse')` is `meanSquaredError`, and
 * `losses.get('MeanSquaredError')` an instance.
 *
 * Keras: `keras.losses.get`.
 * @throws ArgumentError for an unknown name, with the nearest known one
 */
export function get(identifier: LossIdentifier | SavedObject | (new () => Loss) | null): Loss | LossFunction | null {
  return namespace.get(identifier, arguments)
}

/** The configuration of a loss, or the name of a function. Keras: `keras.losses.serialize`. */
export function serialize(loss: Loss | LossFunction): Serialized | string {
  return namespace.serialize(loss, arguments)
}

/**
 * The loss of a configuration or a name.
 *
 * Keras: `keras.losses.deserialize`.
 * @param customObjects your own classes and functions, by name
 * @throws ArgumentError for an unknown name, with the nearest known one
 */
export function deserialize(saved: SavedObject | string, customObjects: CustomObjects = {}): Loss | LossFunction {
  return namespace.deserialize(saved, customObjects, arguments)
}
