// Options are declared once, in a table of names, kinds and defaults. From it follow the constructor's type, the checks,
// the errors for unknown names, Keras's snake_case spelling, getConfig and fromConfig.
//
//   class Dropout extends configured(Layer, () => ({
//     /** The probability with which an element becomes 0. */
//     rate: required(number({ min: 0, max: 1 })),
//     seed: option(nullable(integer), null),
//   }), 'rate') { … this.rate … }

import { warnOnce } from './warnings'
import { ArgumentError, formatShape, knownName, quoted, unknownName } from './errors'
import {
  classNameOf,
  customFunction,
  functionNamed,
  isPlainFunction,
  isSerialized,
  noteOption,
  savedName,
  serialize,
  type AnyFunction,
  type Config,
  type Configurable,
  type Json,
  type Registry,
  type Serialized,
} from './registry'
import { MAX_ELEMENTS } from './shapes'
import { typed, isRecord } from './tree'

/** How the values of an option are read and written. `Input` is what users may pass for a `Value`. */
export interface Kind<Value, Input = Value> {
  /** @param where names the option in errors: `Dense "fc1": units` */
  read(value: unknown, where: string): Value
  /** The value in getConfig. */
  write(value: Value): Json
  /** Whether the value is only checked, and is not part of the object or of its configuration. */
  readonly unread?: true
  /**
   * Exists only in types. It is a list, because TypeScript splits the union type of an optional property: editors would show all members of
   * `ActivationIdentifier` instead of its name.
   */
  readonly input?: readonly [Input]
}

export interface RequiredOption<Value, Input> extends Kind<Value, Input> {
  readonly required: true
}

export interface OptionalOption<Value, Input> extends Kind<Value, Input> {
  readonly required: false
  /** The default, in the form that users pass; it may depend on the object. */
  initial(object: object): Input
}

export type OptionTable = Readonly<
  Record<string, RequiredOption<never, never> | OptionalOption<never, never> | AnyOption>
>
export interface AnyOption extends Kind<unknown, unknown> {
  readonly required: boolean
  initial?(object: object): unknown
}

/** An option without a default. */
/* @__NO_SIDE_EFFECTS__ */
export function required<Value, Input>(kind: Kind<Value, Input>): RequiredOption<Value, Input> {
  return { ...kind, required: true }
}

/** An option with a default. */
/* @__NO_SIDE_EFFECTS__ */
export function option<Value, Input>(kind: Kind<Value, Input>, initial: NoInfer<Input>): OptionalOption<Value, Input> {
  return { ...kind, required: false, initial: () => initial }
}

/** An option whose default depends on the object, such as a name derived from its class. */
/* @__NO_SIDE_EFFECTS__ */
export function optionFrom<Value, Input>(
  kind: Kind<Value, Input>,
  initial: (object: object) => NoInfer<Input>,
): OptionalOption<Value, Input> {
  return { ...kind, required: false, initial }
}

/** The values of an object after its options were read. */
export type ValuesOf<Table> = {
  readonly [
    Name in keyof Table as Table[Name] extends { readonly unread: true } ? never : Name
  ]: Table[Name] extends Kind<infer Value, infer _Input> ? Value : never
}

type InputOf<Option> = Option extends { readonly input?: readonly [infer Input] } ? Input : never

/** What users may pass. */
export type OptionInputs<Table> = {
  [Name in keyof Table as Table[Name] extends { readonly required: true } ? Name : never]: InputOf<Table[Name]>
} & {
  [Name in keyof Table as Table[Name] extends { readonly required: true } ? never : Name]?:
    | InputOf<Table[Name]>
    | undefined
}

function wrong(where: string, expected: string, value: unknown): ArgumentError {
  return new ArgumentError(`${where} must be ${expected}, received ${quoted(value)}`)
}

export { quoted } from './errors'

export interface Range {
  readonly min?: number
  readonly max?: number
  /** The value must be larger. */
  readonly above?: number
  /** The value must be smaller. */
  readonly below?: number
}

function describeRange({ min, max, above, below }: Range): string {
  if (min !== undefined && max !== undefined) return ` in [${min}, ${max}]`
  if (min !== undefined && below !== undefined) return ` in [${min}, ${below})`
  if (above !== undefined && below !== undefined) return ` in (${above}, ${below})`
  if (above !== undefined && max !== undefined) return ` in (${above}, ${max}]`
  if (min !== undefined) return ` ≥ ${min}`
  if (max !== undefined) return ` ≤ ${max}`
  if (above !== undefined) return ` > ${above}`
  return below === undefined ? '' : ` < ${below}`
}

function within(x: number, { min = -Infinity, max = Infinity, above = -Infinity, below = Infinity }: Range): boolean {
  return x >= min && x <= max && (above === -Infinity || x > above) && (below === Infinity || x < below)
}

// A number that float32 rounds to Infinity counts as infinite.
const isFiniteFloat = (x: number): boolean => Number.isFinite(Math.fround(x))

/* @__NO_SIDE_EFFECTS__ */
function numeric(noun: string, range: Range, isOne: (x: number) => boolean): Kind<number> {
  return {
    read(value, where) {
      if (typeof value === 'number' && isOne(value) && within(value, range)) return value
      const isLong = isOne === Number.isSafeInteger && Number.isInteger(value) && !Number.isSafeInteger(value)
      throw wrong(where, `${noun}${isLong ? ' of at most 53 bits' : ''}${describeRange(range)}`, value)
    },
    write: (value) => value,
  }
}

/** A number that is finite in float32. */
/* @__NO_SIDE_EFFECTS__ */
export function number(range: Range = {}): Kind<number> {
  return numeric('a finite number', range, isFiniteFloat)
}

/** An integer that a float64 holds exactly. */
/* @__NO_SIDE_EFFECTS__ */
export function integer(range: Range = {}): Kind<number> {
  return numeric('an integer', range, Number.isSafeInteger)
}

/** A count: an integer ≥ 1. */
export const count: Kind<number> = /* @__PURE__ */ integer({ min: 1 })

/** An integer from 1 to `most`. Errors mention the limit only if it is exceeded. */
/* @__NO_SIDE_EFFECTS__ */
function countUpTo(most: number): Kind<number> {
  return {
    read(value, where) {
      const read = count.read(value, where)
      if (read <= most) return read
      throw wrong(where, `an integer ≤ ${most}`, value)
    },
    write: (value) => value,
  }
}

/** The extent of an axis: an integer ≥ 1 that one tensor can have. */
export const extent: Kind<number> = /* @__PURE__ */ countUpTo(MAX_ELEMENTS)

/** The maximum number of iterations of an algorithm in each step. It is limited, because the graph contains each iteration. */
const MOST_ITERATIONS = 1000

/** The number of iterations of an algorithm in each step. */
export const iterations: Kind<number> = /* @__PURE__ */ countUpTo(MOST_ITERATIONS)

/** The maximum number of entries of a table that is created as a whole: thresholds, bins, numbers of unknown tokens. */
const LARGEST_TABLE = 100_000

/** The size of a table that is created as a whole. A larger size is refused before anything is created. */
/* @__NO_SIDE_EFFECTS__ */
export function tableSize(min = 1): Kind<number> {
  return integer({ min, max: LARGEST_TABLE })
}

export const boolean: Kind<boolean> = {
  read(value, where) {
    if (typeof value === 'boolean') return value
    throw wrong(where, 'true or false', value)
  },
  write: (value) => value,
}

/** boolean for true or false. */
type Wide<Value> = Value extends boolean ? boolean : Value

/**
 * A Keras option of which this library supports only some values.
 * @param why the end of the error: the reason, and what to do
 */
/* @__NO_SIDE_EFFECTS__ */
export function always<const Value extends boolean | null | number | string>(
  values: readonly Value[],
  why: string,
): Kind<Value, Wide<Value>> {
  return {
    read(value, where) {
      const found = values.find((each) => each === value)
      if (found !== undefined) return found
      throw new ArgumentError(`${where} must be ${values.map(quoted).join(' or ')}: ${why}`)
    },
    write: (value) => value,
  }
}

/**
 * A Keras option that changes no result here. Values other than those of `quiet` warn once.
 * @param why the end of the warning: the reason, and what to do instead
 */
/* @__NO_SIDE_EFFECTS__ */
export function idle<Value, Input>(
  kind: Kind<Value, Input>,
  quiet: readonly NoInfer<Value>[],
  why: string,
): Kind<Value, Input> {
  return {
    ...kind,
    read(input, where) {
      const value = kind.read(input, where)
      if (!quiet.includes(value)) warnOnce(`${where}: ${quoted(value)} changes nothing here: ${why}`)
      return value
    },
  }
}

/** true, false or 'auto', by which the object decides itself. */
export const autoOrBoolean: Kind<boolean | 'auto', boolean | 'auto'> = always(['auto', true, false], 'as in Keras')

/** Keras's options for sparse tensors. This library has tensors with all elements in their place. */
export const sparse: Kind<boolean | null, boolean | null> = idle(
  nullable(boolean),
  [false, null],
  'there are no sparse tensors, the result has all elements',
)

/**
 * A Keras option whose supported values change nothing here. It is only checked, so that a program may pass it.
 * @param initial Keras's default
 */
/* @__NO_SIDE_EFFECTS__ */
export function unread<Value, Input>(
  kind: Kind<Value, Input>,
  initial: NoInfer<Input>,
): OptionalOption<Value, Input> & { readonly unread: true } {
  return { ...option(kind, initial), unread: true }
}

export const text: Kind<string> = {
  read(value, where) {
    if (typeof value === 'string' && value !== '') return value
    throw wrong(where, 'a non-empty string', value)
  },
  write: (value) => value,
}

/** `fanIn` → `fan_in`, `ROC` → `roc`: an underscore where a capital follows a small letter. */
type SnakeCase<Word extends string> = Word extends `${infer First}${infer Second}${infer Rest}`
  ? [First, Second] extends [Lowercase<First>, Lowercase<Second>] | [Uppercase<First>, string]
    ? `${Lowercase<First>}${SnakeCase<`${Second}${Rest}`>}`
    : `${First}_${SnakeCase<`${Lowercase<Second>}${Rest}`>}`
  : Lowercase<Word>

/** A keyword in this library's spelling or in Keras's. */
export type Spelled<Word extends string> = Word | SnakeCase<Word>

/** One of several keywords, in camelCase or snake_case: 'fan_in' is 'fanIn'. Editors show the keywords instead of `Spelled<…>`. */
/* @__NO_SIDE_EFFECTS__ */
export function choice<const Word extends string>(...words: readonly Word[]): Kind<Word, Word | SnakeCase<Word>> {
  return {
    read(value, where) {
      const found = typeof value === 'string' ? knownName(value, words) : undefined
      if (found !== undefined) return found
      throw wrong(where, words.map(quoted).join(' or '), value)
    },
    write: (value) => value,
  }
}

/** A signal that ends a computation or a reader early. It is never saved. */
export const abortSignal: Kind<AbortSignal> = {
  read(value, where) {
    if (isSignal(value)) return value
    throw wrong(where, 'an AbortSignal, such as new AbortController().signal', value)
  },
  write: () => null,
}

// A signal of another realm, such as that of a frame, is not an instance of this AbortSignal.
function isSignal(value: unknown): value is AbortSignal {
  return typeof value === 'object' && value !== null && 'aborted' in value && 'throwIfAborted' in value
}

/** Also accepts null. */
/* @__NO_SIDE_EFFECTS__ */
export function nullable<Value, Input>(kind: Kind<Value, Input>): Kind<Value | null, Input | null> {
  return {
    read: (value, where) => (value === null || value === undefined ? null : kind.read(value, where)),
    write: (value) => (value === null ? null : kind.write(value)),
  }
}

/** Also accepts null, which means the value `meant`. */
/* @__NO_SIDE_EFFECTS__ */
export function nullAs<Value, Input>(kind: Kind<Value, Input>, meant: NoInfer<Value>): Kind<Value, Input | null> {
  return { ...kind, read: (value, where) => (value === null ? meant : kind.read(value, where)) }
}

/** A value of either kind; `isFirst` decides which. */
/* @__NO_SIDE_EFFECTS__ */
export function either<A, InA, B, InB>(
  first: Kind<A, InA>,
  second: Kind<B, InB>,
  isFirst: (value: unknown) => boolean,
): Kind<A | B, InA | InB> {
  const kindOf = (value: unknown): Kind<A | B, InA | InB> => (isFirst(value) ? first : second)
  return {
    read: (value, where) => kindOf(value).read(value, where),
    write: (value) => kindOf(value).write(value),
  }
}

/** A list; `length` is the required length, if it is fixed. */
/* @__NO_SIDE_EFFECTS__ */
export function listOf<Value, Input>(
  kind: Kind<Value, Input>,
  length?: number,
): Kind<readonly Value[], readonly Input[]> {
  return {
    read(value, where) {
      if (!Array.isArray(value)) throw wrong(where, 'an array', value)
      if (length !== undefined && value.length !== length) throw wrong(where, `an array of ${length}`, value)
      return value.map((each: unknown, i) => kind.read(each, `${where}[${i}]`))
    },
    write: (value) => value.map((each) => kind.write(each)),
  }
}

/** A record with any keys, such as class numbers to weights. */
/* @__NO_SIDE_EFFECTS__ */
export function recordOf<Value, Input>(
  kind: Kind<Value, Input>,
): Kind<Readonly<Record<string, Value>>, Readonly<Record<string, Input>>> {
  return {
    read(value, where) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(where, 'an object', value)
      return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, kind.read(each, `${where}.${key}`)]))
    },
    write: (value) => Object.fromEntries(Object.entries(value).map(([key, each]) => [key, kind.write(each)])),
  }
}

/** Extents: integers ≥ 1, up to the limit of one tensor, and, if `open` allows it, null (any extent) or −1 (computed). */
/* @__NO_SIDE_EFFECTS__ */
export function extents<Open extends null | -1 = never>(
  ...open: Open[]
): Kind<readonly (number | Open)[], readonly (number | Open)[]> {
  const isWhole = (each: unknown): each is number | Open =>
    (typeof each === 'number' && Number.isInteger(each) && each >= 1) || open.some((other) => other === each)
  return {
    read(value, where) {
      if (!Array.isArray(value)) throw wrong(where, 'an array such as [8]', value)
      const isWholeList = value.every(isWhole)
      if (isWholeList && value.every((each) => each === null || each <= MAX_ELEMENTS)) return [...value]
      const expected = [`integers ${isWholeList ? `≤ ${MAX_ELEMENTS}` : '≥ 1'}`, ...open.map(String)].join(' or ')
      const isNumbers = value.every((each) => typeof each === 'number' || each === null)
      throw new ArgumentError(
        `${where} must hold ${expected}, received ${isNumbers ? formatShape(value) : quoted(value)}`,
      )
    },
    write: (value) => value,
  }
}

/**
 * An object of a registry: given by name, as an instance, as a saved configuration, or, if the registry accepts one, as
 * a function.
 */
/* @__NO_SIDE_EFFECTS__ */
export function named<Object extends Configurable, Input = string | Object | Serialized>(
  registry: Registry<Object>,
): Kind<Object, Input> {
  return { read: (value, where) => registry.get(value, where), write: (value) => serialize(value) }
}

/**
 * A user's function, which is saved by its name.
 * @param what describes the function in errors: `that is a learning rate`
 */
/* @__NO_SIDE_EFFECTS__ */
export function functionKind<Fn extends AnyFunction>(what: string): Kind<Fn, Fn | string> {
  return {
    read(value, where) {
      if (typeof value === 'string') return functionNamed<Fn>(value, `${what} (${where})`)
      const found = customFunction<Fn>(value)
      if (found === null) throw wrong(where, `a function ${what}`, value)
      noteOption(found.call, where)
      return found.call
    },
    write: (fn) => savedName(fn, what),
  }
}

/** A kind with its own functions for reading and saving. */
/* @__NO_SIDE_EFFECTS__ */
export function custom<Value, Input = Value>(
  read: (value: unknown, where: string) => Value,
  write: (value: Value) => Json,
): Kind<Value, Input> {
  return { read, write }
}

/** A value that is not read here: what reads it checks it. */
/* @__NO_SIDE_EFFECTS__ */
export function unchecked<Value, Input = Value>(write: (value: Value) => Json = () => null): Kind<Value, Input> {
  return { read: (value) => typed<Value>(value), write }
}

/** A value of any type, which is not part of a configuration. */
export const anything: Kind<unknown> = /* @__PURE__ */ unchecked()

/**
 * A user's function that is not saved as a function. Its signature cannot be checked: what it returns is checked at its calls.
 * @param what the function in errors: `a function of a line`
 */
/* @__NO_SIDE_EFFECTS__ */
export function callback<Fn extends AnyFunction>(what: string, write: (fn: Fn) => Json = () => null): Kind<Fn> {
  return {
    read(value, where) {
      if (isPlainFunction<Fn>(value)) return value
      throw wrong(where, what, value)
    },
    write,
  }
}

/** Whether a value is an object of options: a plain object that is not a saved object. */
export function isOptions(value: unknown): value is Readonly<Record<string, unknown>> {
  return isRecord(value) && !isSerialized(value)
}

/** Options of Keras's classes for which None means the default. */
const NULL_IS_DEFAULT = ['name', 'dtype']

/** What else the reading of options depends on. */
interface ReadContext {
  /** The object that the options belong to; some defaults depend on it. */
  readonly object?: object
  /** The end of the error for an unknown name that resembles no option. */
  readonly hint?: string
}

/**
 * Reads options by their table. The values have the types of the table, because its kinds have read them.
 * @param where names the object in errors
 * @throws ArgumentError for an unknown name, with the nearest known one, and for a value of another kind
 */
export function readOptions<Table extends OptionTable>(
  where: string,
  table: Table,
  options: unknown,
  context?: ReadContext,
): ValuesOf<Table>
export function readOptions(
  where: string,
  table: OptionTable,
  options: unknown,
  { object = {}, hint = '' }: ReadContext = {},
): Readonly<Record<string, unknown>> {
  const names = Object.keys(table)
  const byName = valuesByName(where, names, options, hint)
  const values: Record<string, unknown> = {}
  names.forEach((name) => {
    const each: AnyOption = table[name]!
    let value = byName.get(name)
    if (value === undefined && each.required) throw new ArgumentError(`${where}: needs ${name}`)
    if (value === undefined || (value === null && NULL_IS_DEFAULT.includes(name))) value = each.initial?.(object)
    value = each.read(value, `${where}: ${name}`)
    if (!each.unread) values[name] = value
  })
  return values
}

/** The values of an object of options, unread, by the names in the table. */
function valuesByName(
  where: string,
  names: readonly string[],
  options: unknown,
  hint: string,
): ReadonlyMap<string, unknown> {
  const byName = new Map<string, unknown>()
  if (options === undefined) return byName
  if (!isOptions(options))
    throw new ArgumentError(
      `${where}: expected an object of options, { ${names[0] ?? ''}: … }, received ${quoted(options)}`,
    )
  Object.keys(options).forEach((key) => {
    const name = knownName(key, names)
    if (name === undefined) throw unknownName(`option of ${where}`, key, names, hint)
    if (byName.has(name)) throw new ArgumentError(`${where}: ${name} is given twice, in two spellings`)
    byName.set(name, options[key])
  })
  return byName
}

/**
 * Like `readOptions`, for a table that is read often.
 * @param defaults the result of `readOptions` without options
 */
export function readOverDefaults<Table extends OptionTable>(
  where: string,
  table: Table,
  options: unknown,
  defaults: ValuesOf<Table>,
): ValuesOf<Table>
export function readOverDefaults(
  where: string,
  table: OptionTable,
  options: unknown,
  defaults: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const values = { ...defaults }
  valuesByName(where, Object.keys(table), options, '').forEach((value, name) => {
    const each: AnyOption = table[name]!
    if (value !== undefined) values[name] = each.read(value, `${where}: ${name}`)
  })
  return values
}

/**
 * The options of a function: read by their table, or taken unchanged from an object that has them as properties.
 * @param where names the function in errors
 */
export function functionOptions<Table extends OptionTable>(
  where: string,
  table: Table,
  options: OptionInputs<Table> | ValuesOf<Table>,
): ValuesOf<Table>
export function functionOptions(where: string, table: OptionTable, options: object): object {
  return options instanceof Configured ? options : readOptions(where, table, options)
}

/** The configuration of an object that keeps each option under its name. */
function writeOptions(table: OptionTable, object: object): Config {
  const config: Record<string, Json> = {}
  for (const [name, each] of Object.entries<AnyOption>(table)) {
    if (!each.unread) config[name] = each.write(Reflect.get(object, name))
  }
  return config
}

/** A class whose options are declared. */
interface Declared {
  /** The options that this class adds to those of its base. */
  readonly declare?: () => OptionTable
  /** The options whose values may be passed by position, in this order. */
  readonly positional?: readonly string[]
}

const tables = new WeakMap<object, OptionTable>()

/** All options of a class, those of its base classes first. */
export function optionsOf(of: object): OptionTable {
  const known = tables.get(of)
  if (known !== undefined) return known
  const base: unknown = Object.getPrototypeOf(of)
  const inherited = typeof base === 'function' && base !== Function.prototype ? optionsOf(base) : {}
  const { declare }: Declared = of
  const table = Object.hasOwn(of, 'declare') && declare !== undefined ? { ...inherited, ...declare() } : inherited
  tables.set(of, table)
  return table
}

/**
 * The options of a class that may be passed by position, in Keras's order: those that it lists, or all in the order of its
 * table and then of its base.
 */
export function positionsOf(of: object): readonly string[] {
  const { positional, declare }: Declared = of
  if (positional !== undefined || declare === undefined) return positional ?? []
  const names = Object.hasOwn(of, 'declare') ? Object.keys(declare()) : []
  return [...new Set([...names, ...positionsOf(Object.getPrototypeOf(of))])]
}

/**
 * Arguments as one object of options: values by position, and an object with the others.
 * @param names the options that may be given by position
 * @throws ArgumentError for other arguments
 */
export function optionsIn(where: string, names: readonly string[], args: readonly unknown[]): object {
  const last = args.at(-1)
  const options = isOptions(last) ? last : {}
  const byPosition: Record<string, unknown> = {}
  args.forEach((value, i) => {
    if (value === undefined || value === options) return
    const name = names[i]
    if (name === undefined)
      throw new ArgumentError(
        `${where} takes (${[...names, '{ … }'].join(', ')}), received (${args.map(quoted).join(', ')})`,
      )
    if (Object.keys(options).some((key) => knownName(key, [name])))
      throw new ArgumentError(`${where}: ${name} is given twice`)
    byPosition[name] = value
  })
  return { ...byPosition, ...options }
}

/** The depth to which lists are copied and frozen. No kernel reads numbers of deeper lists. */
const DEEPEST_LIST = 8

/** Frozen copies of lists, so that checked values cannot change later. */
function frozenCopy(value: unknown, depth = 0): unknown {
  if (!Array.isArray(value) || depth === DEEPEST_LIST) return value
  return Object.freeze(value.map((each) => frozenCopy(each, depth + 1)))
}

const OWN_OPTIONS =
  '. A constructor must not pass the options that it reads itself to super: constructor({ mine, ...others }) { super(others) }'

/**
 * The base of objects that are created from options and can be saved. A subclass whose constructor reads further
 * options passes the others to super, as in `constructor({ mine, ...others }) { super(others) }`.
 */
export abstract class Configured implements Configurable {
  /** The options that a class adds to those of its base. @internal */
  static declare(): OptionTable {
    return {}
  }

  // Accepts more arguments than the types allow, so that none is dropped silently.
  constructor(...args: [options?: unknown]) {
    const className = classNameOf(this)
    const options = optionsIn(className, positionsOf(new.target), args)
    const name = isOptions(options) && typeof options['name'] === 'string' ? ` "${options['name']}"` : ''
    const values = readOptions(`${className}${name}`, optionsOf(new.target), options, {
      object: this,
      // A subclass whose constructor has parameters may have passed on an option that is only its own.
      hint: new.target.length === 0 ? '' : OWN_OPTIONS,
    })
    Object.entries<unknown>(values).forEach(([key, value]) => Reflect.set(this, key, frozenCopy(value)))
    this.checkOptions()
  }

  /**
   * An object of this class from its configuration.
   *
   *   const copy = Dense.fromConfig(dense.getConfig())
   *
   * Keras: `from_config`.
   */
  static fromConfig<Kind>(this: new (options: never) => Kind, config: Config): Kind {
    requireConfig(this, config)
    return Reflect.construct(this, [config])
  }

  /** Checks options against each other. When it is called, the options are set, but not the other fields of the class. */
  protected checkOptions(): void {}

  /** The constructor's options for an equal object. */
  getConfig(): Config {
    return writeOptions(optionsOf(this.constructor), this)
  }
}

/** @throws ArgumentError for a value that is no configuration */
export function requireConfig(of: { readonly name: string }, config: unknown): void {
  if (typeof config !== 'object' || config === null || Array.isArray(config))
    throw new ArgumentError(`${of.name}.fromConfig: expected what getConfig returns, received ${quoted(config)}`)
}

/** A configuration without some options, in either spelling. */
export function withoutOptions<Options extends object>(options: Options, names: readonly string[]): Options
export function withoutOptions(config: object, names: readonly string[]): object {
  return Object.fromEntries(Object.entries(config).filter(([key]) => knownName(key, names) === undefined))
}

type AbstractClass = abstract new (...inputs: never) => object
/** The key of a configured class's options. It exists only in types. */
declare const OPTIONS: unique symbol
/**
 * A constructor that takes `Values` and then one more argument: an object of options, or the value of the next option. The argument may be
 * omitted if no option is required; after values, the signature with one argument less takes that call. Without values the parameters are
 * not written as a list: if all signatures are lists, editors propose nothing in `new Dense({ })`, which no signature takes.
 */
type Signature<Values extends readonly unknown[], Options, Last, Instance> = Values extends []
  ? {} extends Options
    ? abstract new (options?: Last) => Instance
    : abstract new (options: Last) => Instance
  : abstract new (...inputs: [...Values, options: {} extends Options ? Last | undefined : Last]) => Instance
/** Omit as one mapped type instead of two, and without a name in editors. */
type Without<Options, Name> = { [Key in keyof Options as Exclude<Key, Name>]: Options[Key] } & {}
/**
 * The constructors that take values of the options `Names` by position and an object with the others. There is one signature for
 * each number of arguments, so that the compiler names a wrong option in one line instead of listing overloads, and editors show the
 * documentation of options, which they do not in a union of argument lists.
 */
type Constructor<
  Options,
  Names extends readonly unknown[],
  Instance,
  Values extends readonly unknown[] = [],
> = Names extends readonly [infer Name extends keyof Options, ...infer Rest]
  ? Constructor<Without<Options, Name>, Rest, Instance, [...Values, value: Options[Name]]> &
      Signature<Values, Options, {} extends Without<Options, Name> ? Options[Name] | Options : Options, Instance>
  : Signature<Values, Options, Options, Instance>
type OptionsIn<Arguments> = Arguments extends [options?: infer Options] ? Exclude<Options, undefined> : never
type BaseOptions<Base extends AbstractClass> = Base extends { readonly [OPTIONS]?: infer Options }
  ? Exclude<Options, undefined>
  : OptionsIn<ConstructorParameters<Base>>

/** The same properties in one object type, which editors show as a list. */
type Flat<Type> = { [Key in keyof Type]: Type[Key] } & {}

/** Base with the options of Table; their values are properties with the same names. */
export type ConfiguredClass<Base extends AbstractClass, Table, Names extends readonly unknown[] = []> = Omit<
  Base,
  'prototype' | 'positional' | typeof OPTIONS
> &
  Constructor<Flat<OptionInputs<Table> & BaseOptions<Base>>, Names, InstanceType<Base> & ValuesOf<Table>> & {
    readonly [OPTIONS]?: Flat<OptionInputs<Table> & BaseOptions<Base>>
    /** @internal */
    readonly positional?: Names | undefined
  }

/**
 * The type of `configured` for a class whose positional options are the first of its table and then of its base. Such a class does not
 * pass their names: `(configured as InOrder<['learningRate', 'momentum']>)(Optimizer, sgdOptions)`.
 */
export type InOrder<Names extends readonly string[]> = <Base extends AbstractClass, Table extends OptionTable>(
  base: Base,
  declare: () => Table,
) => ConfiguredClass<Base, Table, Names>

/**
 * A base class with its own options.
 * @param declare the table; called when the first object is created
 * @param positional the options that may be passed by position, in Keras's order: `new Dropout(0.5)`,
 *   `new Conv2D(32, 3, { padding: 'same' })`. Default: the order of the table and then of the base
 * @param members members that all objects of the class share, such as its formula
 */
/* @__NO_SIDE_EFFECTS__ */
export function configured<
  Base extends AbstractClass,
  Table extends OptionTable,
  const Names extends readonly string[] = [],
>(base: Base, declare: () => Table, positional?: Names, members?: object): ConfiguredClass<Base, Table, Names>
/* @__NO_SIDE_EFFECTS__ */
export function configured(
  base: new (options: unknown) => Configured,
  declare: () => OptionTable,
  positional?: readonly string[],
  members?: object,
): new (options: unknown) => Configured {
  // Configured, the root class, assigns the values.
  const made = class extends base {
    static readonly declare = declare
    static readonly positional = positional
  }
  if (members !== undefined) Object.assign(made.prototype, members)
  return made
}
