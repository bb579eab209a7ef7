// Values that are available at once, or as promises.

/** A value, or a promise of it. Most values are available at once, and then nothing is awaited. */
export type Soon<T> = T | Promise<T>

/** Calls `then` with a value: now if it is available, otherwise when it is. */
export function after<From, To>(value: Soon<From>, then: (value: From) => Soon<To>): Soon<To> {
  return isPromise(value) ? Promise.resolve(value).then(then) : then(value)
}

export function isPromise<T>(value: Soon<T>): value is Promise<T> {
  return (
    value instanceof Promise ||
    (typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function')
  )
}

/** Calls `step` until it returns true; awaits only promises. */
export function until(step: () => Soon<boolean>): Soon<void> {
  for (;;) {
    const done = step()
    if (isPromise(done)) return untilLater(done, step)
    if (done) return undefined
  }
}

/** Awaits in a loop: a chain of promises would grow with every step. */
async function untilLater(first: Promise<boolean>, step: () => Soon<boolean>): Promise<void> {
  let isDone = await first
  while (!isDone) {
    const next = step()
    isDone = isPromise(next) ? await next : next
  }
}
