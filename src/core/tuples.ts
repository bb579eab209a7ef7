// Lists whose length the code knows and the compiler does not: the extents of a tensor with four axes, the parts of a split.

import { internalError } from './errors'

/** A list of `Count` elements. */
export type TupleOf<
  Element,
  Count extends number,
  Found extends readonly Element[] = [],
> = Found['length'] extends Count ? Found : TupleOf<Element, Count, readonly [...Found, Element]>

function hasCount<Element, Count extends number>(
  list: readonly Element[],
  count: Count,
): list is readonly Element[] & TupleOf<Element, Count> {
  return list.length === count
}

/** The same list, with the type of its length. @throws Error for another number of elements */
export function exactly<Element, Count extends number>(
  list: readonly Element[],
  count: Count,
): TupleOf<Element, Count> {
  if (hasCount(list, count)) return list
  throw internalError(`expected ${count} elements, received ${list.length}`)
}

/** The first element of a list, and the others. @throws Error for an empty list */
export function firstAndRest<Element>([first, ...rest]: readonly Element[]): readonly [Element, readonly Element[]] {
  if (first === undefined) throw internalError('expected a list that is not empty')
  return [first, rest]
}
