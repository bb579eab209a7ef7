// `get` and `deserialize` of the namespace `activations`: the functions of names.

import { getActivation, type ActivationFunction, type ActivationIdentifier } from './'
import { requireArguments } from '../../core/arguments'
import { ArgumentError, quoted } from '../../core/errors'
import { inOwnSpelling, isFunctionConfig, type SavedObject } from '../../core/identified'
import { customObjectScope, type CustomObjects } from '../../core/registry'

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
  return getActivation(identifier)
}

/**
 * The function of a saved name or object, see `get`. Keras: `keras.activations.deserialize`.
 * @param customObjects functions of the user by name
 */
export function deserialize(config: string | SavedObject, customObjects?: CustomObjects | null): ActivationFunction {
  requireArguments('activations.deserialize', arguments, 2)
  return customObjectScope(customObjects ?? {}, () => get(config))
}
