// Values that hold while a function runs: the path of a layer, the context of a call, the custom objects of a file. All
// of them are one immutable record, and each file declares the keys that it needs:
//
//   const path = scoped<readonly string[]>([])
//   path.within(['dense'], () => path.current)    // ['dense']

/** The values of all keys that are not at their default. */
type Scope = Readonly<Record<symbol, unknown>>

let scope: Scope = {}

/**
 * Runs `body` with some values changed. They hold until `body` returns or throws, also if it returns a promise: what
 * runs later sees the values of its own caller.
 */
export function within<Result>(changes: Scope, body: () => Result): Result {
  const outer = scope
  scope = { ...outer, ...changes }
  try {
    return body()
  } finally {
    scope = outer
  }
}

/** One key of the scope, with the type of its value. */
export class Scoped<Value> {
  private readonly key = Symbol()

  /** @param initial the value outside of all scopes */
  constructor(private readonly initial: Value) {}

  get current(): Value {
    const { key } = this
    return key in scope ? (scope[key] as Value) : this.initial
  }

  /** The change of a scope that gives this key a value, for `within`. */
  as(value: Value): Scope {
    return { [this.key]: value }
  }

  /** Runs `body` with this value of the key. */
  within<Result>(value: Value, body: () => Result): Result {
    return within(this.as(value), body)
  }
}

export function scoped<Value>(initial: Value): Scoped<Value> {
  return new Scoped(initial)
}
