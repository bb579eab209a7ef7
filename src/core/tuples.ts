// Lists of a certain length, with this length in their type.

import { internalError } from './errors'

/**
 * A list as a tuple. Its length follows from the call, such as `map` over two operands or a shape whose rank was checked; the types of
 * `map` and of shapes do not have it.
 */
export function ofLength<Each>(list: readonly Each[], length: 1): [Each]
export function ofLength<Each>(list: readonly Each[], length: 2): [Each, Each]
export function ofLength<Each>(list: readonly Each[], length: 3): [Each, Each, Each]
export function ofLength<Each>(list: readonly Each[], length: 4): [Each, Each, Each, Each]
export function ofLength<Each>(list: readonly Each[], length: number): readonly Each[] {
  if (list.length !== length) throw internalError(`expected a list of ${length}, received one of ${list.length}`)
  return list
}
