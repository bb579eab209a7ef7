// Sources that are made of thousands of others: the engine has no room for their calls, and the error says so.

import { StateError } from '../core/errors'
import type { Block } from './samples/row-block'
import { isPromise, type Soon } from '../core/soon'
import type { END, Source } from './samples/source'

/**
 * Runs a step of a pass. Data sets that are made of each other call each other, so the engine has no room for thousands of them.
 * @throws StateError for these
 */
function withinStack<Result>(body: () => Result): Result {
  try {
    return body()
  } catch (error) {
    throw stackError(error)
  }
}

/** The error of too many calls as one that says where they come from; other errors as they are. */
function stackError(error: unknown): unknown {
  if (!(error instanceof RangeError && /call stack/i.test(error.message))) return error
  return new StateError(
    'Dataset: the calls of its transformations are nested too deeply. A data set can be made of hundreds of others, not of thousands: map and filter in one function, and concatenate parts of equal size.',
    { cause: error },
  )
}

/** A source whose passes report calls that are nested too deeply. */
export function stackSafe<T>(source: Source<T>): Source<T> {
  const later = async <Value>(value: Promise<Value>): Promise<Value> => {
    try {
      return await value
    } catch (error) {
      throw stackError(error)
    }
  }
  const checked = <Value>(body: () => Soon<Value>): Soon<Value> => {
    const value = withinStack(body)
    return isPromise(value) ? later(value) : value
  }
  return {
    size: source.size,
    ...(source.isOnce === undefined ? {} : { isOnce: source.isOnce }),
    open: (pass, ahead) => {
      const cursor = withinStack(() => source.open(pass, ahead))
      return {
        next: () => checked(() => cursor.next()),
        skip: (count) => checked(() => cursor.skip(count)),
        close: () => checked(() => cursor.close()),
        ...(cursor.recycle === undefined ? {} : { recycle: (element: T) => cursor.recycle!(element) }),
        ...(cursor.block && { block: (most: number) => checked<Block<T> | typeof END>(() => cursor.block!(most)) }),
      }
    },
  }
}
