// Scoped values, which hold while a function runs: the names of the layers around a weight, the context of a call, the custom objects
// of a file. Each file declares those that it needs:
//
//   const path = scoped<readonly string[]>([])
//   path.within(['dense'], () => path.current)    // ['dense']

/** A scoped value. */
export class Scoped<Value> {
  /** @param value the value outside of every `within` */
  constructor(private value: Value) {}

  get current(): Value {
    return this.value
  }

  /**
   * Runs `body` with this value, until `body` returns or throws. If it returns a promise, code that runs after an `await`
   * does not see the value.
   */
  within<Result>(value: Value, body: () => Result): Result {
    const outer = this.value
    this.value = value
    try {
      return body()
    } finally {
      this.value = outer
    }
  }
}

/** Declares a scoped value. @param initial the value outside of every `within` */
/* @__NO_SIDE_EFFECTS__ */
export function scoped<Value>(initial: Value): Scoped<Value> {
  return new Scoped(initial)
}
