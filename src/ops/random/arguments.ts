// Reads the options of random ops.

import { ArgumentError } from '../../core/errors'
import type { OptionTable, ValuesOf } from '../../core/options'
import { choice, nullable, option } from '../../core/options'
import { readTyped } from '../arguments'
import { SeedGenerator, seedKind } from './generator'

/** The option of every random op. */
export const seedTable = /* @__PURE__ */ (() => ({ seed: option(seedKind, null) }))()

/** The options of ops with real results. */
export const floatTable = /* @__PURE__ */ (() => ({
  dtype: option(nullable(choice('float32')), null),
  seed: option(seedKind, null),
}))()

/** The options of ops with integer results. */
export const integerTable = /* @__PURE__ */ (() => ({
  dtype: option(choice('int32'), 'int32'),
  seed: option(seedKind, null),
}))()

function isOptions(given: unknown): given is object {
  return typeof given === 'object' && given !== null && !Array.isArray(given) && !(given instanceof SeedGenerator)
}

/**
 * Reads options by position, in the order of the table, by name, or the first by position and the others by name:
 * `uniform(shape, 0, 5, { seed: 1 })`.
 */
export function readDraw<Table extends OptionTable>(
  where: string,
  table: Table,
  ...given: readonly unknown[]
): ValuesOf<Table> {
  const entries = Object.entries(table)
  const found = given.findIndex(isOptions)
  const count = found < 0 ? given.length : found
  if (given.slice(count + 1).some((each) => each !== undefined))
    throw new ArgumentError(`${where}: the object of options must be the last argument`)
  const byPosition = Object.fromEntries(entries.slice(0, count).map(([name], i) => [name, given[i]]))
  const byName = found < 0 ? undefined : given[found]
  return {
    ...readTyped<OptionTable>(where, Object.fromEntries(entries.slice(0, count)), byPosition),
    ...readTyped<OptionTable>(where, Object.fromEntries(entries.slice(count)), byName),
  } as ValuesOf<Table>
}
