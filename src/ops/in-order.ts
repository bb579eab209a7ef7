// Puts the arguments of a call in the order of the op's parameters.

import { ArgumentError, normalizeName, unknownName } from '../core/errors'
import { requireArguments } from '../core/arguments'
import { isRecord, put } from '../core/tree'

/** What a call needs to know of a parameter. */
export interface Place {
  readonly name: string
  readonly isOptional: boolean
  /** Whether it takes all further arguments. */
  readonly isRest?: boolean
  /** Whether it takes the arguments of all names that are not those of parameters, as one record. */
  readonly takesOthers?: boolean
  readonly kind: {
    readonly holds?: 'operand' | 'tree'
    read(value: unknown, where: string): unknown
  }
}

/** The parameters of an op, by their names in both spellings. */
export interface Places {
  /** The name of the op for users. */
  readonly where: string
  readonly all: readonly Place[]
  /** The position of the parameter that takes all further operands; Infinity if there is none. */
  readonly restAt: number
  /** Their positions, by the form of their names that is the same in camelCase and snake_case. */
  readonly byName: ReadonlyMap<string, number>
  /** The positions of keys that were looked for, because calls repeat their keys. */
  readonly found: Map<string, number>
}

/** The most keys that an op remembers. */
const MOST_KEYS = 50

export function placesOf(where: string, all: readonly Place[]): Places {
  const restAt = all.findIndex(({ isRest }) => isRest === true)
  return {
    where,
    all,
    restAt: restAt < 0 ? Infinity : restAt,
    byName: new Map(all.map(({ name }, i) => [normalizeName(name), i])),
    found: new Map(),
  }
}

/** The position of the parameter that a key names in either spelling; −1 if there is none. */
function positionOf(key: string, { byName, found }: Places): number {
  let at = found.get(key)
  if (at !== undefined) return at
  at = byName.get(normalizeName(key)) ?? -1
  if (found.size < MOST_KEYS) found.set(key, at)
  return at
}

/** Whether a record is one operand: data with its shape, or the parts of complex numbers. */
const isOperand = (given: object): boolean =>
  ('data' in given && 'shape' in given) || ('real' in given && 'imag' in given)

/** The arguments of a call, as the op reads them and as a model saves them. */
export interface Ordered {
  /** One for each parameter; undefined for those that are not given. */
  readonly placed: readonly unknown[]
  /** Required ones in order, and an object at the end for those optional ones that came by name. */
  readonly saved: readonly unknown[]
}

const asGiven = (given: readonly unknown[]): Ordered => ({ placed: given, saved: given })

/**
 * The arguments in the order of the parameters: those in an object at the end of a call take their places by name, so
 * `topK(x, { k: 3, sorted: false })` is `topK(x, 3, false)`. A record in the place of a tree is that tree, unless all its keys
 * are names of parameters.
 * @throws ArgumentError for an argument that is given twice, for a required one that is missing beside a last object, for an
 *   unknown name, and for arguments that the op does not have
 */
export function inOrder(places: Places, given: readonly unknown[]): readonly unknown[] {
  const last = lastOf(given)
  if (isRecord(last) && !isOperand(last)) return ordered(places, given).placed
  requireNoOthers(places, given)
  return given
}

/** The last argument that is not undefined. */
function lastOf(given: readonly unknown[]): unknown {
  let at = given.length - 1
  while (at > 0 && given[at] === undefined) at--
  return given[at]
}

/** `inOrder`, with the form that models save. */
export function ordered(places: Places, given: readonly unknown[]): Ordered {
  const { all } = places
  const last = lastOf(given)
  const at = given.lastIndexOf(last)
  if (!isRecord(last) || isOperand(last) || isOperandAt(places, at, last)) {
    requireNoOthers(places, given)
    return asGiven(given)
  }
  const placed: unknown[] = [
    ...given.slice(0, at),
    ...all.slice(at).flatMap(({ isRest }) => (isRest === true ? [] : [undefined])),
  ]
  const others: Record<string, unknown> = {}
  const seen = new Set<number>()
  for (const key of Object.keys(last)) {
    const position = positionOf(key, places)
    if (position < 0) put(others, key, last[key])
    else placed[position] = byName(places, given.slice(0, at), position, seen, last[key])
  }
  placeOthers(places, others, placed)
  const wanted = all.flatMap(({ name, isOptional, isRest }, i) =>
    isOptional || isRest === true || placed[i] !== undefined ? [] : [name],
  )
  if (wanted.length > 0)
    throw new ArgumentError(
      `${places.where}: needs ${wanted.join(' and ')}, in order or by name, received { ${Object.keys(last).join(', ')} }`,
    )
  return { placed, saved: savedForm(places, placed, at, seen, others) }
}

/** Whether a record at a position is an operand: a tree whose keys are not all names of parameters, or one of many operands. */
function isOperandAt(places: Places, at: number, record: object): boolean {
  const { all } = places
  const found = Object.keys(record).map((key) => positionOf(key, places))
  if (at >= places.restAt) return true
  const isNamed = found.every((each) => each >= 0) && found.some((each) => all[each]?.isOptional === false)
  return at >= all.length ? found.every((each) => each < 0) : all[at]?.kind.holds === 'tree' && !isNamed
}

/** A value that comes by name, checked to come once. */
function byName(
  { where, all }: Places,
  before: readonly unknown[],
  position: number,
  seen: Set<number>,
  value: unknown,
): unknown {
  const { name } = all[position]!
  if (seen.has(position)) throw new ArgumentError(`${where}: ${name} is given twice, in two spellings`)
  if (before[position] !== undefined) throw new ArgumentError(`${where}: ${name} is given twice, in order and by name`)
  seen.add(position)
  return value
}

/** Gives the arguments of unknown names to the parameter that takes them. */
function placeOthers(places: Places, others: Readonly<Record<string, unknown>>, placed: unknown[]): void {
  const [first] = Object.keys(others)
  if (first === undefined) return
  const at = places.all.findIndex(({ takesOthers }) => takesOthers === true)
  if (at < 0)
    throw unknownName(
      `argument of ${places.where}`,
      first,
      places.all.map(({ name }) => name),
    )
  const before = placed[at]
  placed[at] = { ...(isRecord(before) ? before : {}), ...others }
}

function savedForm(
  { all }: Places,
  placed: readonly unknown[],
  at: number,
  seen: ReadonlySet<number>,
  others: Readonly<Record<string, unknown>>,
): readonly unknown[] {
  const isRequired = (i: number): boolean => all[i]?.isOptional === false
  const options = { ...others }
  for (const i of seen) if (!isRequired(i) && placed[i] !== undefined) put(options, all[i]!.name, placed[i])
  const inPlace = placed.filter((_, i) => i < at || isRequired(i))
  return Object.keys(options).length === 0 ? inPlace : [...inPlace, options]
}

/** @throws ArgumentError for more arguments than parameters */
function requireNoOthers({ where, all, restAt }: Places, given: readonly unknown[]): void {
  if (given.length > all.length && restAt === Infinity) requireArguments(where, given, all.length)
}
