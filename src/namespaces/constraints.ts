// The namespace `constraints`: all constraints, and Keras's get, serialize and deserialize.

import { ObjectNamespace, type SavedObject } from '../core/identified'
import type { CustomObjects, Serialized } from '../core/registry'
import type { Constraint, ConstraintFunction, ConstraintIdentifier } from '../parts/constraints'
import { constraints } from '../parts/constraints/registry'

export * from '../parts/constraints'

const namespace = /* @__PURE__ */ new ObjectNamespace<Constraint, ConstraintFunction>('constraints', constraints)

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
  return namespace.get(identifier, arguments)
}

/** The configuration of a constraint, or the name of a function. Keras: `keras.constraints.serialize`. */
export function serialize(constraint: Constraint | ConstraintFunction): Serialized | string {
  return namespace.serialize(constraint, arguments)
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
  return namespace.deserialize(saved, customObjects, arguments)
}
