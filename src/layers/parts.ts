// Finds the parts of a layer: layers, variables and random streams in its properties, also inside arrays, records, Maps
// and Sets.

import { isBranch } from '../core/tree'
import { SeedGenerator } from '../ops/random/generator'
import { Variable } from '../ops/variable'

/** A layer in another one. */
export interface Part {
  readonly name: string
  trainable: boolean
}

export interface Parts {
  readonly sublayers: readonly Part[]
  /** The sublayers as a set. */
  readonly owned: ReadonlySet<object>
  readonly variables: readonly Variable[]
  readonly generators: readonly SeedGenerator[]
}

/**
 * @param isLayer tells a layer from other objects
 * @param first layers that are listed before those in properties
 * @param last layers that are listed after them
 */
export function findParts(
  of: object,
  isLayer: (value: object) => value is Part,
  first: readonly Part[],
  last: readonly Part[],
): Parts {
  const sublayers = new Set<Part>(first)
  const variables = new Set<Variable>()
  const generators = new Set<SeedGenerator>()
  const seen = new Set<object>([of])
  const search = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    if (isLayer(value)) return void (value !== of && sublayers.add(value))
    if (value instanceof Variable) return void variables.add(value)
    if (value instanceof SeedGenerator) return void generators.add(value)
    const isCollection = value instanceof Map || value instanceof Set
    if (seen.has(value) || !(isCollection || isBranch(value))) return
    seen.add(value)
    // A list that starts with a number is data and has no parts.
    if (Array.isArray(value) && typeof value[0] === 'number') return
    if (isCollection) value.forEach(search)
    else Object.values(value).forEach(search)
  }
  Object.values(of).forEach(search)
  last.forEach((layer) => sublayers.add(layer))
  return {
    sublayers: Object.freeze([...sublayers]),
    owned: sublayers,
    variables: [...variables],
    generators: [...generators],
  }
}
