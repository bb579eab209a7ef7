// Sources of elements, which are available at once or as promises. Dataset builds on them, and fit reads from them.
// Elements can be anything.

import { ArgumentError, DataError, quoted } from '../../core/errors'
import { after, isPromise, until, type Soon } from '../../core/soon'
import { typed } from '../../core/tree'
import type { Block } from './row-block'

/** The end of a pass. */
export const END: unique symbol = Symbol('end')

/** One pass over elements. */
export interface Cursor<T> {
  next(): Soon<T | typeof END>
  /** Skips up to `count` elements; faster than `next` if they need not be made. */
  skip(count: number): Soon<void>
  /** Closes files and streams. Nothing is read afterwards. */
  close(): Soon<void>
  /** Takes back an element that is no longer used, so that a later one can reuse its memory. */
  recycle?(element: T): void
  /**
   * The next elements as a block of up to `most` rows, which is valid until the next call. It is read like `most` elements that
   * are all needed: as many calls of `next` may have an error where it has one.
   */
  block?(most: number): Soon<Block<T> | typeof END>
}

/**
 * A pass as one over elements of a type that follows from options or from the structure of other elements. The code that makes
 * such elements does not know their type.
 */
export function passAs<T>(pass: Cursor<unknown>): Cursor<T> {
  return typed(pass)
}

/** Elements that can be read in many passes. */
export interface Source<T = unknown> {
  /** The number of elements of a pass: Infinity for an endless one, null if unknown. */
  readonly size: number | null
  /** Whether there is only one pass: a running generator, or a stream. */
  readonly isOnce?: boolean
  /** The same for a reader that is no other source. */
  readonly outermost?: Source<T>
  /**
   * Begins a pass. Passes with the same number have the same elements in the same order.
   * @param ahead the number of elements that the reader keeps ready, for which a source may use threads. Default 0
   */
  open(pass: number, ahead?: number): Cursor<T>
}

/** Skips elements by reading them. */
export function skipByTaking(cursor: Pick<Cursor<unknown>, 'next'>, count: number): Soon<void> {
  let left = count
  return until(() => left-- <= 0 || after(cursor.next(), (element) => element === END))
}

/** The values that a source can be made of; a function creates a new one for every pass. */
type Elements<T> = Iterable<T> | AsyncIterable<T> | Iterator<T> | AsyncIterator<T> | ReadableStream<T> | Source<T>
export type ElementsOrMaker<T> = Elements<T> | (() => Soon<Elements<T>>)

/**
 * A source from an iterable, from a stream, or from a function that creates one of these for every pass.
 * @throws ArgumentError for other values
 */
export function sourceOf<T>(elements: ElementsOrMaker<T>, where: string): Source<T> {
  if (isSource<T>(elements)) return elements
  if (typeof elements === 'function')
    return { size: null, open: (pass) => deferred(() => after(elements(), (made) => sourceOf(made, where).open(pass))) }
  if (Array.isArray(elements)) return arraySource(elements as readonly T[])
  requireElements(elements, where)
  let isRead = false
  const isOnce = isReadOnce(elements)
  return {
    size: sizeIn(elements),
    isOnce,
    open() {
      if (isOnce && isRead) {
        throw new DataError(
          `${where}: a one-shot source was already read. Give a function that creates it again: () => …`,
        )
      }
      isRead = true
      return new IteratorCursor(iteratorOf<T>(elements))
    },
  }
}

/** The same for a reader that is no other source, such as fit. */
export function outermostOf<T>(elements: ElementsOrMaker<T>, where: string): Source<T> {
  const source = sourceOf(elements, where)
  return source.outermost ?? source
}

function isSource<T>(value: unknown): value is Source<T> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'open' in value &&
    typeof value.open === 'function' &&
    'size' in value
  )
}

/** Whether a value is a sequence of elements: not an array, a tensor or a record, which are data themselves. */
export function isElements(value: unknown): value is ElementsOrMaker<unknown> {
  if (typeof value === 'function') return true
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) return false
  return isSource(value) || Symbol.asyncIterator in value || Symbol.iterator in value || 'getReader' in value
}

function requireElements(elements: object, where: string): void {
  if (typeof elements !== 'string' && (isElements(elements) || isIterator(elements))) return
  throw new ArgumentError(
    `${where}: expected an array, an (async) iterable, a stream or a function that makes one, received ${quoted(elements)}`,
  )
}

function isIterator(value: unknown): value is Iterator<unknown> {
  return typeof value === 'object' && value !== null && 'next' in value && typeof value.next === 'function'
}

/** Whether elements can be read only once: those of streams, and of running generators, which are iterators themselves. */
function isReadOnce(elements: object): boolean {
  if ('getReader' in elements || 'pipe' in elements) return true
  return 'next' in elements && typeof elements.next === 'function'
}

function sizeIn(elements: object): number | null {
  return elements instanceof Set || elements instanceof Map ? elements.size : null
}

function iteratorOf<T>(elements: Exclude<Elements<T>, Source<T>>): Iterator<T> | AsyncIterator<T> {
  if (isWebStream<T>(elements)) return readerOf(elements)
  if (isNodeStream<T>(elements)) return iteratorOfNode(elements)
  if (Symbol.asyncIterator in elements) return elements[Symbol.asyncIterator]()
  return Symbol.iterator in elements ? elements[Symbol.iterator]() : elements
}

function isWebStream<T>(value: object): value is ReadableStream<T> {
  return 'getReader' in value
}

/** A stream of Node. Node's types of streams exist only in Node. */
interface NodeStream<T> extends AsyncIterable<T> {
  destroy(): unknown
}

function isNodeStream<T>(value: object): value is NodeStream<T> {
  return Symbol.asyncIterator in value && 'pipe' in value && 'destroy' in value && typeof value.destroy === 'function'
}

/** The `return` of the stream's iterator would wait for the pending chunk, which may never come. */
function iteratorOfNode<T>(stream: NodeStream<T>): AsyncIterator<T> {
  const iterator = stream[Symbol.asyncIterator]()
  return {
    next: () => iterator.next(),
    return: async () => {
      stream.destroy()
      return { done: true, value: undefined }
    },
  }
}

/** Not every browser can iterate over a stream, and the `return` of a stream's iterator waits for a pending chunk. */
function readerOf<T>(stream: ReadableStream<T>): AsyncIterator<T> {
  const reader = stream.getReader()
  return {
    next: async () => (await reader.read()) as IteratorResult<T>,
    return: async () => {
      await reader.cancel()
      return { done: true, value: undefined }
    },
  }
}

class IteratorCursor<T> implements Cursor<T> {
  constructor(private readonly iterator: Iterator<T> | AsyncIterator<T>) {}

  next(): Soon<T | typeof END> {
    return after<IteratorResult<T>, T | typeof END>(this.iterator.next(), ({ done, value }) =>
      done === true ? END : value,
    )
  }

  skip(count: number): Soon<void> {
    return skipByTaking(this, count)
  }

  close(): Soon<void> {
    return after<unknown, void>(this.iterator.return?.(), () => undefined)
  }
}

/** The elements of an array. */
export function arraySource<T>(elements: readonly T[]): Source<T> {
  return indexedSource(elements.length, (i) => elements[i]!)
}

/** A source whose elements are computed from their indices. */
export function indexedSource<T>(size: number, make: (i: number) => T): Source<T> {
  return {
    size,
    open() {
      let at = 0
      return {
        next: () => (at < size ? make(at++) : END),
        skip: (count) => void (at += count),
        close: () => undefined,
      }
    },
  }
}

/** A cursor that opens asynchronously. */
export function deferred<T>(open: () => Soon<Cursor<T>>): Cursor<T> {
  let opened: Soon<Cursor<T>> | null = null
  const use = <Result>(body: (cursor: Cursor<T>) => Soon<Result>): Soon<Result> =>
    after((opened ??= open()), (cursor) => {
      opened = cursor
      return body(cursor)
    })
  return {
    next: () => use((cursor) => cursor.next()),
    skip: (count) => use((cursor) => cursor.skip(count)),
    close: () => (opened === null ? undefined : use((cursor) => cursor.close())),
    recycle: (element) => void (opened !== null && !isPromise(opened) && opened.recycle?.(element)),
  }
}
