// Objects that users choose by a name, an instance or a saved configuration: initializers, regularizers, losses,
// metrics, optimizers, schedules, layers. There is one Registry per kind; names are accepted in every spelling:
// 'binary_crossentropy', 'binaryCrossentropy', 'BinaryCrossentropy'.

import { requireArguments } from './arguments'
import { ArgumentError, camelKey, normalizeName, quoted, unknownName } from './errors'

/** Values that JSON can represent. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
export type Config = { readonly [key: string]: Json }

/** A saved object: its class and its configuration. */
export interface Serialized {
  /** The name under which the class is registered. */
  readonly className: string
  /** The options of its constructor, as returned by getConfig. */
  readonly config: Config
}

/** An object that can be saved and recreated. */
export interface Configurable {
  /** The constructor's options for an equal object. */
  getConfig(): Config
}

/** The user's classes and functions by name, for loading models that use them. */
export type CustomObjects = Readonly<Record<string, unknown>>

/** The name under which the class of an object is saved. */
export function classNameOf({ constructor }: object): string {
  return nameOfClass(constructor)
}

/** A class's own `static className`, or its name, which a bundler may have changed. */
function nameOfClass(of: Function): string {
  return Object.hasOwn(of, 'className') && 'className' in of && typeof of.className === 'string'
    ? of.className
    : of.name
}

/** A received value, for errors; for a class in place of an instance, with a hint. */
export function receivedText(value: unknown): string {
  if (!isClass(value)) return quoted(value)
  const name = nameOfClass(value)
  return `the class ${name}. Pass an instance: new ${name}()`
}

export function serialize(object: Configurable): { className: string; config: Config } {
  return { className: classNameOf(object), config: object.getConfig() }
}

export function isSerialized(value: unknown): value is Serialized {
  if (typeof value !== 'object' || value === null || !('className' in value) || !('config' in value)) return false
  const { className, config } = value
  return typeof className === 'string' && typeof config === 'object' && config !== null && !Array.isArray(config)
}

let scope: CustomObjects = {}

/**
 * Runs `body` while names in `objects` refer to the user's classes and functions. Scopes may be nested. The scope ends
 * when `body` returns, even if it returns a promise.
 *
 * Keras: `keras.utils.custom_object_scope`.
 */
export function customObjectScope<Result>(objects: CustomObjects, body: () => Result): Result {
  const outer = scope
  scope = { ...outer, ...objects }
  try {
    return body()
  } finally {
    scope = outer
  }
}

/** The user's object of a name in the open scopes; undefined if there is none. */
export function customObject(name: string): unknown {
  // Not `scope[name]`: every object has 'constructor' and similar members.
  return Object.hasOwn(scope, name) ? scope[name] : undefined
}

/**
 * Whether a value is a class: its prototype cannot be replaced, or, if a compiler turned it into a function, has a base
 * or methods.
 */
function isClass(value: unknown): value is abstract new () => object {
  if (typeof value !== 'function') return false
  const own = Object.getOwnPropertyDescriptor(value, 'prototype')
  // Arrow functions and methods have no prototype. That of a generator function has another base, and no constructor.
  if (own === undefined || !Object.hasOwn(own.value as object, 'constructor')) return false
  return (
    own.writable === false ||
    Object.getPrototypeOf(own.value) !== Object.prototype ||
    Reflect.ownKeys(own.value as object).length > 1
  )
}

/**
 * A plain function, given itself or by its name in the scopes of custom objects; null for everything else, including
 * classes.
 */
export function customFunction<Fn extends (...inputs: never[]) => unknown>(
  identifier: unknown,
): { readonly name: string; readonly call: Fn } | null {
  const own = typeof identifier === 'string' ? customObject(identifier) : identifier
  if (typeof own !== 'function' || isClass(own)) return null
  return { name: typeof identifier === 'string' ? identifier : own.name, call: own as Fn }
}

/**
 * A user's function by its name in the scopes of custom objects. @param what describes the function in errors: `that
 * chooses weights`
 */
export function functionNamed<Fn extends (...inputs: never[]) => unknown>(name: string, what: string): Fn {
  const own = customFunction<Fn>(name)
  if (own !== null) return own.call
  throw new ArgumentError(
    `Unknown function '${name}' ${what}. Pass your own classes and functions in customObjects, under this name.`,
  )
}

/**
 * Whether a function only has the name of the option it was written at. Such names are ambiguous: functions of two
 * layers would be confused.
 */
const nameless = new WeakMap<object, boolean>()

/**
 * Records the option where a user's function was first given. The object made from it there has other options, which
 * say nothing about its name.
 * @param where names the option in errors: `Adam: learningRate`
 */
export function noteOption(own: { readonly name: string }, where: string): void {
  if (!nameless.has(own)) nameless.set(own, where.endsWith(` ${own.name}`))
}

/** The functions that `describing` has met, by the names that stand for them; null outside of it. */
let met: Map<string, object> | null = null

/**
 * Runs `describe`, which reads configurations that stay in this process. The user's functions need no names there: each
 * gets a unique one, under which `functions` contains it.
 */
export function describing<Result>(describe: () => Result): {
  readonly result: Result
  readonly functions: CustomObjects
} {
  const outer = met
  const own = (met = new Map<string, object>())
  try {
    return { result: describe(), functions: Object.fromEntries(own) }
  } finally {
    met = outer
  }
}

function nameHere(own: { readonly name: string }, known: Map<string, object>): string {
  let name = own.name
  for (let i = 1; name === '' || (known.get(name) ?? own) !== own; i++) name = `${own.name}#${i}`
  known.set(name, own)
  return name
}

/** The name under which a user's function is saved; it may be empty. */
export function nameToSave(own: { readonly name: string }): string {
  return met === null ? own.name : nameHere(own, met)
}

/** The name under which a user's function is saved. @throws ArgumentError if it has no name of its own */
export function savedName(own: { readonly name: string }, what: string): string {
  if (met !== null || (own.name !== '' && nameless.get(own) !== true)) return nameToSave(own)
  const why = own.name === '' ? '' : `: '${own.name}' is that of the option it was given as`
  throw new ArgumentError(`A function without a name ${what} cannot be saved${why}. Give it one: const mine = (…) => …`)
}

type AnyClass<Kind> = new (config: never) => Kind

/**
 * Creates an object of a class from its configuration: with `static fromConfig` if it has one, otherwise with its
 * constructor.
 */
export function construct(of: unknown, config: Config): unknown {
  if (typeof of !== 'function') return undefined
  if ('fromConfig' in of && typeof of.fromConfig === 'function') return of.fromConfig(config)
  return Reflect.construct(of, [config])
}

/** The namespaces of classes that are not exported directly. */
const NAMESPACES: Readonly<Record<string, string>> = {
  loss: 'losses.',
  metric: 'metrics.',
  initializer: 'initializers.',
}

/** Further ways to specify an object of a registry, besides the names of its classes. */
interface MoreNames<Kind> {
  /** Further names, such as { mse: 'MeanSquaredError' }. Default none. */
  readonly aliases?: Readonly<Record<string, string>>
  /**
   * Classes that users give only as objects, so that a bundle contains them only if they are used; files name them,
   * too. Default none.
   */
  readonly unnamed?: readonly string[]
  /** Makes an object from a user's function. Default: functions are not accepted. */
  readonly ofFunction?: (own: never) => Kind
}

export class Registry<Kind extends Configurable> {
  private byName: Map<string, AnyClass<Kind>> | null = null
  private names: string[] = []

  /**
   * @param kind the kind's name in errors, such as 'loss'
   * @param classes by the names under which they are saved; called at the first use
   */
  constructor(
    private readonly kind: string,
    private readonly isKind: (value: unknown) => value is Kind,
    private readonly classes: () => Readonly<Record<string, AnyClass<Kind>>>,
    private readonly more: MoreNames<Kind> = {},
  ) {}

  private get table(): ReadonlyMap<string, AnyClass<Kind>> {
    if (this.byName !== null) return this.byName
    const classes = this.classes()
    const { aliases = {} } = this.more
    const table = new Map<string, AnyClass<Kind>>()
    for (const [name, own] of Object.entries(classes)) table.set(normalizeName(name), own)
    for (const [alias, name] of Object.entries(aliases)) table.set(normalizeName(alias), classes[name]!)
    this.names = [...Object.keys(classes).map(camelCase), ...Object.keys(aliases)]
    this.byName = table
    return table
  }

  /** All names, for messages. */
  get known(): readonly string[] {
    return this.table.size === 0 ? [] : this.names
  }

  /** All classes, by the names under which they are saved. */
  get all(): Readonly<Record<string, AnyClass<Kind>>> {
    return this.classes()
  }

  /** The error for an unknown name, with the nearest known one; `more` are names known elsewhere. */
  unknown(name: string, more: readonly string[] = []): ArgumentError {
    const own = this.more.unnamed?.find((each) => normalizeName(each) === normalizeName(name))
    if (own === undefined) return unknownName(this.kind, name, [...this.known, ...more])
    return new ArgumentError(
      `The ${this.kind} '${name}' is given as an object, such as new ${NAMESPACES[this.kind] ?? ''}${own}(…), not by its name.`,
    )
  }

  /** Whether a name is known here or in the scopes of custom objects. */
  knows(name: string): boolean {
    return this.table.has(normalizeName(name)) || customObject(name) !== undefined
  }

  /**
   * An instance: returned unchanged, or created from a name, from a saved configuration or, if the registry accepts
   * one, from a function.
   * @param where names the option in errors
   * @throws ArgumentError with the nearest known name
   */
  get(identifier: unknown, where = ''): Kind {
    if (this.isKind(identifier)) return identifier
    const { ofFunction } = this.more
    const own = ofFunction === undefined ? null : customFunction(identifier)
    if (own !== null) {
      noteOption(own.call, where)
      return ofFunction!(own.call as never)
    }
    if (typeof identifier === 'string') return this.make(identifier, {})
    if (isSerialized(identifier)) return this.make(identifier.className, identifier.config)
    const possible = `a name such as '${this.known[0]}'${ofFunction === undefined ? '' : ', a function'} or an instance of ${article(this.kind)}`
    throw new ArgumentError(
      `${where === '' ? `What is given for ${article(this.kind)}` : where} must be ${possible}, received ${receivedText(identifier)}`,
    )
  }

  private make(name: string, config: Config): Kind {
    const known = this.table.get(normalizeName(name))
    const found = customObject(name)
    // A layer and an initializer may have the same name: Identity.
    const isOther = known !== undefined && typeof found === 'function' && !this.isKind(found.prototype)
    const own = isOther ? undefined : found
    if (own === undefined && known === undefined) throw this.unknown(name)
    const made = construct(own ?? known, config)
    if (this.isKind(made)) return made
    throw new ArgumentError(`customObjects.${name} is not ${article(this.kind)}`)
  }
}

function article(noun: string): string {
  return `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`
}

const usedNames = new Map<string, number>()

/** `dense`, `dense_1`, … : a name for an object without one. */
export function uniqueName(className: string): string {
  const base = snakeCase(className)
  const count = usedNames.get(base) ?? 0
  usedNames.set(base, count + 1)
  return count === 0 ? base : `${base}_${count}`
}

/** Restarts the automatic names, so that the next Dense is `dense` again. */
export function clearSession(): void {
  requireArguments('clearSession', arguments, 0)
  usedNames.clear()
}

/**
 * `LayerNormalization` → `layer_normalization`, `LSTM` → `lstm`, `Conv2DTranspose` → `conv2d_transpose`: Keras's rule.
 */
export function snakeCase(name: string): string {
  return name
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
}

/** `MeanSquaredError`, `mean_squared_error` → `meanSquaredError` */
export function camelCase(name: string): string {
  const joined = camelKey(name)
  // An abbreviation is one word: AUC → auc, RMSprop → rmsprop, KLDivergence → klDivergence.
  const capitals = /^(?:KL|[A-Z]{2,})/.exec(joined)?.[0].length ?? 1
  return joined.slice(0, capitals).toLowerCase() + joined.slice(capitals)
}
