// Stops waiting for a promise when a signal aborts.

/** Settles with the promise, or rejects with the signal's reason, whichever comes first. */
export function orAbort<Result>(promise: Promise<Result>, signal: AbortSignal | null): Promise<Result> {
  if (signal === null) return promise
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason)
    const done = (): void => signal.removeEventListener('abort', stop)
    promise.then(resolve, reject).finally(done)
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop)
  })
}
