// Options that reading and writing share.

import { ArgumentError, quoted } from '../../core/errors'
import { custom } from '../../core/options'

const isExtent = (value: unknown): value is number | null =>
  value === null || (Number.isSafeInteger(value) && Number(value) >= 1)

/** A shape with null for open extents. */
export const extents = custom<readonly (number | null)[]>(
  (value, where) => {
    if (Array.isArray(value) && value.every(isExtent)) return value
    throw new ArgumentError(`${where} must be a list of extents, with null for open ones, received ${quoted(value)}`)
  },
  (value) => [...value],
)
