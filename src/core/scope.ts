// Values that hold while a function runs: the path of a layer, the context of a call, the custom objects of a file. All
// of them are one immutable record, and each file declares the keys that it needs:
//
//   const path = scoped<readonly string[]>([])
//   path.within(['dense'], () => path.current)    // ['dense']

/** The value of each key, by its number; undefined while the key has its default. */
let scope: readonly unknown[] = []
let keys = 0

/** One key of the scope, with the type of its value, which is never undefined. */
export class Scoped<Value> {
  private readonly key = keys++

  /** @param initial the value outside of all scopes */
  constructor(private readonly initial: Value) {}

  get current(): Value {
    const value = scope[this.key]
    return value === undefined ? this.initial : (value as Value)
  }

  /**
   * Runs `body` with this value of the key. It holds until `body` returns or throws, also if it returns a promise: code that
   * runs later has the values of its own caller.
   */
  within<Result>(value: Value, body: () => Result): Result {
    const outer = scope
    const inner = [...outer]
    inner[this.key] = value
    scope = inner
    try {
      return body()
    } finally {
      scope = outer
    }
  }
}

export function scoped<Value>(initial: Value): Scoped<Value> {
  return new Scoped(initial)
}
