// The namespace `losses`: everything of this folder that users need, and Keras's get, serialize and deserialize.

import { requireArguments } from '../core/arguments'
import { deserializeObject, getObject, serializeObject, type SavedObject } from '../core/identified'
import { Registry, type CustomObjects, type Serialized } from '../core/registry'
import { typed } from '../core/tree'
import * as module from '../losses'
import { Loss } from '../losses/loss'
import { SHORT_NAMES, type LossFunction, type LossIdentifier } from '../losses/names'

export * from '../losses'

const all = /* @__PURE__ */ new Registry('loss', Loss, () => module, { aliases: SHORT_NAMES })

/**
 * The loss of an identifier: a name in any spelling, a configuration, a class, an instance, a function; null for
 * null. A name that begins with a small letter means a function: `losses.get('mse')` is `meanSquaredError`, and
 * `losses.get('MeanSquaredError')` an instance.
 *
 * Keras: `keras.losses.get`.
 * @throws ArgumentError for an unknown name, with the nearest known one
 */
export function get(identifier: LossIdentifier | SavedObject | (new () => Loss) | null): Loss | LossFunction | null {
  requireArguments('losses.get', arguments, 1)
  return typed(getObject(all, identifier, { module, aliases: SHORT_NAMES }))
}

/** The configuration of a loss, or the name of a function. Keras: `keras.losses.serialize`. */
export function serialize(loss: Loss | LossFunction): Serialized | string {
  requireArguments('losses.serialize', arguments, 1)
  return serializeObject(loss)
}

/**
 * The loss of a configuration or a name.
 *
 * Keras: `keras.losses.deserialize`.
 * @param customObjects your own classes and functions, by name
 * @throws ArgumentError for an unknown name, with the nearest known one
 */
export function deserialize(saved: SavedObject | string, customObjects: CustomObjects = {}): Loss | LossFunction {
  requireArguments('losses.deserialize', arguments, 2)
  return typed(deserializeObject(all, saved, customObjects, { module, aliases: SHORT_NAMES }))
}
