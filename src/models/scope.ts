// The scope in which classes and functions are found by name.

import { requireArguments } from '../core/arguments'
import { ArgumentError, quoted } from '../core/errors'
import { withFile } from '../core/file-scope'
import { customObjectScope as openScope, type CustomObjects } from '../core/registry'
import { graphFromConfig } from './read-graph'

/**
 * Runs `body` while names in `objects` refer to the user's classes and functions. Scopes may be nested. The scope ends
 * when `body` returns, even if it returns a promise.
 *
 * Keras: `keras.utils.custom_object_scope`.
 */
export function customObjectScope<Result>(objects: CustomObjects, body: () => Result): Result {
  requireArguments('customObjectScope', arguments, 2)
  if (typeof body !== 'function')
    throw new ArgumentError(`customObjectScope needs the objects and a function, received ${quoted(body)}`)
  return withFile({ readGraph: graphFromConfig }, () => openScope(objects, body))
}
