// Tables of options: names, kinds and defaults, and the reading of options by their table.

import { ArgumentError, knownName, quoted, unknownName } from '../errors'
import { isSerialized } from '../registry'
import { isRecord } from '../tree'
import type { Kind } from './kinds'

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
