// Scoped values, which hold while a function runs: the path of a layer, the context of a call, the custom objects of a
// file. All of them are in one immutable record, and each file declares the keys that it needs:
//
//   const path = scoped<readonly string[]>([])
//   path.within(['dense'], () => path.current)    // ['dense']

/** The scoped values that were set. */
let scope: Readonly<Record<symbol, unknown>> = {}

/** A scoped value. */
export interface Scoped<Value> {
  readonly current: Value
  /**
   * Runs `body` with this value, until `body` returns or throws. If it returns a promise, code that runs after an `await`
   * does not see the value.
   */
  within<Result>(value: Value, body: () => Result): Result
}

/** Declares a scoped value. @param initial the value outside of every `within` */
export function scoped<Value>(initial: Value): Scoped<Value> {
  const key = Symbol()
  return {
    get current() {
      return key in scope ? (scope[key] as Value) : initial
    },
    within(value, body) {
      const outer = scope
      scope = { ...outer, [key]: value }
      try {
        return body()
      } finally {
        scope = outer
      }
    },
  }
}
