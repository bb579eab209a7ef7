// Records that are made of others at the top level of a module.

/** A type as one object, which editors show. */
type Flat<Type> = { [Key in keyof Type]: Type[Key] } & {}

/** One record with the properties of several. Bundlers drop an unused call of it, but no unused spread. */
/* @__NO_SIDE_EFFECTS__ */
export function merged<A extends object, B extends object, C extends object = object>(
  a: A,
  b: B,
  c?: C,
): Flat<A & B & C> {
  return Object.assign({}, a, b, c) as Flat<A & B & C>
}
