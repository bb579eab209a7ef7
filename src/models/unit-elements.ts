// Elements of weights by their unit: visits, sums, multiplications.

import { startsOf, type UnitPlace } from './unit-groups'

/** Visits the elements of a weight that belong to units: `visit(offset of the first, number of adjacent elements)`. */
export function visitUnits(
  place: UnitPlace,
  units: readonly number[],
  visit: (start: number, length: number) => void,
): void {
  const {
    weight: { shape },
    axis,
    width,
  } = place
  const inner = shape.slice(axis + 1).reduce((product, extent) => product * extent, 1)
  const outer = shape.slice(0, axis).reduce((product, extent) => product * extent, 1)
  const along = shape[axis]! * inner
  const starts = startsOf(place, units)
  for (let row = 0; row < outer; row++) for (const start of starts) visit(row * along + start * inner, width * inner)
}

/** Visits the elements of all units of a place: `visit(unit, offset of the first, number of adjacent elements)`. */
export function visitByUnit(
  place: UnitPlace,
  count: number,
  visit: (unit: number, start: number, length: number) => void,
): void {
  let at = 0
  // In each row, the units of one block after another.
  visitUnits(
    place,
    Array.from({ length: count }, (_, unit) => unit),
    (start, length) => visit(at++ % count, start, length),
  )
}

/** Σ f(w) over the weights of each unit in some places. */
export function sumByUnit(places: readonly UnitPlace[], count: number, of: (weight: number) => number): Float64Array {
  const sums = new Float64Array(count)
  for (const place of places) {
    const { view } = place.weight
    visitByUnit(place, count, (unit, start, length) => {
      for (let i = start; i < start + length; i++) sums[unit]! += of(view[i]!)
    })
  }
  return sums
}

/** Multiplies the weights of each unit in some places by its factor. */
export function scaleUnits(places: readonly UnitPlace[], factors: Float64Array): void {
  for (const place of places) {
    const { view } = place.weight
    visitByUnit(place, factors.length, (unit, start, length) => {
      for (let i = start; i < start + length; i++) view[i] = view[i]! * factors[unit]!
    })
  }
}
