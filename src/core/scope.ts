// Values that hold while a function runs: the path of a layer, the context of a call, the custom objects of a file. All
// of them are one immutable record, and each file declares the keys that it needs:
//
//   const path = scoped<readonly string[]>([])
//   path.within(['dense'], () => path.current)    // ['dense']

/** The values of all keys that are not at their default. */
let scope: Readonly<Record<symbol, unknown>> = {}

/** One key of the scope, with the type of its value. */
export interface Scoped<Value> {
  readonly current: Value
  /**
   * Runs `body` with this value. It holds until `body` returns or throws, also if it returns a promise: what runs later
   * sees the values of its own caller.
   */
  within<Result>(value: Value, body: () => Result): Result
}

/** @param initial the value outside of all scopes */
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
