// Changed configurations of files of Keras: a value at a random place becomes one of another kind, or goes elsewhere.

import * as fc from 'fast-check'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** Values that no configuration expects where they are put. */
export const VALUES: readonly Json[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  3,
  2 ** 40,
  -(2 ** 53),
  1e308,
  '',
  'x',
  'constructor',
  '__proto__',
  'relu',
  [],
  [null],
  [[]],
  [[[1, 2]], 3],
  [1, 2, 3],
  ['a', null],
  {},
  { class_name: 'Dense', config: {} },
  { class_name: 'Dense', config: null },
  { class_name: '__keras_tensor__', config: {} },
  { class_name: '__lambda__', config: {} },
  { toString: 1, length: -1 },
]

/** The paths of all values in a tree. */
function places(value: Json, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [path]
  return [path, ...Object.entries(value).flatMap(([key, each]) => places(each, [...path, key]))]
}

function at(value: Json, path: readonly (string | number)[]): Json {
  return path.reduce<Json>((found, key) => (found as { [key: string]: Json } | null)?.[key] ?? null, value)
}

/** A copy with other values at some places. */
export function mutated(config: Json): fc.Arbitrary<Json> {
  const all = places(config)
  const change = fc.tuple(
    fc.nat(all.length - 1),
    fc.oneof(
      fc.constantFrom(...VALUES).map((value) => () => value),
      fc.nat(all.length - 1).map((other) => () => at(config, all[other]!)),
      fc.constant(undefined),
    ),
  )
  return fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) => {
    const copy = structuredClone(config)
    for (const [place, value] of changes) {
      const path = all[place]!
      const parent = at(copy, path.slice(0, -1))
      const key = path.at(-1)
      if (key === undefined || typeof parent !== 'object' || parent === null) continue
      if (value === undefined) delete (parent as { [key: string]: Json })[key]
      else (parent as { [key: string]: Json })[key] = structuredClone(value())
    }
    return copy
  })
}
