// Groups of superblocks 0 and 1: their links are in symbol tables, which a B-tree lists, their names in a local heap.

import type { Cursor, FileBytes } from './bytes'
import { readTree } from './trees'

export interface Link {
  readonly name: string
  /** The header of the object. */
  readonly address: number
}

/** The links of a symbol table message. B-tree 8, local heap 8 */
export function readSymbolTable(file: FileBytes, message: Cursor): Link[] {
  const tree = message.uint(8)
  const names = readLocalHeap(file, message.uint(8))
  return readTree(file, tree, 0, 8).flatMap(({ child }) => readSymbolNode(file, child, names))
}

/** HEAP, version 0, padding 3, size of the segment 8, free list 8, segment 8 */
function readLocalHeap(file: FileBytes, address: number): Cursor {
  const head = file.block(address, 32, 'a local heap')
  head.signature('HEAP')
  head.version(0)
  head.take(3)
  const size = head.uint(8)
  head.take(8)
  return file.block(head.uint(8), size, 'a local heap')
}

/** SNOD, version 1, padding 1, count 2; entries: name 8, header 8, cache 4, padding 4, scratch 16 */
function readSymbolNode(file: FileBytes, address: number, names: Cursor): Link[] {
  const what = 'a symbol table'
  const head = file.block(address, 8, what)
  head.signature('SNOD')
  head.version(1)
  head.take(1)
  const count = head.uint(2)
  const entries = file.block(address + 8, count * 40, what)
  file.chargeObjects(count, 'links')
  return Array.from({ length: count }, () => {
    const name = names.from(entries.uint(8)).terminatedName()
    const object = entries.address()
    if (entries.uint(4) === 2 || object === null) throw file.fail(`soft links are not supported: '${name}'`)
    entries.take(20)
    return { name, address: object }
  })
}
