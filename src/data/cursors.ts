// The cursors of a Dataset's transformations. Each reads from the cursor of the data set that is transformed.

import { threefry2x32 } from '../core/threefry'
import type { Padding } from './samples/collate'
import { RowStore, blockOf, numberedRows, numbersOf, rowAt, type Block, type NumberedRows } from './samples/row-block'
import { after, isPromise, until, type Soon } from '../core/soon'
import { END, arraySource, deferred, skipByTaking, type Cursor, type Source } from './samples/source'

type ReadBlock<T> = NonNullable<Cursor<T>['block']>

/** A cursor that reads from another one. By default, it skips elements by reading them. */
export function cursor<T>(
  from: Pick<Cursor<unknown>, 'close'>,
  next: Cursor<T>['next'],
  { skip, block }: { skip?: Cursor<T>['skip']; block?: ReadBlock<T> | undefined } = {},
): Cursor<T> {
  const pass = (count: number): Soon<void> =>
    block === undefined ? skipByTaking({ next }, count) : gather({ block }, count, () => undefined)
  return { next, skip: skip ?? pass, close: () => from.close(), ...(block && { block }) }
}

/** A cursor that makes its rows in blocks. */
export function blocksOf<T>(from: Pick<Cursor<unknown>, 'close'>, block: ReadBlock<T>): Cursor<T> {
  const next = (): Soon<T | typeof END> => after(block(1), (rows) => (rows === END ? END : rowAt(rows, 0)))
  return cursor(from, next, { block })
}

/** The maximum number of rows of a block, even if the reader asks for more. */
const MOST_ROWS = 1024

type BlockCursor<T> = Cursor<T> & { readonly block: ReadBlock<T> }

function hasBlocks<T>(from: Cursor<T>): from is BlockCursor<T> {
  return from.block !== undefined
}

/** A cursor with blocks: `from` if it has them, otherwise one that makes blocks of the elements that are available at once. */
export function inBlocks<T>(from: Cursor<T>): BlockCursor<T> {
  if (hasBlocks(from)) return from
  /** What ended the last block, for the next call. */
  let held: (() => Soon<T | typeof END>) | null = null
  const next = (): Soon<T | typeof END> => {
    const first = held
    held = null
    return first === null ? from.next() : first()
  }
  const block = (most: number): Soon<Block<T> | typeof END> => {
    const elements: T[] = []
    while (elements.length < Math.min(most, MOST_ROWS)) {
      const element = settled(next)
      if (!isPromise(element) && element !== END) {
        elements.push(element)
        continue
      }
      if (elements.length === 0)
        return after<T | typeof END, Block<T> | typeof END>(element, (one) => (one === END ? END : blockOf([one])))
      if (isPromise(element)) element.catch(() => undefined)
      held = () => element
      break
    }
    return blockOf(elements)
  }
  const skip = (count: number): Soon<void> => (held === null ? from.skip(count) : skipByTaking({ next }, count))
  return { next, skip, close: () => from.close(), recycle: (element) => from.recycle?.(element), block }
}

/** Passes up to `count` rows to `add`, in blocks. */
export function gather<T>(
  from: { readonly block: ReadBlock<T> },
  count: number,
  add: (rows: Block<T>) => void,
): Soon<void> {
  let left = count
  return until(
    () =>
      left <= 0 ||
      after(from.block(Math.min(left, MOST_ROWS)), (rows) => {
        if (rows === END) return true
        add(rows)
        left -= rows.count
        return left <= 0
      }),
  )
}

/** Rows by their numbers. */
export function numberedSource<T>(rows: NumberedRows<T>): Source<T> {
  const { size } = rows
  const format = numbersOf(rows)
  const open = (): Cursor<T> => {
    let at = 0
    let numbers = new Int32Array(0)
    const block = (most: number): Block<T> | typeof END => {
      const count = Math.min(most, MOST_ROWS, size - at)
      if (count <= 0) return END
      if (numbers.length < count) numbers = new Int32Array(count)
      for (let i = 0; i < count; i++) numbers[i] = at++
      return { format, columns: [numbers], places: 0, count }
    }
    return {
      next: () => (at < size ? rows.row(at++) : END),
      skip: (count) => void (at += count),
      close: () => undefined,
      block,
    }
  }
  return { size, open }
}

/** A cursor that opens asynchronously, and has blocks if the opened one has. */
export function opening<T>(open: () => Soon<Cursor<T>>): Cursor<T> {
  let block: ReadBlock<T>
  const opened = deferred(() =>
    after(open(), (made) => {
      const rows = inBlocks(made)
      block = rows.block
      return rows
    }),
  )
  // Skipping nothing opens it.
  return { ...opened, block: (most) => after(opened.skip(0), () => block(most)) }
}

/** All but the first `count` elements. */
export function skipping<T>(from: Cursor<T>, count: number): Cursor<T> {
  const { block, ...rest } = opening(() => after(from.skip(count), () => from))
  return { ...rest, close: () => from.close(), ...(from.block && { block }) }
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
  return cursor(from, next, {
    skip(count) {
      index += count
      return from.skip(count)
    },
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
          .then((made) => keep(() => made, made === END), fail)
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
  let current: BlockCursor<T> | null = null
  let isClosed = false
  const open = (): Soon<Cursor<T> | typeof END> => (isClosed ? END : sources())
  /** Reads from the current source, or from the first after it that is not at its end. */
  const first = <Found>(read: (from: BlockCursor<T>) => Soon<Found | typeof END>): Soon<Found | typeof END> => {
    let found: Found | typeof END = END
    const search = until(() =>
      after(current ?? open(), (opened) => {
        if (opened === END) return true
        const from = opened === current ? current : inBlocks(opened)
        current = from
        // If the cursor was closed while the source was awaited, the source is closed, too.
        if (isClosed) return after(from.close(), () => true)
        return after(read(from), (element) => {
          if (element !== END) {
            found = element
            return true
          }
          current = null
          return after(from.close(), () => false)
        })
      }),
    )
    return after(search, () => found)
  }
  const next = (): Soon<T | typeof END> => first((from) => from.next())
  const close = (): Soon<void> => {
    isClosed = true
    return current?.close()
  }
  const block: ReadBlock<T> = (most) => first((from) => from.block(most))
  return { ...cursor({ close }, next, { block }), close }
}

/** How rows become batches. */
interface Batching {
  readonly where: string
  readonly size: number
  /** Whether the last batch may be smaller. */
  readonly keepsRest: boolean
  readonly padding: Padding | null
}

/** Batches of rows, which reuse the memory of recycled ones. */
export function batched<T>(source: Cursor<T>, { where, size, keepsRest, padding }: Batching): Cursor<unknown> {
  const from = inBlocks(source)
  const spare: unknown[] = []
  const next = (): Soon<unknown> => {
    const rows = new RowStore<T>(size, spare.pop())
    return after(
      gather(from, size, (block) => rows.add(block)),
      () => (rows.count === size || (keepsRest && rows.count > 0) ? rows.batch(where, padding) : END),
    )
  }
  return {
    ...cursor(from, next, { skip: (count) => from.skip(count * size) }),
    recycle: (batch) => void (spare.length < 2 && spare.push(batch)),
  }
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
  let drawn = 0
  const draw = <Drawn>(buffer: Drawn[]): Drawn => {
    // The index of an element is the counter of its draw.
    const at = Math.floor(((threefry2x32(seed, pass, drawn++, 0)[0] >>> 0) / 2 ** 32) * buffer.length)
    const element = buffer[at]!
    const last = buffer.pop()!
    if (at < buffer.length) buffer[at] = last
    return element
  }
  if (hasBlocks(from)) return shuffledRows(from, size, draw)
  const buffer: T[] = []
  return cursor(from, () => after(take(from, size, buffer), () => (buffer.length === 0 ? END : draw(buffer))))
}

/** The buffer has the places of rows in a store. The place of a drawn row becomes free after the row was used. */
function shuffledRows<T>(from: BlockCursor<T>, size: number, draw: (places: number[]) => number): Cursor<T> {
  const rows = new RowStore<T>(size)
  const buffer: number[] = []
  /** Places of rows that are not in the buffer yet. */
  const coming: number[] = []
  const free: number[] = []
  let places = new Int32Array(0)
  let count = 0
  const place = (end: number): number => {
    const to = free.pop() ?? end
    coming.push(to)
    return to
  }
  const add = (block: Block<T>): void => {
    if (block.count === 1) return rows.add(block, place(rows.count))
    const to = new Int32Array(block.count)
    for (let i = 0, end = rows.count; i < to.length; i++) {
      to[i] = place(end)
      if (to[i] === end) end++
    }
    rows.add(block, to)
  }
  /** Reads the rows that so many draws need. */
  const read = (draws: number): Soon<void> => {
    for (let i = 0; i < count; i++) free.push(places[i]!)
    count = 0
    coming.length = 0
    return gather(from, size - buffer.length + draws - 1, add)
  }
  const next = (): Soon<T | typeof END> =>
    after(read(1), () => {
      for (const each of coming) buffer.push(each)
      if (buffer.length === 0) return END
      const drawn = draw(buffer)
      free.push(drawn)
      return rows.row(drawn)
    })
  const block = (most: number): Soon<Block<T> | typeof END> =>
    after(read(most), () => {
      if (places.length < most) places = new Int32Array(most)
      let entered = 0
      for (; count < most; count++) {
        while (buffer.length < size && entered < coming.length) buffer.push(coming[entered++]!)
        if (buffer.length === 0) break
        places[count] = draw(buffer)
      }
      return count === 0 ? END : { ...rows.all, places, count }
    })
  return cursor(from, next, { block })
}

export function limited<T>(from: Cursor<T>, count: number): Cursor<T> {
  let left = count
  const next = (): Soon<T | typeof END> => (left-- > 0 ? from.next() : END)
  const block: ReadBlock<T> = (most) =>
    left <= 0
      ? END
      : after(from.block!(Math.min(most, left)), (rows) => {
          if (rows !== END) left -= rows.count
          return rows
        })
  return cursor(from, next, {
    skip(skipped) {
      const possible = Math.min(skipped, Math.max(0, left))
      left -= possible
      return from.skip(possible)
    },
    block: from.block && block,
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
    ...(from.block && { block: (most: number) => guarded<Block<T> | typeof END>(() => from.block!(most), END) }),
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

/** The collected rows, for any number of passes. */
function sourceOfRows<T>(rows: RowStore<T>): Source<T> {
  return rows.elements === null ? numberedSource(numberedRows(rows.all)) : arraySource(rows.elements)
}

/** Collects the rows of a pass, and passes them to `keep` when the pass is complete. */
export function recording<T>(from: Cursor<T>, keep: (rows: Source<T>) => void): Cursor<T> {
  const seen = new RowStore<T>()
  const record = <Read>(read: Read | typeof END, blockOfRead: (read: Read) => Block<T>): Read | typeof END => {
    if (read === END) keep(sourceOfRows(seen))
    else seen.add(blockOfRead(read))
    return read
  }
  const next = (): Soon<T | typeof END> => after(from.next(), (element) => record<T>(element, (row) => blockOf([row])))
  const block: ReadBlock<T> = (most) => after(from.block!(most), (rows) => record<Block<T>>(rows, (read) => read))
  return cursor(from, next, { block: from.block && block })
}

/** Up to `count` passes of a source, one after the other. */
export function repeated<T>(source: Source<T>, count: number, pass: number): Cursor<T> {
  let done = 0
  const first = count === Infinity ? pass : pass * count
  // A source without elements would be opened forever.
  let isEmpty = false
  const onePass = (): Cursor<T> => {
    const from = source.open(first + done++)
    isEmpty = true
    const met = <Read>(read: Read | typeof END): Read | typeof END => {
      isEmpty &&= read === END
      return read
    }
    return cursor(from, () => after(from.next(), met<T>), {
      skip: (skipped) => from.skip(skipped),
      block: from.block && ((most) => after(from.block!(most), met<Block<T>>)),
    })
  }
  const chain = chained(() => (done < count && !isEmpty ? onePass() : END))
  let isFresh = true
  return {
    ...chain,
    next() {
      isFresh = false
      return chain.next()
    },
    block(most) {
      isFresh = false
      return chain.block!(most)
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
