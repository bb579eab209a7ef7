// Elements of weights by the unit that they belong to.

import type { UnitPlace } from '../models/unit-groups'
import { visitUnits } from '../models/unit-groups'

/** Visits the elements of all units of a place: `visit(unit, offset of the first, how many side by side)`. */
export function visitByUnit(place: UnitPlace, count: number, visit: (unit: number, start: number, length: number) => void): void {
  let at = 0
  // Of each row the units of one block after the other.
  visitUnits(place, Array.from({ length: count }, (_, unit) => unit), (start, length) => visit(at++ % count, start, length))
}
