// Makes one record of several, such as the options of a layer: those of its family, and those that only this layer has.

/**
 * One record with the properties of several, as `{ ...a, ...b }`. Its type refers to the types of the parts, so that editors show their
 * documentation. The type of a spread would repeat the properties without it. Bundlers drop an unused call, but not an unused spread.
 */
/* @__NO_SIDE_EFFECTS__ */
export function merged<A extends object, B extends object, C = unknown, D = unknown, E = unknown>(
  a: A,
  b: B,
  c?: C,
  d?: D,
  e?: E,
): A & B & C & D & E
/* @__NO_SIDE_EFFECTS__ */
export function merged(...parts: readonly object[]): object {
  return Object.assign({}, ...parts)
}

/** Like `merged`, but a property of `b` may have another type than the property of `a` that it replaces. */
/* @__NO_SIDE_EFFECTS__ */
export function replaced<A extends object, B extends object>(a: A, b: B): Omit<A, keyof B> & B {
  return Object.assign({}, a, b)
}
