// Numbers that tell objects apart: in keys of programs, and for an order in time.

const numbers = /* @__PURE__ */ new WeakMap<object, number>()
/** Of the whole program, because keys combine the numbers of objects that know nothing of each other. */
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
