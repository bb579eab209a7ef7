// Kinds of values: how the value of an option is checked, read and saved.

import { warnOnce } from '../warnings'
import { ArgumentError, formatShape, knownName, quoted } from '../errors'
import {
  customFunction,
  functionNamed,
  isPlainFunction,
  noteOption,
  savedName,
  serialize,
  type AnyFunction,
  type Configurable,
  type Json,
  type Registry,
  type Serialized,
} from '../registry'
import { MAX_ELEMENTS } from '../shapes'
import { typed } from '../tree'

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

function wrong(where: string, expected: string, value: unknown): ArgumentError {
  return new ArgumentError(`${where} must be ${expected}, received ${quoted(value)}`)
}

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
