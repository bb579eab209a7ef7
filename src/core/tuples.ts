// Gives lists a type with their length.

import { internalError } from './errors'

/**
 * A list as a tuple. For results of `map` over a fixed number of values, and for shapes whose rank was checked: their types do not contain
 * the length.
 */
export function ofLength<Each>(list: readonly Each[], length: 1): [Each]
export function ofLength<Each>(list: readonly Each[], length: 2): [Each, Each]
export function ofLength<Each>(list: readonly Each[], length: 3): [Each, Each, Each]
export function ofLength<Each>(list: readonly Each[], length: 4): [Each, Each, Each, Each]
export function ofLength<Each>(list: readonly Each[], length: number): readonly Each[] {
  if (list.length !== length) throw internalError(`expected ${length} values, received ${list.length}`)
  return list
}
