// Puts the arguments of a call in the order of the op's parameters.

import { ArgumentError, normalizeName, unknownName } from '../core/errors'
import { requireArguments } from '../core/arguments'
import { isRecord, put } from '../core/tree'

/** A parameter, as far as the reading of calls uses it. */
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

/** The parameters of an op, and where to find them by name. */
export interface Places {
  /** The name of the op for users. */
  readonly where: string
  readonly all: readonly Place[]
  /** The position of the parameter that takes all further operands; Infinity if there is none. */
  readonly restAt: number
  /** The positions of the parameters by `normalizeName`, which is the same for camelCase and snake_case. */
  readonly byName: ReadonlyMap<string, number>
  /** The positions of the keys of earlier calls, because calls repeat their keys. */
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
const isOperand = (record: object): boolean =>
  ('data' in record && 'shape' in record) || ('real' in record && 'imag' in record)

/** The arguments of a call, as the op reads them and as a model saves them. */
export interface Ordered {
  /** One argument for each parameter; undefined for a missing one. */
  readonly placed: readonly unknown[]
  /** The required arguments in order, and at the end an object with the optional ones that came by name. */
  readonly saved: readonly unknown[]
}

const inBothForms = (args: readonly unknown[]): Ordered => ({ placed: args, saved: args })

/**
 * The arguments in the order of the parameters: those in an object at the end of a call take their places by name, so
 * `topK(x, { k: 3, sorted: false })` is `topK(x, 3, false)`. A record in the place of a tree is that tree, unless all its keys
 * are names of parameters.
 * @throws ArgumentError for an argument that occurs twice, for an unknown name, for more arguments than parameters, and for a call that
 *   ends with an object and lacks a required argument
 */
export function inOrder(places: Places, args: readonly unknown[]): readonly unknown[] {
  const last = lastOf(args)
  if (isRecord(last) && !isOperand(last)) return ordered(places, args).placed
  requireNoOthers(places, args)
  return args
}

/** The last argument that is not undefined. */
function lastOf(args: readonly unknown[]): unknown {
  let at = args.length - 1
  while (at > 0 && args[at] === undefined) at--
  return args[at]
}

/** `inOrder`, with the form that models save. */
export function ordered(places: Places, args: readonly unknown[]): Ordered {
  const { all } = places
  const last = lastOf(args)
  const at = args.lastIndexOf(last)
  if (!isRecord(last) || isOperand(last) || isOperandAt(places, at, last)) {
    requireNoOthers(places, args)
    return inBothForms(args)
  }
  const placed: unknown[] = [
    ...args.slice(0, at),
    ...all.slice(at).flatMap(({ isRest }) => (isRest === true ? [] : [undefined])),
  ]
  const others: Record<string, unknown> = {}
  const seen = new Set<number>()
  for (const key of Object.keys(last)) {
    const position = positionOf(key, places)
    if (position < 0) put(others, key, last[key])
    else placed[position] = byName(places, args.slice(0, at), position, seen, last[key])
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

/** A value that comes by name. @throws ArgumentError if its parameter has a value already */
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
function requireNoOthers({ where, all, restAt }: Places, args: readonly unknown[]): void {
  if (args.length > all.length && restAt === Infinity) requireArguments(where, args, all.length)
}
