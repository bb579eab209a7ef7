// Numbers of objects: they distinguish objects in the keys of programs, and order them by time.

const numbers = /* @__PURE__ */ new WeakMap<object, number>()
/** The last number. There is one count for the whole program, because a key contains numbers of objects of several kinds. */
let last = 0

/** A number that is larger than all before. */
export function nextNumber(): number {
  return ++last
}

/** The number of an object, the same each time. */
export function numberOf(object: object): number {
  let number = numbers.get(object)
  if (number === undefined) numbers.set(object, (number = nextNumber()))
  return number
}
