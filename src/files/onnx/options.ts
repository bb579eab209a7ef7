// Options that reading and writing share.

import { ArgumentError, quoted } from '../../core/errors'
import { custom } from '../../core/options'

/** A shape with null for open extents. */
export const extents = custom<readonly (number | null)[]>(
  (value, where) => {
    const isShape =
      Array.isArray(value) && value.every((each) => each === null || (Number.isSafeInteger(each) && Number(each) >= 1))
    if (isShape) return value as (number | null)[]
    throw new ArgumentError(`${where} must be a list of extents, with null for open ones, received ${quoted(value)}`)
  },
  (value) => [...value],
)
