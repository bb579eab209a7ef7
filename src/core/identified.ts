// Keras's get, serialize and deserialize of a namespace: losses.get('mse'), layers.serialize(layer). Each namespace has
// its own functions, which pass their registry.

import { ArgumentError, camelKey, knownName, quoted } from './errors'
import {
  camelCase,
  customFunction,
  customObjectScope,
  functionNamed,
  isSerialized,
  serialize,
  type Configurable,
  type CustomObjects,
  type Registry,
  type Serialized,
} from './registry'

/** A saved object in Keras's spelling, as JSON of Python contains it. */
interface SerializedByKeras {
  readonly class_name: string
  readonly [key: string]: unknown
}

/** A saved object, in this library's spelling or in Keras's. */
export type SavedObject = Serialized | SerializedByKeras

/** A saved object in this library's spelling; other values unchanged. */
export function inOwnSpelling(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('class_name' in value) || 'className' in value) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]: [string, unknown]) => [camelKey(key), each]))
}

/** The functions of a namespace, by name, for names in lower case such as 'meanSquaredError' and 'mse'. */
export interface NamedFunctions {
  readonly module: object
  readonly aliases: Readonly<Record<string, string>>
}

function functionIn({ module, aliases }: NamedFunctions, name: string): unknown {
  const functions = new Map<string, unknown>(Object.entries(module))
  const isFunctionName = (each: string): boolean => /^[a-z]/.test(each) && typeof functions.get(each) === 'function'
  const alias = knownName(name, Object.keys(aliases))
  const known = knownName(
    alias === undefined ? name : camelCase(aliases[alias]!),
    [...functions.keys()].filter(isFunctionName),
  )
  return known === undefined ? undefined : functions.get(known)
}

/**
 * The object of an identifier: null for null; instances and functions unchanged; a class is constructed; a name or a
 * saved configuration is looked up, first among the custom objects in scope.
 * @param functions the functions that names in lower case mean, if the namespace has some
 * @throws ArgumentError for unknown names, with the nearest known one
 */
export function getObject<Kind extends Configurable>(
  registry: Registry<Kind>,
  identifier: unknown,
  functions?: NamedFunctions,
): Kind | ((...inputs: never[]) => unknown) | null {
  if (identifier === null || identifier === undefined) return null
  const own = customFunction(identifier)
  if (own !== null) return own.call
  const fn = typeof identifier === 'string' && /^[a-z]/.test(identifier) && functions !== undefined
  const found = fn ? functionIn(functions, identifier) : undefined
  if (typeof found === 'function') return found as (...inputs: never[]) => unknown
  if (typeof identifier === 'function') return registry.get(Reflect.construct(identifier, []))
  return registry.get(inOwnSpelling(identifier))
}

/**
 * The configuration of an object, or the name of a function.
 * @throws ArgumentError for other values, and for functions without a name
 */
export function serializeObject(object: unknown): Serialized | string {
  if (typeof object === 'function' && object.name !== '' && !('getConfig' in object)) return object.name
  if (typeof object === 'object' && object !== null && 'getConfig' in object && typeof object.getConfig === 'function')
    return serialize(object as Configurable)
  throw new ArgumentError(
    `serialize needs an object with getConfig, or a function with a name, received ${quoted(object)}`,
  )
}

/**
 * The object of a configuration that `serialize` returned, or of a name.
 * @param customObjects the user's classes and functions by name
 */
export function deserializeObject<Kind extends Configurable>(
  registry: Registry<Kind>,
  saved: unknown,
  customObjects: CustomObjects,
  functions?: NamedFunctions,
): Kind | ((...inputs: never[]) => unknown) {
  const own = inOwnSpelling(saved)
  return customObjectScope(customObjects, () => {
    if (isFunctionConfig(own)) {
      const { config: name } = own
      const found = functions === undefined || customFunction(name) !== null ? undefined : functionIn(functions, name)
      return typeof found === 'function'
        ? (found as (...inputs: never[]) => unknown)
        : functionNamed(name, 'in a saved object')
    }
    if (typeof own === 'string' || isSerialized(own)) return getObject(registry, own, functions)!
    throw new ArgumentError(`deserialize needs { className, config } or a name, received ${quoted(saved)}`)
  })
}

/** Whether a value is a function as `serializeKerasObject` writes it. */
export function isFunctionConfig(value: unknown): value is { readonly className: 'function'; readonly config: string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'className' in value &&
    value.className === 'function' &&
    'config' in value &&
    typeof value.config === 'string'
  )
}
