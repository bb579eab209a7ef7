// Records that are made of others, such as the options of a layer of those of its family.

/**
 * One record with the properties of several, as `{ ...a, ...b }`. Its type names those of the parts, so that the declarations refer to
 * their documentation instead of repeating the types without it; and bundlers drop an unused call, but no unused spread.
 */
/* @__NO_SIDE_EFFECTS__ */
export function merged<A extends object, B extends object, C = unknown, D = unknown, E = unknown>(
  a: A,
  b: B,
  c?: C,
  d?: D,
  e?: E,
): A & B & C & D & E {
  return Object.assign({}, a, b, c, d, e) as A & B & C & D & E
}

/** Like `merged`, where properties of `b` take the places of those of `a`, also with other types. */
/* @__NO_SIDE_EFFECTS__ */
export function replaced<A extends object, B extends object>(a: A, b: B): Omit<A, keyof B> & B {
  return Object.assign({}, a, b)
}
