// Passes over data that a signal ends.

import { abortSignal, nullable, option, type OptionInputs } from '../../core/options'
import { Pace } from './pace'
import type { Block } from './row-block'
import { after, isPromise, type Soon } from '../../core/soon'
import { END, type Cursor, type Source } from './source'

const signalRows = () => ({
  /** Ends reading at once, also while data are waited for: it fails with the signal's reason, and files are closed. Default: none. */
  signal: option(nullable(abortSignal), null),
})
type SignalRows = ReturnType<typeof signalRows>
export type SignalTable = { [Name in keyof SignalRows]: SignalRows[Name] }
export const signalOption: () => SignalTable = signalRows
/** Options of whatever reads and has no others. */
export type ReadOptions = OptionInputs<ReturnType<typeof signalOption>>

/**
 * A pass that ends with the reason of a signal. Its source is closed when the signal aborts, not at the next read. While
 * elements are available at once, the pass yields to the event loop every 10 ms, so that timers can fire.
 */
export function abortable<T>(from: Cursor<T>, signal: AbortSignal | null): Cursor<T> {
  if (signal === null) return from
  const pace = new Pace(signal)
  const close = (): Soon<void> => {
    signal.removeEventListener('abort', abort)
    return signal.aborted ? undefined : from.close()
  }
  // Does not wait for the end of an aborted pass: what it waits for may never come.
  const abort = (): void =>
    void Promise.resolve()
      .then(() => from.close())
      .catch(() => undefined)
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort, { once: true })
  /** The number of elements that the last call read. */
  let read = 1
  const guarded = <Result>(body: () => Soon<Result>): Soon<Result> => {
    signal.throwIfAborted()
    const result = pace.isDue(read) ? pace.yield().then(body) : body()
    read = 1
    return isPromise(result) ? pace.wait(result) : result
  }
  const met = <Read>(element: Read | typeof END): Read | typeof END => {
    if (element === END) signal.removeEventListener('abort', abort)
    return element
  }
  const block = (most: number): Soon<Block<T> | typeof END> =>
    after(
      guarded(() => from.block!(Math.min(most, pace.ahead))),
      (rows) => {
        if (rows !== END) read = rows.count
        return met<Block<T>>(rows)
      },
    )
  return {
    next: () =>
      after(
        guarded(() => from.next()),
        met<T>,
      ),
    skip: (count) => guarded(() => from.skip(count)),
    close,
    recycle: (element) => from.recycle?.(element),
    ...(from.block && { block }),
  }
}

/** A source whose passes end with the reason of a signal. */
export function abortableSource<T>(source: Source<T>, signal: AbortSignal | null): Source<T> {
  if (signal === null) return source
  const { size, isOnce = false } = source
  return { size, isOnce, open: (pass, ahead) => abortable(source.open(pass, ahead), signal) }
}
