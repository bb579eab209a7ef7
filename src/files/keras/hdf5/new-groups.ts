// Links and attributes of newer files: messages in the header of the object or, if there are many, objects of a fractal
// heap, which a B-tree lists.

import type { Cursor, FileBytes } from './bytes'
import { SHARED, SHARED_REFUSED } from './headers'
import { FractalHeap } from './fractal-heap'
import type { Link } from './old-groups'
import { readRecords } from './trees'

/** The kinds of links besides hard ones, which are 0. */
const LINK_KINDS = new Map([
  [1, 'soft'],
  [64, 'external'],
])

/** version 1, flags 1, [type 1], [order 8], [character set 1], length of the name, name, address 8 */
export function readLink(file: FileBytes, message: Cursor): Link {
  message.version(1)
  const flags = message.uint(1)
  const type = flags & 8 ? message.uint(1) : 0
  message.take((flags & 4 ? 8 : 0) + (flags & 16 ? 1 : 0))
  const name = message.name(message.uint(1 << (flags & 3)))
  if (type === 0) return { name, address: message.uint(8) }
  const kind = LINK_KINDS.get(type) ?? 'user-defined'
  throw file.fail(`${kind} links are not supported: '${name}'`)
}

/** The objects of a link info or attribute info message: flags 1, [largest order], heap 8, names 8 */
function* readDense(
  file: FileBytes,
  message: Cursor,
  orderSize: number,
  recordType: number,
): Generator<{ readonly record: Cursor; readonly heap: FractalHeap }> {
  message.version(0)
  message.take(message.uint(1) & 1 ? orderSize : 0)
  const heapAddress = message.address()
  const names = message.address()
  if (heapAddress === null || names === null) return
  const heap = new FractalHeap(file, heapAddress)
  for (const record of readRecords(file, names, recordType)) yield { record, heap }
}

/** The links in the heap of a link info message. Records: hash 4, id 7 */
export function readDenseLinks(file: FileBytes, message: Cursor): Link[] {
  return Array.from(readDense(file, message, 8, 5), ({ record, heap }) => readLink(file, heap.object(record.from(4))))
}

/** The attribute messages in the heap of an attribute info message. Records: id 8, flags 1, order 4, hash 4 */
export function readDenseAttributes(file: FileBytes, message: Cursor): Cursor[] {
  return Array.from(readDense(file, message, 2, 8), ({ record, heap }) => {
    if (record.from(8).uint(1) & SHARED) throw file.fail(SHARED_REFUSED)
    return heap.object(record)
  })
}
