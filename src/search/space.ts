// The space of a search: lists of values, ranges and functions of a random number, and the choices drawn from them.
// Trains nothing.

import { ArgumentError, quoted } from '../core/errors'
import { boolean, choice, number, option, readOptions, required } from '../core/options'
import { isPlainFunction } from '../core/registry'
import { permutationKey, permute } from '../core/permute'
import { threefry2x32 } from '../core/threefry'
import { isBranch } from '../core/tree'

/** A list of values for each name. */
export type GridSpace = { readonly [name: string]: readonly unknown[] }

/** A range of numbers. */
export interface RangeOfNumbers {
  readonly min: number
  readonly max: number
  /** 'log': uniform in the logarithm, so 0.001 … 0.01 is as likely as 0.01 … 0.1. Default 'linear'. */
  readonly scale?: 'linear' | 'log'
  /** Integers only, including `max`. Default false. */
  readonly integer?: boolean
}

/** For each name a list of equally likely values, a range, or a function of a random number in [0, 1). */
export type RandomSpace = {
  readonly [name: string]: readonly unknown[] | RangeOfNumbers | ((random: number) => unknown)
}

/** A value for each name of a space. */
export type ChoiceOf<Space> = {
  readonly [Name in keyof Space]: Space[Name] extends readonly (infer Value)[]
    ? Value
    : Space[Name] extends (random: number) => infer Value
      ? Value
      : number
}

export type AnyChoice = Readonly<Record<string, unknown>>
type Draw = (random: number) => unknown

/** The maximum number of choices in a list: of a grid, or of random ones, also if they are drawn without repetition. */
export const MOST_CHOICES = 2 ** 20

/** Every combination, the last name changing fastest. @throws ArgumentError for a name without values */
export function gridChoices(where: string, space: GridSpace): AnyChoice[] {
  requireSpace(where, space)
  for (const [name, values] of Object.entries<unknown>(space)) requireValues(`${where}: ${name}`, values)
  const length = combinationsOf(space)
  if (length > MOST_CHOICES)
    throw new ArgumentError(
      `${where}: the space has ${length} combinations, more than ${MOST_CHOICES}. Give fewer values, or use randomSearch.`,
    )
  return Array.from({ length }, (_, i) => combination(space, i))
}

/**
 * `trials` random choices. If every name has a list, no choice is repeated, and there are at most as many choices as
 * combinations.
 * @throws ArgumentError for a name that has neither a list nor a range nor a function
 */
export function randomChoices(where: string, space: RandomSpace, trials: number, seed: number): AnyChoice[] {
  requireSpace(where, space)
  const draws = Object.entries(space).map(([name, each]) => [name, drawOf(`${where}: ${name}`, each)] as const)
  if (isGrid(space) && combinationsOf(space) <= MOST_CHOICES) {
    const order = new Int32Array(combinationsOf(space))
    permute(order, order.length, permutationKey(seed))
    return Array.from(order.subarray(0, trials), (i) => combination(space, i))
  }
  return Array.from({ length: trials }, (_, trial) =>
    Object.fromEntries(draws.map(([name, draw], i) => [name, draw(uniform(seed, trial, i))])),
  )
}

function isGrid(space: RandomSpace): space is GridSpace {
  return Object.values(space).every((each) => Array.isArray(each))
}

function combinationsOf(space: GridSpace): number {
  return Object.values(space).reduce((product, { length }) => product * length, 1)
}

/** The digits of `index` in a number system whose bases are the lengths of the lists. */
function combination(space: GridSpace, index: number): AnyChoice {
  let rest = index
  const digits = Object.entries(space)
    .reverse()
    .map(([name, values]) => {
      const digit = rest % values.length
      rest = (rest - digit) / values.length
      return [name, values[digit]]
    })
  return Object.fromEntries(digits.reverse())
}

/** A number in [0, 1) for one name of one trial, independent of all others. */
function uniform(seed: number, trial: number, name: number): number {
  return (threefry2x32(seed, 1, trial, name)[0] >>> 0) / 2 ** 32
}

function drawOf(where: string, values: unknown): Draw {
  if (isPlainFunction<Draw>(values)) return values
  if (isBranch(values) && !Array.isArray(values)) return rangeDraw(where, values)
  const list = requireValues(where, values)
  return (random) => list[Math.floor(random * list.length)]
}

const rangeOptions = () => ({
  min: required(number()),
  max: required(number()),
  scale: option(choice('linear', 'log'), 'linear'),
  integer: option(boolean, false),
})

// Linear: min + u · (max − min). Log: min · (max / min)^u. Integers: the same up to max + 1, rounded down.
function rangeDraw(where: string, range: object): Draw {
  const { min, max, scale, integer } = readOptions(where, rangeOptions(), range)
  if (!(min < max)) throw new ArgumentError(`${where}: min must be below max, received ${min} and ${max}`)
  if (scale === 'log' && min <= 0)
    throw new ArgumentError(`${where}: min must be above 0 on a log scale, received ${min}`)
  if (integer && !(Number.isInteger(min) && Number.isInteger(max)))
    throw new ArgumentError(`${where}: min and max must be integers where integer is true, received ${min} and ${max}`)
  const end = integer ? max + 1 : max
  const at: (random: number) => number =
    scale === 'log' ? (random) => min * (end / min) ** random : (random) => min + random * (end - min)
  return (random) => Math.min(max, Math.max(min, integer ? Math.floor(at(random)) : at(random)))
}

function requireSpace(where: string, space: unknown): void {
  if (isBranch(space) && !Array.isArray(space) && Object.keys(space).length > 0) return
  throw new ArgumentError(
    `${where}: the space must be a record such as { units: [8, 16] }, received ${isBranch(space) ? 'an empty one or a list' : quoted(space)}`,
  )
}

function requireValues(where: string, values: unknown): readonly unknown[] {
  if (Array.isArray(values) && values.length > 0) return values
  throw new ArgumentError(`${where} must be a list of at least one value, received ${quoted(values)}`)
}
