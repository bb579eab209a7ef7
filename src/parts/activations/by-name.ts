// `get` and `deserialize` of the namespace `activations`. They find functions by their names.

import { getActivation, notAnActivation, type ActivationFunction, type ActivationIdentifier } from './'
import { requireArguments } from '../../core/arguments'
import { ArgumentError, quoted } from '../../core/errors'
import { inOwnSpelling, isFunctionConfig, type SavedObject } from '../../core/identified'
import { customObjectScope, type CustomObjects } from '../../core/registry'

/** A saved activation as its name; other values unchanged. @throws ArgumentError for a saved layer */
function nameOf(identifier: ActivationIdentifier | SavedObject | null): ActivationIdentifier | null {
  if (typeof identifier !== 'object' || identifier === null) return identifier
  const saved = inOwnSpelling(identifier)
  if (isFunctionConfig(saved)) return saved.config
  const { className, config }: { readonly className?: unknown; readonly config?: unknown } = Object(saved)
  if (typeof className !== 'string') throw notAnActivation(identifier)
  if (Object.keys(config ?? {}).length === 0) return className
  throw new ArgumentError(
    `activations: an activation has no options, received ${quoted(identifier)}. Layers such as ReLU have options: use layers.deserialize`,
  )
}

/**
 * The function of a name, or of the name within a saved object: { className: 'function', config: 'relu' }, as Keras saves
 * functions, or { className: 'relu' }. A function is returned, and null is linear. Keras: `keras.activations.get`.
 * @throws ArgumentError that suggests the nearest known name
 */
export function get(identifier: ActivationIdentifier | SavedObject | null): ActivationFunction {
  requireArguments('activations.get', arguments, 1)
  return getActivation(nameOf(identifier))
}

/**
 * The function of a saved name or object, see `get`. Keras: `keras.activations.deserialize`.
 * @param customObjects functions of the user by name
 */
export function deserialize(config: string | SavedObject, customObjects?: CustomObjects | null): ActivationFunction {
  requireArguments('activations.deserialize', arguments, 2)
  return customObjectScope(customObjects ?? {}, () => get(config))
}
