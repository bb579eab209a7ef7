// Registries of objects that users choose by a name, an instance or a saved configuration: initializers, regularizers,
// losses, metrics, optimizers, schedules, layers. Names are accepted in every spelling: 'binary_crossentropy',
// 'binaryCrossentropy', 'BinaryCrossentropy'.

import { requireArguments } from './arguments'
import { ArgumentError, camelKey, knownName, quoted, unknownName } from './errors'
import { scoped } from './scope'

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

/** The `static className` of a class, or else its name, which a bundler may have changed. */
export function nameOfClass(of: Function): string {
  return Object.hasOwn(of, 'className') && 'className' in of && typeof of.className === 'string'
    ? of.className
    : of.name
}

/** The text of a received value for errors. If it is a class, with the hint to pass an instance. */
export function receivedText(value: unknown): string {
  if (!isClass(value)) return quoted(value)
  const name = nameOfClass(value)
  return `the class ${name}. Pass an instance: new ${name}()`
}

export function serialize(object: Configurable): { className: string; config: Config } {
  return { className: classNameToSave(object), config: object.getConfig() }
}

/** All registries of this program. */
const registries: Registry<Configurable>[] = []

/** The registry of a kind, such as 'initializer', for code that cannot import it; undefined if none is loaded. */
export function registryOf(kind: string): Registry<Configurable> | undefined {
  return registries.find((each) => each.kind === kind)
}

/**
 * The name under which the class of an object is saved.
 * @throws ArgumentError, for a file, if a user's class has the name of a class of the library: the file would mean the library's
 */
export function classNameToSave(object: object): string {
  const name = classNameOf(object)
  if (met.current?.inFile === true && registries.some((each) => each.hasOther(name, object)))
    throw nameIsTaken(`class '${name}'`, `static className = 'My${name}'`)
  return name
}

function nameIsTaken(what: string, remedy: string): ArgumentError {
  return new ArgumentError(`The ${what} cannot be saved: another one has this name. Give it another name: ${remedy}`)
}

export function isSerialized(value: unknown): value is Serialized {
  if (typeof value !== 'object' || value === null || !('className' in value) || !('config' in value)) return false
  const { className, config } = value
  return typeof className === 'string' && typeof config === 'object' && config !== null && !Array.isArray(config)
}

/** A saved object of Keras, `{ class_name, config }`, in the form of this library; other values unchanged. */
export function inKerasForm(value: unknown): unknown {
  const saved: { readonly class_name?: unknown } = Object(value)
  return saved.class_name === undefined ? value : { config: {}, ...saved, className: saved.class_name }
}

/** Whether a value is a saved object, also in Keras's form. */
export const isSavedObject = (value: unknown): boolean => isSerialized(inKerasForm(value))

/** The objects that are registered for the whole program. */
export const registeredObjects: Record<string, unknown> = {}
const customObjects = /* @__PURE__ */ scoped<CustomObjects>(registeredObjects)

/**
 * Runs `body` while names in `objects` refer to the user's classes and functions. Calls may be nested. The names are valid
 * until `body` returns, even if it returns a promise.
 *
 * Keras: `keras.utils.custom_object_scope`.
 */
export function customObjectScope<Result>(objects: CustomObjects, body: () => Result): Result {
  return customObjects.within({ ...customObjects.current, ...objects }, body)
}

/** Runs `body` while names in `objects` refer to these classes, unless an outer scope defines the names. */
export function defaultObjectScope<Result>(objects: CustomObjects, body: () => Result): Result {
  return customObjects.within({ ...objects, ...customObjects.current }, body)
}

/** The custom object of a name; undefined if there is none. */
export function customObject(name: string): unknown {
  const objects = customObjects.current
  // Not `objects[name]`: every object has 'constructor' and similar members.
  return Object.hasOwn(objects, name) ? objects[name] : undefined
}

/**
 * Whether a value is a class. The `prototype` of a class cannot be replaced; that of a class that a compiler turned into a function has a
 * base or methods.
 */
export function isClass(value: unknown): value is abstract new () => object {
  if (typeof value !== 'function') return false
  const property = Object.getOwnPropertyDescriptor(value, 'prototype')
  const prototype: unknown = property?.value
  // Arrow functions and methods have no prototype. The prototype of a generator function has no constructor.
  if (typeof prototype !== 'object' || prototype === null || !Object.hasOwn(prototype, 'constructor')) return false
  return (
    property?.writable === false ||
    Object.getPrototypeOf(prototype) !== Object.prototype ||
    Reflect.ownKeys(prototype).length > 1
  )
}

/** A function of any parameters. */
export type AnyFunction = (...inputs: never[]) => unknown

/**
 * Whether a value is a function and not a class. Its parameters cannot be checked, so the caller names the type that is expected where the
 * function is used.
 */
export function isPlainFunction<Fn extends AnyFunction>(value: unknown): value is Fn {
  return typeof value === 'function' && !isClass(value)
}

/** A user's function, and its name: that by which the user chose it, otherwise the `name` of the function. */
export interface UserFunction<Fn extends AnyFunction> {
  readonly name: string
  readonly call: Fn
}

/**
 * A function, or the custom object of a name if that is a function; null for everything else, including classes.
 */
export function customFunction<Fn extends AnyFunction>(identifier: unknown): UserFunction<Fn> | null {
  const found = typeof identifier === 'string' ? customObject(identifier) : identifier
  if (!isPlainFunction<Fn>(found)) return null
  return { name: typeof identifier === 'string' ? identifier : found.name, call: found }
}

/** What to do about an unknown name. */
export const PASS_YOUR_OWN = 'Pass your own classes and functions in customObjects, under this name.'

/**
 * A user's function by its name among the custom objects.
 * @param what describes the function in errors: `that chooses weights`
 */
export function functionNamed<Fn extends AnyFunction>(name: string, what: string): Fn {
  const found = customFunction<Fn>(name)
  if (found !== null) return found.call
  throw new ArgumentError(`Unknown function '${name}' ${what}. ${PASS_YOUR_OWN}`)
}

/** An object with a name, such as a user's function. */
interface Named {
  readonly name: string
}

/**
 * Whether a function was written inline at an option, so that JavaScript named it after the option. Such names are
 * ambiguous: functions of two layers would be confused.
 */
const nameless = new WeakMap<object, boolean>()

/**
 * Records the first option that received a user's function. Later calls change nothing: the options of an object
 * that was made from the function do not show how the function got its name.
 * @param where names the option in errors: `Adam: learningRate`
 */
export function noteOption(fn: Named, where: string): void {
  if (!nameless.has(fn)) nameless.set(fn, where.endsWith(` ${fn.name}`))
}

/** While a configuration is read: the user's functions that it has so far, by name, and whether it is read for a file. */
const met = /* @__PURE__ */ scoped<{ readonly known: Map<string, object>; readonly inFile: boolean } | null>(null)

/**
 * Runs `describe`, which reads configurations for use in this process. The user's functions need no names: each gets a unique one, under
 * which `functions` contains it.
 */
export function describing<Result>(describe: () => Result): {
  readonly result: Result
  readonly functions: CustomObjects
} {
  const known = new Map<string, object>()
  return { result: met.within({ known, inFile: false }, describe), functions: Object.fromEntries(known) }
}

/**
 * Runs `describe`, which reads configurations for a file. In a file, functions are represented by their names.
 * @throws ArgumentError for a function that has the name of another one
 */
export function describingForFile<Result>(describe: () => Result): Result {
  return met.current?.inFile === true ? describe() : met.within({ known: new Map(), inFile: true }, describe)
}

/** A name that no other function has in this process: `loss`, `loss#1`, … */
function nameHere(fn: Named, known: Map<string, object>): string {
  let name = fn.name
  for (let i = 1; name === '' || (known.get(name) ?? fn) !== fn; i++) name = `${fn.name}#${i}`
  known.set(name, fn)
  return name
}

/**
 * The name under which a user's function is saved; it may be empty.
 * @param isOther whether another function of the library has the name
 */
export function nameToSave(fn: Named, isOther = (): boolean => false): string {
  const { name } = fn
  const { current } = met
  if (current === null) return name
  if (!current.inFile) return nameHere(fn, current.known)
  if ((current.known.get(name) ?? fn) !== fn || isOther())
    throw nameIsTaken(`function '${name}'`, 'const mine = (…) => …')
  current.known.set(name, fn)
  return name
}

/**
 * The name under which a user's function is saved.
 * @throws ArgumentError if it has no name, or only that of an option
 */
export function savedName(fn: Named, what: string): string {
  if (met.current?.inFile === false || (fn.name !== '' && nameless.get(fn) !== true)) return nameToSave(fn)
  const why = fn.name === '' ? '' : `: '${fn.name}' is only the name of the option at which it was written`
  throw new ArgumentError(`A function without a name ${what} cannot be saved${why}. Give it one: const mine = (…) => …`)
}

/** The name of a user's function: `savedName` for a file, otherwise `nameToSave`, which may be empty. */
export function nameInFile(fn: Named, what: string): string {
  return met.current?.inFile === true ? savedName(fn, what) : nameToSave(fn)
}

type AnyClass<Kind> = new (config: never) => Kind

/**
 * Creates an object of a class from its configuration: with `static fromConfig` if it has one, otherwise with its
 * constructor.
 */
export function construct(of: unknown, config: object): unknown {
  if (typeof of !== 'function') return undefined
  if ('fromConfig' in of && typeof of.fromConfig === 'function') return of.fromConfig(config)
  return Reflect.construct(of, [config])
}

/** The names that begin with several capitals, as `camelCase` gives them. */
interface Abbreviations {
  AUC: 'auc'
  FBetaScore: 'fbetaScore'
  KLDivergence: 'klDivergence'
  RMSprop: 'rmsprop'
  SGD: 'sgd'
}
/** `MeanSquaredError` → `meanSquaredError`, as `camelCase` gives it. */
type CamelCase<Name extends string> = Name extends keyof Abbreviations ? Abbreviations[Name] : Uncapitalize<Name>

/** The classes in the type of a module. */
export type ClassesIn<Module> = {
  [Name in keyof Module & string]: Module[Name] extends AnyClass<Configurable> ? Name : never
}[keyof Module & string]

/**
 * The names, in camelCase, of the classes of a module that need no options: users can choose these by name. The type is computed from the
 * names alone. Checking the constructors would be most of the compiler's work for a program with `compile`; tests/core/names.test.ts compares
 * the names with the constructors.
 * @typeParam Unnamed the exports that need options, or are no classes
 */
export type NamesOf<Module, Unnamed extends keyof Module = never> = CamelCase<Exclude<keyof Module & string, Unnamed>>

type Base<Kind> = abstract new (...inputs: never) => Kind

/** The classes of a module that can be saved, by their `className`. Classes without a `static className` are omitted. */
export function classesIn(module: object): Readonly<Record<string, AnyClass<unknown>>>
export function classesIn<Kind>(module: object, base: Base<Kind>): Readonly<Record<string, AnyClass<Kind>>>
export function classesIn(module: object, base: Base<unknown> = Object): Readonly<Record<string, unknown>> {
  const classes = Object.values(module).filter(
    (value: unknown): value is Function =>
      typeof value === 'function' && Object.hasOwn(value, 'className') && value.prototype instanceof base,
  )
  return Object.fromEntries(classes.map((each) => [nameOfClass(each), each]))
}

/** Further ways to specify an object of a registry, besides the names of its classes. */
interface MoreNames<Kind> {
  /** Further names, such as { mse: 'MeanSquaredError' }. Default none. */
  readonly aliases?: Readonly<Record<string, string>>
  /**
   * The names of classes, as keys, that users cannot choose by name but only pass as objects, so that a bundle contains them only if they are
   * used. Files refer to them by name. Default none.
   */
  readonly unnamed?: Readonly<Record<string, unknown>>
  /** Creates an object from a user's function. Default: functions are not accepted. */
  ofFunction?(userFunction: UserFunction<AnyFunction>): Kind
}

/** The classes of one kind of object, which users choose by name. */
export class Registry<Kind extends Configurable> {
  private classes: Readonly<Record<string, AnyClass<Kind>>> | null = null

  /**
   * @param kind the kind's name in errors, such as 'loss'
   * @param module the module with the classes, read at the first use; other exports are ignored
   */
  constructor(
    readonly kind: string,
    private readonly base: Base<Kind>,
    private readonly module: () => object,
    private readonly more: MoreNames<Kind> = {},
  ) {
    registries.push(this)
  }

  /** All classes, by the names under which they are saved. */
  get all(): Readonly<Record<string, AnyClass<Kind>>> {
    return (this.classes ??= classesIn(this.module(), this.base))
  }

  /** All names, for messages. */
  get names(): readonly string[] {
    return [...Object.keys(this.all).map(camelCase), ...Object.keys(this.more.aliases ?? {})]
  }

  /** The class of a name in any spelling. */
  classOf(name: string): AnyClass<Kind> | undefined {
    const { aliases = {} } = this.more
    const known = knownName(name, Object.keys({ ...this.all, ...aliases }))
    return known === undefined ? undefined : this.all[aliases[known] ?? known]
  }

  /** Whether the class of an object of this kind is not the class that the name means in a file. */
  hasOther(name: string, object: object): boolean {
    return object instanceof this.base && (this.classOf(name) ?? object.constructor) !== object.constructor
  }

  /** The error for an unknown name, with the nearest known one. @param more further valid names */
  unknown(name: string, more: readonly string[] = []): ArgumentError {
    const className = knownName(name, Object.keys(this.more.unnamed ?? {}))
    if (className === undefined) return unknownName(this.kind, name, [...this.names, ...more])
    return new ArgumentError(
      `The ${this.kind} '${name}' must be passed as an object, such as new ${this.kind}${this.kind.endsWith('s') ? 'es' : 's'}.${className}(…), not by name.`,
    )
  }

  /** Whether a class of this registry or a custom object has the name. */
  knows(name: string): boolean {
    return this.classOf(name) !== undefined || customObject(name) !== undefined
  }

  /**
   * An instance: returned unchanged, or created from a name, from a saved configuration or, if the registry accepts
   * one, from a function.
   * @param where names the option in errors
   * @throws ArgumentError with the nearest known name
   */
  get(identifier: unknown, where = ''): Kind {
    if (identifier instanceof this.base) return identifier
    const { more } = this
    const userFunction = customFunction(identifier)
    if (more.ofFunction !== undefined && userFunction !== null) {
      noteOption(userFunction.call, where)
      return more.ofFunction(userFunction)
    }
    if (typeof identifier === 'string') return this.make(identifier, {})
    const saved = inKerasForm(identifier)
    if (isSerialized(saved)) return this.make(saved.className, saved.config)
    const shortest = this.names.reduce((a, b) => (b.length < a.length ? b : a))
    const possible = `a name such as '${shortest}'${more.ofFunction === undefined ? '' : ', a function'} or an instance of ${article(this.kind)}`
    throw new ArgumentError(
      `${where === '' ? `The argument for ${article(this.kind)}` : where} must be ${possible}, received ${receivedText(identifier)}`,
    )
  }

  private make(name: string, config: Config): Kind {
    const known = this.classOf(name)
    const found = customObject(name)
    // The custom object may be of another kind: a layer and an initializer have the name Identity.
    const isOther = known !== undefined && typeof found === 'function' && !(found.prototype instanceof this.base)
    const custom = isOther ? undefined : found
    if (custom === undefined && known === undefined) throw this.unknown(name)
    const made = construct(custom ?? known, config)
    if (made instanceof this.base) return made
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
