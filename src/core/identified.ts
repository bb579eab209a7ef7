// Keras's get, serialize and deserialize of a namespace: losses.get('mse'), layers.serialize(layer). A namespace exports three
// functions with its types and documentation, which call the methods of its `ObjectNamespace`.

import { requireArguments } from './arguments'
import { ArgumentError, camelKey, knownName, quoted } from './errors'
import {
  camelCase,
  customFunction,
  customObjectScope,
  functionNamed,
  isPlainFunction,
  isSerialized,
  serialize,
  type AnyFunction,
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
interface NamedFunctions {
  readonly module: object
  readonly aliases: Readonly<Record<string, string>>
}

/** The function of a name in any spelling; undefined if there is none. */
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

/** What a namespace has besides its registry. */
interface NamespaceParts {
  /** The functions that names in lower case mean. Default none. */
  readonly functions?: NamedFunctions
  /** Classes of other kinds that configurations of the namespace contain, by name. Default none. */
  readonly classes?: () => CustomObjects
}

/**
 * The objects of one namespace. `Fn` is the type of the functions that users may pass in place of an object; never if there are none.
 *
 * Each method receives the arguments of the exported function, so that surplus ones are an error.
 */
export class ObjectNamespace<Kind extends Configurable, Fn extends AnyFunction = never> {
  /** @param name the name of the namespace in errors: `losses` */
  constructor(
    private readonly name: string,
    private readonly registry: Registry<Kind>,
    private readonly parts: NamespaceParts = {},
  ) {}

  /**
   * The object of an identifier: null for null; instances and functions unchanged; a class is constructed; a name or a
   * saved configuration is looked up, first among the custom objects in scope.
   * @throws ArgumentError for unknown names, with the nearest known one
   */
  get(identifier: unknown, received: ArrayLike<unknown>): Kind | Fn | null {
    requireArguments(`${this.name}.get`, received, 1)
    return identifier === null || identifier === undefined ? null : this.find(identifier)
  }

  /**
   * The configuration of an object, or the name of a function.
   * @throws ArgumentError for other values, and for functions without a name
   */
  serialize(object: Configurable, received: ArrayLike<unknown>): Serialized
  serialize(object: Configurable | AnyFunction, received: ArrayLike<unknown>): Serialized | string
  serialize(object: unknown, received: ArrayLike<unknown>): Serialized | string {
    requireArguments(`${this.name}.serialize`, received, 1)
    if (typeof object === 'function' && object.name !== '' && !('getConfig' in object)) return object.name
    if (isConfigurable(object)) return serialize(object)
    throw new ArgumentError(
      `serialize needs an object with getConfig, or a function with a name, received ${quoted(object)}`,
    )
  }

  /**
   * The object of a configuration that `serialize` returned, or of a name.
   * @param customObjects the user's classes and functions by name
   */
  deserialize(saved: unknown, customObjects: CustomObjects, received: ArrayLike<unknown>): Kind | Fn {
    requireArguments(`${this.name}.deserialize`, received, 2)
    const identifier = inOwnSpelling(saved)
    return customObjectScope({ ...this.parts.classes?.(), ...customObjects }, () => {
      if (isFunctionConfig(identifier)) {
        const { config: name } = identifier
        const found = customFunction(name) === null ? this.functionOf(name) : null
        return found ?? functionNamed<Fn>(name, 'in a saved object')
      }
      if (typeof identifier === 'string' || isSerialized(identifier)) return this.find(identifier)
      throw new ArgumentError(`deserialize needs { className, config } or a name, received ${quoted(saved)}`)
    })
  }

  private find(identifier: unknown): Kind | Fn {
    const custom = customFunction<Fn>(identifier)
    if (custom !== null) return custom.call
    const found = typeof identifier === 'string' && /^[a-z]/.test(identifier) ? this.functionOf(identifier) : null
    if (found !== null) return found
    if (typeof identifier === 'function') return this.registry.get(Reflect.construct(identifier, []))
    return this.registry.get(inOwnSpelling(identifier))
  }

  /** The function of the namespace that a name means; null if there is none. */
  private functionOf(name: string): Fn | null {
    const { functions } = this.parts
    const found = functions === undefined ? undefined : functionIn(functions, name)
    return isPlainFunction<Fn>(found) ? found : null
  }
}

function isConfigurable(value: unknown): value is Configurable {
  return typeof value === 'object' && value !== null && 'getConfig' in value && typeof value.getConfig === 'function'
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
