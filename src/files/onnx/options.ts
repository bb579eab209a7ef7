// Options of inputs: their shapes, which reading and writing share, and their constant values.

import { ArgumentError, quoted } from '../../core/errors'
import { custom, recordOf, unchecked } from '../../core/options'
import type { ConstantLike } from '../../models/load-options'

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

/** Values of inputs by their names. The graph checks them, because it has the types of its inputs. */
export const constants = recordOf(unchecked<ConstantLike>((value) => value))
