// `get` and `deserialize` of the namespace `activations`: the functions of names, in the form that also takes symbols.

import type { ActivationFunction, ActivationIdentifier } from '../activations'
import { activationName, getActivation } from '../activations'
import * as functions from '../activations/functions'
import { requireArguments } from '../core/arguments'
import type { CustomObjects } from '../core/registry'
import { customObject, customObjectScope } from '../core/registry'
import type { Op } from './core/operation'
import { recorded } from './core/operation'

/** The functions of known names, so that one name gives one function. */
const publicForms = /* @__PURE__ */ new Map<string, ActivationFunction>()

/**
 * The function of a name; a function is returned, and null is linear. Keras: `keras.activations.get`.
 * @throws ArgumentError that suggests the nearest known name
 */
export function get(identifier: ActivationIdentifier | null): ActivationFunction {
  requireArguments('activations.get', arguments, 1)
  const found = getActivation(identifier)
  // A user's function calls public ops, which take symbols.
  if (typeof identifier !== 'string' || typeof customObject(identifier) === 'function') return found
  const name = activationName(found)
  let form = publicForms.get(name)
  if (form === undefined) {
    form = recorded(`activations.${name}`, Reflect.get(functions, name) as Op) as ActivationFunction
    publicForms.set(name, form)
  }
  return form
}

/**
 * The function of a saved name. Keras: `keras.activations.deserialize`.
 * @param customObjects functions of the user by name
 */
export function deserialize(config: string, customObjects?: CustomObjects | null): ActivationFunction {
  requireArguments('activations.deserialize', arguments, 2)
  return customObjectScope(customObjects ?? {}, () => get(config))
}
