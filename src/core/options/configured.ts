// Classes whose options are declared: the constructor, its type, and the configuration follow from the table.

import { ArgumentError, knownName, quoted } from '../errors'
import { classNameOf, type Config, type Configurable, type Json } from '../registry'
import { isOptions, readOptions, type AnyOption, type OptionInputs, type OptionTable, type ValuesOf } from './tables'

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
