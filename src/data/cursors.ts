// The cursors of a Dataset's transformations. Each reads from the cursor of the data set that is transformed.

import { threefry2x32 } from '../core/threefry'
import type { Cursor, Soon, Source } from './source'
import { END, after, isPromise, skipByTaking, until } from './source'

/** A cursor that reads from another one. By default, it skips elements by reading them. */
export function cursor<T>(
  from: Pick<Cursor<unknown>, 'close'>,
  next: Cursor<T>['next'],
  skip?: Cursor<T>['skip'],
): Cursor<T> {
  return { next, skip: skip ?? ((count) => skipByTaking({ next }, count)), close: () => from.close() }
}

/** Adds up to `count` elements to a list. */
function take<T>(from: Cursor<T>, count: number, into: T[]): Soon<T[]> {
  const taken = until(() => {
    if (into.length >= count) return true
    return after(from.next(), (element) => {
      if (element === END) return true
      into.push(element)
      return false
    })
  })
  return after(taken, () => into)
}

export function mapped<From, To>(from: Cursor<From>, fn: (element: From, index: number) => Soon<To>): Cursor<To> {
  let index = 0
  const next = (): Soon<To | typeof END> =>
    after(from.next(), (element) => (element === END ? END : fn(element, index++)))
  return cursor(from, next, (count) => {
    index += count
    return from.skip(count)
  })
}

/** Like `mapped`, with up to `most` calls in progress at once. The order is kept. */
export function mappedInParallel<From, To>(
  from: Cursor<From>,
  fn: (element: From, index: number) => Soon<To>,
  most: number,
): Cursor<To> {
  // The promise is wrapped in an object, so that `mapped` does not await it.
  const begun = mapped(from, (element, index) => {
    const result = fn(element, index)
    if (isPromise(result)) result.catch(() => undefined)
    return { result }
  })
  return mapped(ahead(begun, most - 1, true), ({ result }) => result)
}

/**
 * Reads elements ahead, one after the other.
 * @param keepsAll also elements that are available at once
 */
export function ahead<T>(from: Cursor<T>, most: number, keepsAll = false): Cursor<T> {
  const read: (() => T | typeof END)[] = []
  let pending: Promise<void> | null = null
  let ended = false
  const keep = (entry: () => T | typeof END, isLast: boolean): void => {
    read.push(entry)
    ended ||= isLast
  }
  const fail = (error: unknown): void =>
    keep(() => {
      throw error
    }, true)
  // After closing, nothing is read: reading the next element might open files.
  const close = (): Soon<void> => {
    ended = true
    return from.close()
  }
  const hasRoom = (): boolean => pending === null && !ended && read.length < most
  const fill = (): void => {
    while (hasRoom()) {
      try {
        const element = from.next()
        if (!isPromise(element)) {
          keep(() => element, element === END)
          if (!keepsAll) return
          continue
        }
        pending = element
          .then((own) => keep(() => own, own === END), fail)
          .then(() => {
            pending = null
            fill()
          })
      } catch (error) {
        fail(error)
      }
    }
  }
  const next = (): Soon<T | typeof END> => {
    if (read.length === 0) fill()
    const first = read.shift()
    if (first === undefined) return pending === null ? END : pending.then(next)
    fill()
    return first()
  }
  const skip = (count: number): Soon<void> => {
    if (pending !== null) return pending.then(() => skip(count))
    const kept = read.splice(0, count)
    // Errors of skipped elements are thrown.
    for (const element of kept) element()
    return kept.length === count || ended ? undefined : from.skip(count - kept.length)
  }
  return { next, skip, close }
}

export function filtered<T>(from: Cursor<T>, keep: (element: T, index: number) => Soon<boolean>): Cursor<T> {
  let index = 0
  const next = (): Soon<T | typeof END> => {
    let found: T | typeof END = END
    const search = until(() =>
      after(from.next(), (element) => {
        if (element === END) return true
        return after(keep(element, index++), (isKept) => {
          if (isKept) found = element
          return isKept
        })
      }),
    )
    return after(search, () => found)
  }
  return cursor(from, next)
}

/** All elements of several sources, one source after the other. */
export function chained<T>(sources: () => Soon<Cursor<T> | typeof END>): Cursor<T> {
  let current: Cursor<T> | null = null
  let isClosed = false
  const open = (): Soon<Cursor<T> | typeof END> => (isClosed ? END : sources())
  const next = (): Soon<T | typeof END> => {
    let found: T | typeof END = END
    const search = until(() =>
      after(current ?? open(), (own) => {
        if (own === END) return true
        current = own
        // If the cursor was closed while the source was awaited, the source is closed, too.
        if (isClosed) return after(own.close(), () => true)
        return after(own.next(), (element) => {
          if (element !== END) {
            found = element
            return true
          }
          current = null
          return after(own.close(), () => false)
        })
      }),
    )
    return after(search, () => found)
  }
  const close = (): Soon<void> => {
    isClosed = true
    return current?.close()
  }
  return { next, skip: (count) => skipByTaking({ next }, count), close }
}

/** Passes groups of `size` elements to `group`; with `keepsRest` also the smaller rest at the end. */
export function grouped<T, Group>(
  from: Cursor<T>,
  size: number,
  keepsRest: boolean,
  group: (elements: T[]) => Soon<Group>,
): Cursor<Group> {
  const next = (): Soon<Group | typeof END> =>
    after(take(from, size, []), (elements) => {
      return elements.length === size || (keepsRest && elements.length > 0) ? group(elements) : END
    })
  return cursor(from, next, (count) => from.skip(count * size))
}

/**
 * Batches that reuse the memory of recycled ones. @param make gets a function that returns a recycled batch, if any
 */
export function lending<T>(make: (spare: () => T | undefined) => Cursor<T>): Cursor<T> {
  const spare: T[] = []
  const own = make(() => spare.pop())
  return { ...own, recycle: (batch) => void (spare.length < 2 && spare.push(batch)) }
}

/** Groups that may overlap, or leave gaps between them. */
export function windows<T>(
  from: Cursor<T>,
  { size, shift, stride, keepsRest }: { size: number; shift: number; stride: number; keepsRest: boolean },
): Cursor<T[]> {
  const span = (size - 1) * stride + 1
  let held: T[] = []
  let isFirst = true
  const next = (): Soon<T[] | typeof END> => {
    // Elements between windows are skipped, not stored.
    const gap = isFirst ? 0 : Math.max(0, shift - held.length)
    held = isFirst ? held : held.slice(shift)
    isFirst = false
    return after(from.skip(gap), () =>
      after(take(from, span, held), () => {
        if (held.length === 0 || (held.length < span && !keepsRest)) return END
        return held.filter((_, i) => i % stride === 0)
      }),
    )
  }
  return cursor(from, next)
}

/** Batches of elements with similar sizes. A batch is emitted when its bucket is full; the others follow at the end. */
export function bucketed<T>(
  from: Cursor<T>,
  { bucketOf, sizes, keepsRest }: { bucketOf: (element: T) => number; sizes: readonly number[]; keepsRest: boolean },
): Cursor<T[]> {
  const buckets = sizes.map((): T[] => [])
  const next = (): Soon<T[] | typeof END> => {
    let full: T[] | null = null
    const search = until(() =>
      after(from.next(), (element) => {
        if (element === END) return true
        const at = bucketOf(element)
        buckets[at]!.push(element)
        if (buckets[at]!.length < sizes[at]!) return false
        full = buckets[at]!
        buckets[at] = []
        return true
      }),
    )
    return after(search, () => {
      if (full !== null) return full
      const at = keepsRest ? buckets.findIndex(({ length }) => length > 0) : -1
      return at < 0 ? END : buckets.splice(at, 1, [])[0]!
    })
  }
  return cursor(from, next)
}

/** Elements in random order: each is drawn from a buffer, and the next element takes its place. */
export function shuffled<T>(from: Cursor<T>, size: number, seed: number, pass: number): Cursor<T> {
  const buffer: T[] = []
  let drawn = 0
  const next = (): Soon<T | typeof END> =>
    after(take(from, size, buffer), () => {
      if (buffer.length === 0) return END
      // The index of an element is the counter of its draw.
      const at = Math.floor(((threefry2x32(seed, pass, drawn++, 0)[0] >>> 0) / 2 ** 32) * buffer.length)
      const element = buffer[at]!
      const last = buffer.pop()!
      if (at < buffer.length) buffer[at] = last
      return element
    })
  return cursor(from, next)
}

export function limited<T>(from: Cursor<T>, count: number): Cursor<T> {
  let left = count
  const next = (): Soon<T | typeof END> => (left-- > 0 ? from.next() : END)
  return cursor(from, next, (skipped) => {
    const own = Math.min(skipped, Math.max(0, left))
    left -= own
    return from.skip(own)
  })
}

/** Closes the cursor when a pass fails, not only when it ends. A closed pass opens nothing more. */
export function closing<T>(from: Cursor<T>): Cursor<T> {
  let isClosed = false
  const close = (): Soon<void> => {
    isClosed = true
    return from.close()
  }
  const guarded = <Result>(body: () => Soon<Result>, closed: Result): Soon<Result> => {
    if (isClosed) return closed
    const result = settled(body)
    return isPromise(result)
      ? result.catch((error: unknown) => after(close(), () => Promise.reject<Result>(error)))
      : result
  }
  return {
    next: () => guarded(() => from.next(), END),
    skip: (count) => guarded(() => from.skip(count), undefined),
    close,
    recycle: (element) => from.recycle?.(element),
  }
}

/** The result of a function; an error becomes a rejected promise. */
function settled<T>(body: () => Soon<T>): Soon<T> {
  try {
    return body()
  } catch (error) {
    return Promise.reject(error)
  }
}

/** A list with one element of each cursor, until one of them ends. */
export function zipped(from: readonly Cursor<unknown>[]): Cursor<unknown[]> {
  const next = (): Soon<unknown[] | typeof END> => {
    // If one cursor fails at once, promises of the others must still be handled.
    const elements = from.map((each) => settled(() => each.next()))
    const whole = (all: unknown[]): unknown[] | typeof END => (all.includes(END) ? END : all)
    return elements.some(isPromise) ? Promise.all(elements).then(whole) : whole(elements)
  }
  const all = (body: (each: Cursor<unknown>) => Soon<void>): Soon<void> => {
    const done = from.map((each) => settled(() => body(each)))
    return done.some(isPromise) ? Promise.all(done.filter(isPromise)).then(() => undefined) : undefined
  }
  return { next, skip: (count) => all((each) => each.skip(count)), close: () => all((each) => each.close()) }
}

/** Collects the elements of a pass, and passes them to `keep` when the pass is complete. */
export function recording<T>(from: Cursor<T>, keep: (elements: readonly T[]) => void): Cursor<T> {
  const seen: T[] = []
  const next = (): Soon<T | typeof END> =>
    after(from.next(), (element) => {
      if (element === END) keep(seen)
      else seen.push(element)
      return element
    })
  return cursor(from, next)
}

/** Up to `count` passes of a source, one after the other. */
export function repeated<T>(source: Source<T>, count: number, pass: number): Cursor<T> {
  let done = 0
  const first = count === Infinity ? pass : pass * count
  // A source without elements would be opened forever.
  let isEmpty = false
  const own = (): Cursor<T> => {
    const from = source.open(first + done++)
    isEmpty = true
    return cursor(
      from,
      () =>
        after(from.next(), (element) => {
          isEmpty &&= element === END
          return element
        }),
      (skipped) => from.skip(skipped),
    )
  }
  const chain = chained(() => (done < count && !isEmpty ? own() : END))
  let isFresh = true
  return {
    ...chain,
    next() {
      isFresh = false
      return chain.next()
    },
    // From the beginning, whole passes are skipped by their number.
    skip(skipped) {
      const size = isFresh && Number.isFinite(source.size) ? source.size! : 0
      isFresh = false
      if (size === 0) return chain.skip(skipped)
      done = Math.floor(skipped / size)
      return chain.skip(skipped % size)
    },
  }
}
