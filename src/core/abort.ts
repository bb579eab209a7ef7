// Promises that a signal can end.

/** The result of a promise, or the reason of a signal, whichever comes first. */
export function unlessAborted<Result>(promise: Promise<Result>, signal: AbortSignal | null): Promise<Result> {
  if (signal === null) return promise
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason)
    const done = (): void => signal.removeEventListener('abort', stop)
    promise.then(resolve, reject).finally(done)
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop)
  })
}
