// Values that take long to make, such as an index of a large table: they are made when they are first read.

/** A function that makes its value at the first call, and returns the same value from then on. */
/* @__NO_SIDE_EFFECTS__ */
export function once<Value>(make: () => Value): () => Value {
  const made: Value[] = []
  return () => {
    if (made.length === 0) made.push(make())
    return made[0]!
  }
}
