// `get` and `deserialize` of the namespace `activations`: the functions of names, in the form that also takes symbols.

import type { ActivationFunction, ActivationIdentifier } from '../activations'
import { activationName, getActivation } from '../activations'
import * as functions from '../activations/functions'
import { requireArguments } from '../core/arguments'
import { ArgumentError, quoted } from '../core/errors'
import type { SavedObject } from '../core/identified'
import { inOwnSpelling, isFunctionConfig } from '../core/identified'
import type { CustomObjects } from '../core/registry'
import { customObject, customObjectScope } from '../core/registry'
import type { Op } from './core/operation'
import { recorded } from './core/operation'

/** The functions of known names, so that one name gives one function. */
const publicForms = /* @__PURE__ */ new Map<string, ActivationFunction>()

/** A saved activation as its name; other values unchanged. @throws ArgumentError for a saved layer */
function nameOf(saved: unknown): unknown {
  const own = inOwnSpelling(saved)
  if (isFunctionConfig(own)) return own.config
  if (typeof own !== 'object' || own === null || !('className' in own)) return own
  const { className, config } = own as { readonly className: unknown; readonly config?: unknown }
  if (Object.keys(config ?? {}).length === 0) return className
  throw new ArgumentError(
    `activations: an activation has no options, received ${quoted(saved)}. layers.deserialize makes layers, such as ReLU, which have some.`,
  )
}

/**
 * The function of a name, or of the name within a saved object: { className: 'function', config: 'relu' }, as Keras saves
 * functions, or { className: 'relu' }. A function is returned, and null is linear. Keras: `keras.activations.get`.
 * @throws ArgumentError that suggests the nearest known name
 */
export function get(given: ActivationIdentifier | SavedObject | null): ActivationFunction {
  requireArguments('activations.get', arguments, 1)
  const identifier = nameOf(given) as ActivationIdentifier | null
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
 * The function of a saved name or object, see `get`. Keras: `keras.activations.deserialize`.
 * @param customObjects functions of the user by name
 */
export function deserialize(config: string | SavedObject, customObjects?: CustomObjects | null): ActivationFunction {
  requireArguments('activations.deserialize', arguments, 2)
  return customObjectScope(customObjects ?? {}, () => get(config))
}
