// Scoped values, which hold while a function runs: the path of a layer, the context of a call, the custom objects of a
// file. All of them are in one immutable record, and each file declares the keys that it needs:
//
//   const path = scoped<readonly string[]>([])
//   path.within(['dense'], () => path.current)    // ['dense']

/** The scoped values that were set, by number. */
let scope: readonly unknown[] = []
let count = 0
/** Stands for undefined, because a value that was not set is undefined. */
const UNDEFINED = Symbol()

/** A scoped value. */
export class Scoped<Value> {
  private readonly number = count++

  /** @param initial the value outside of every `within` */
  constructor(private readonly initial: Value) {}

  get current(): Value {
    const value = scope[this.number]
    if (value === undefined) return this.initial
    return (value === UNDEFINED ? undefined : value) as Value
  }

  /**
   * Runs `body` with this value, until `body` returns or throws. If it returns a promise, code that runs after an `await`
   * does not see the value.
   */
  within<Result>(value: Value, body: () => Result): Result {
    const outer = scope
    const inner = [...outer]
    inner[this.number] = value === undefined ? UNDEFINED : value
    scope = inner
    try {
      return body()
    } finally {
      scope = outer
    }
  }
}

/** Declares a scoped value. @param initial the value outside of every `within` */
/* @__NO_SIDE_EFFECTS__ */
export function scoped<Value>(initial: Value): Scoped<Value> {
  return new Scoped(initial)
}
