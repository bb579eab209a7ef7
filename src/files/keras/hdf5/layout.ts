// Where the elements of a dataset are: in its header, in one piece, in chunks, or nowhere, which means fill values.

import { sizeOf, type Shape } from '../../../core/shapes'
import { formatShape } from '../../../core/errors'
import type { Cursor, FileBytes } from './bytes'
import { readFilters, unfilter, type Filter } from './filters'
import { MESSAGE, single, type Message } from './headers'
import { readTree } from './trees'

interface Chunk {
  readonly bytes: Uint8Array
  /** Bit i: filter i was not applied. */
  readonly mask: number
  /** The index of its first element. */
  readonly start: readonly number[]
}

const COMPACT = 0
const CONTIGUOUS = 1
const CHUNKED = 2
/** Memory for the steps of decompression. h5py makes chunks of up to 1 MiB. */
const LARGEST_CHUNK = 2 ** 23

/** The bytes of elements, row by row. */
export interface Stored {
  /** Chunks are decompressed when it is called. */
  bytes(): Uint8Array
  /** Whether they are bytes of the file, so that reading them cannot fail. */
  readonly isWhole: boolean
}

/** @param size the bytes of one element */
export function readLayout(file: FileBytes, messages: readonly Message[], shape: Shape, size: number): Stored {
  if (messages.some(({ type }) => type === MESSAGE.external)) throw file.fail('values in other files are not supported')
  const total = sizeOf(shape) * size
  const message = single(file, messages, MESSAGE.layout)!
  const filters = readFilters(file, single(file, messages, MESSAGE.filters))
  const fill = readFill(file, single(file, messages, MESSAGE.fill), size)
  const version = message.version(3, 4)
  const kind = message.uint(1)
  if (kind === COMPACT) {
    const bytes = message.take(requireTotal(file, message.uint(2), total))
    return { bytes: () => bytes, isWhole: true }
  }
  if (kind === CONTIGUOUS) {
    const address = message.address()
    if (address === null) return { bytes: filled(file, shape, total, fill), isWhole: false }
    const bytes = file.claim(address, requireTotal(file, message.uint(8), total), 'the values')
    return { bytes: () => bytes, isWhole: true }
  }
  if (kind !== CHUNKED) throw file.fail('virtual datasets are not supported')
  if (version === 4) throw file.fail("chunks of a newer kind are not supported. Write the file without libver='latest'")
  return { bytes: readChunks(file, message, shape, size, filters, fill), isWhole: false }
}

function requireTotal(file: FileBytes, found: number, total: number): number {
  if (found !== total) throw file.fail(`the file is damaged: the values have ${found} bytes, the shape needs ${total}`)
  return total
}

/** version 3: flags 1, [size 4, value]; version 1 or 2: times 2, is defined 1, [size 4, value] */
function readFill(file: FileBytes, message: Cursor | undefined, size: number): Uint8Array | null {
  if (message === undefined) return null
  const version = message.version(1, 2, 3)
  const isGiven =
    version === 3 ? (message.uint(1) & 0x20) !== 0 : message.take(3)[2] !== 0 || (version === 1 && message.rest >= 4)
  const length = isGiven ? message.uint(4) : 0
  if (length === 0) return null
  if (length !== size) throw file.fail(`the file is damaged: the fill value has ${length} bytes, an element ${size}`)
  return message.take(size)
}

/** An array of fill values. */
function filled(file: FileBytes, shape: Shape, total: number, fill: Uint8Array | null): () => Uint8Array {
  file.charge(total, `values of the shape ${formatShape(shape)}`)
  return () => {
    const bytes = new Uint8Array(total)
    if (fill?.some((byte) => byte !== 0)) for (let at = 0; at < total; at += fill.length) bytes.set(fill, at)
    return bytes
  }
}

/** rank + 1 1, address of the B-tree 8, extents of a chunk 4, size of an element 4 */
function readChunks(
  file: FileBytes,
  message: Cursor,
  shape: Shape,
  size: number,
  filters: readonly Filter[],
  fill: Uint8Array | null,
): () => Uint8Array {
  const rank = message.uint(1) - 1
  const tree = message.address()
  const extents = Array.from({ length: rank }, () => message.uint(4))
  if (rank !== shape.length || rank === 0 || message.uint(4) !== size || extents.includes(0))
    throw file.fail(`the file is damaged: chunks of the shape ${formatShape(extents)} for ${formatShape(shape)}`)
  const chunkSize = sizeOf(extents) * size
  const what = `values of the shape ${formatShape(shape)} in chunks of ${formatShape(extents)}`
  const total = sizeOf(shape) * size
  const empty = filled(file, shape, total, fill)
  if (filters.length > 0 && chunkSize > LARGEST_CHUNK)
    throw file.fail(`${what}: a compressed chunk may have ${LARGEST_CHUNK / 2 ** 20} MiB`)
  const found = new Set<string>()
  // Keys: bytes 4, mask 4, start 8 of each axis, 0 8
  const chunks = (tree === null ? [] : readTree(file, tree, 1, 16 + 8 * rank)).map(({ key, child }): Chunk => {
    const stored = key.uint(4)
    const mask = key.uint(4)
    const start = extents.map(() => key.uint(8))
    const index = start.join(', ')
    if (found.has(index) || start.some((at, axis) => at % extents[axis]! !== 0 || at >= shape[axis]!))
      throw file.fail(`the file is damaged: a chunk at [${index}] of ${formatShape(shape)}`)
    found.add(index)
    file.chargeObjects(2, 'chunks')
    if (filters.length === 0) requireTotal(file, stored, chunkSize)
    return { bytes: file.claim(child, stored, 'a chunk'), mask, start }
  })
  // Elements of chunks outside of the shape.
  file.charge(Math.max(chunks.length * chunkSize - total, 0), what)
  return () => {
    const bytes = empty()
    for (const { bytes: stored, mask, start } of chunks)
      place(bytes, shape, unfilter(file, filters, mask, stored, chunkSize), extents, start, size)
    return bytes
  }
}

/** Copies the part of a chunk that is within the shape. */
function place(
  target: Uint8Array,
  shape: Shape,
  chunk: Uint8Array,
  extents: readonly number[],
  start: readonly number[],
  size: number,
): void {
  // Of rows along the last axis, and of planes of rows; a list has one row.
  const last = shape.length - 1
  const length = Math.min(extents[last]!, shape[last]! - start[last]!) * size
  const fromStep = extents[last]! * size
  const toStep = shape[last]! * size
  const count = (axis: number): number => (axis < 0 ? 1 : Math.min(extents[axis]!, shape[axis]! - start[axis]!))
  const first = (axis: number): number => (axis < 0 ? 0 : start[axis]!)
  const copyRows = (from: number, to: number): void => {
    let at = (to + first(last - 1)) * toStep + start[last]! * size
    for (let row = from * fromStep, end = row + count(last - 1) * fromStep; row < end; row += fromStep, at += toStep) {
      // A call costs more than a short loop.
      if (length < 64) for (let i = 0; i < length; i++) target[at + i] = chunk[row + i]!
      else target.set(chunk.subarray(row, row + length), at)
    }
  }
  const copy = (axis: number, from: number, to: number): void => {
    if (axis >= last - 1) return copyRows(from, to)
    for (let i = 0; i < count(axis); i++)
      copy(axis + 1, (from + i) * extents[axis + 1]!, (to + first(axis) + i) * shape[axis + 1]!)
  }
  copy(0, 0, 0)
}
