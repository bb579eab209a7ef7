// The namespace `constraints`: everything of this folder that users need, and Keras's get, serialize and deserialize.

import { requireArguments } from '../core/arguments'
import { deserializeObject, getObject, serializeObject, type SavedObject } from '../core/identified'
import type { CustomObjects, Serialized } from '../core/registry'
import { typed } from '../core/tree'
import type { Constraint, ConstraintFunction, ConstraintIdentifier } from '../parts/constraints'
import { constraints as all } from '../parts/constraints/registry'

export * from '../parts/constraints'

/**
 * The constraint of an identifier: a name in any spelling, a configuration, a class, an instance, a function; null for
 * null.
 *
 * Keras: `keras.constraints.get`.
 * @throws ArgumentError for an unknown name, with the nearest known one
 */
export function get(
  identifier: ConstraintIdentifier | SavedObject | (new () => Constraint) | null,
): Constraint | ConstraintFunction | null {
  requireArguments('constraints.get', arguments, 1)
  return typed(getObject(all, identifier))
}

/** The configuration of a constraint, or the name of a function. Keras: `keras.constraints.serialize`. */
export function serialize(constraint: Constraint | ConstraintFunction): Serialized | string {
  requireArguments('constraints.serialize', arguments, 1)
  return serializeObject(constraint)
}

/**
 * The constraint of a configuration or a name.
 *
 * Keras: `keras.constraints.deserialize`.
 * @param customObjects your own classes and functions, by name
 * @throws ArgumentError for an unknown name, with the nearest known one
 */
export function deserialize(
  saved: SavedObject | string,
  customObjects: CustomObjects = {},
): Constraint | ConstraintFunction {
  requireArguments('constraints.deserialize', arguments, 2)
  return typed(deserializeObject(all, saved, customObjects))
}
