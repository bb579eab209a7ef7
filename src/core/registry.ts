// Things that users name by a string, an instance or a saved configuration: initializers, regularizers,
// losses, metrics, optimizers, schedules, layers. One Registry per kind; names are accepted in every
// spelling: 'binary_crossentropy', 'binaryCrossentropy', 'BinaryCrossentropy'.

import { ArgumentError, camelKey, normalizeName, unknownName } from './errors'

/** What JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
export type Config = { readonly [key: string]: Json }

/** A saved object: its class and what to construct it with. */
export interface Serialized {
  readonly className: string
  readonly config: Config
}

/** An object that can be saved and made again. */
export interface Configurable {
  /** What the constructor takes to make an equal one. */
  getConfig(): Config
}

/** Classes of the user's own, by name, for loading what they were saved in. */
export type CustomObjects = Readonly<Record<string, unknown>>

/** How instances of a class are made from a configuration. */
export type Factory<Kind> = (config: Config, custom: CustomObjects) => Kind

/** The name that a class is saved under: `static className`, or the class's own name. */
export function classNameOf(object: object): string {
  const { constructor } = object
  if ('className' in constructor && typeof constructor.className === 'string') return constructor.className
  return constructor.name
}

export function serialize(object: Configurable): { className: string; config: Config } {
  return { className: classNameOf(object), config: object.getConfig() }
}

export function isSerialized(value: unknown): value is Serialized {
  return typeof value === 'object' && value !== null && 'className' in value && 'config' in value
}

export class Registry<Kind extends Configurable> {
  private readonly factories = new Map<string, Factory<Kind>>()
  private readonly names: string[] = []

  /** @param kind names it in errors, such as 'loss' */
  constructor(
    private readonly kind: string,
    private readonly isKind: (value: unknown) => value is Kind,
  ) {}

  /** @param aliases further names, such as 'mse' */
  add(className: string, factory: Factory<Kind>, ...aliases: string[]): this {
    this.names.push(camelCase(className), ...aliases)
    for (const name of [className, ...aliases]) this.factories.set(normalizeName(name), factory)
    return this
  }

  /** Every name, for messages. */
  get known(): readonly string[] {
    return this.names
  }

  knows(name: string): boolean {
    return this.factories.has(normalizeName(name))
  }

  /**
   * An instance: itself, or made from a name or from a saved configuration.
   * @throws ArgumentError with the nearest known name
   */
  get(identifier: string | Serialized | Kind, custom: CustomObjects = {}): Kind {
    if (this.isKind(identifier)) return identifier
    if (typeof identifier === 'string') return this.make(identifier, {}, custom)
    if (isSerialized(identifier)) return this.make(identifier.className, identifier.config, custom)
    throw new ArgumentError(`A name or an instance of ${article(this.kind)} is needed, received ${typeof identifier}`)
  }

  private make(name: string, config: Config, custom: CustomObjects): Kind {
    const own = custom[name]
    if (typeof own === 'function') {
      const made: unknown = Reflect.construct(own, [config])
      if (this.isKind(made)) return made
      throw new ArgumentError(`customObjects.${name} is not a ${this.kind}`)
    }
    const factory = this.factories.get(normalizeName(name))
    if (factory === undefined) throw unknownName(this.kind, name, this.names)
    return factory(config, custom)
  }
}

function article(noun: string): string {
  return `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`
}

const usedNames = new Map<string, number>()

/** `dense`, `dense_1`, … : a name for an object that its user did not name. */
export function uniqueName(className: string): string {
  const base = snakeCase(className)
  const count = usedNames.get(base) ?? 0
  usedNames.set(base, count + 1)
  return count === 0 ? base : `${base}_${count}`
}

/** Starts the automatic names anew, so that the next Dense is `dense` again. */
export function clearSession(): void {
  usedNames.clear()
}

function snakeCase(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase()
}

/** `MeanSquaredError`, `mean_squared_error` → `meanSquaredError` */
export function camelCase(name: string): string {
  const joined = camelKey(name)
  // An abbreviation is one word: AUC → auc, RMSprop → rmsprop.
  const capitals = /^[A-Z]{2,}/.exec(joined)?.[0].length ?? 1
  return joined.slice(0, capitals).toLowerCase() + joined.slice(capitals)
}
