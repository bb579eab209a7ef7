// B-trees of versions 1 and 2, as lists of their entries. Keys are not compared: an entry is never searched.

import type { Cursor, FileBytes } from './bytes'

/** More levels than the B-tree of any file needs. */
const MOST_LEVELS = 16

/**
 * The children of the leaves of a version 1 B-tree, from left to right, each with the key before it.
 *
 * TREE, type 1, level 1, count 2, left 8, right 8; then key, child 8, key, …, child 8, key
 */
export function readTree(
  file: FileBytes,
  address: number,
  type: number,
  keySize: number,
  level?: number,
): { readonly key: Cursor; readonly child: number }[] {
  const what = 'a B-tree'
  const head = file.block(address, 24, what)
  head.signature('TREE')
  const actualType = head.uint(1)
  const actualLevel = head.uint(1)
  if (actualType !== type || (level !== undefined && actualLevel !== level))
    throw file.fail(`the file is damaged: ${what} has a node of type ${actualType} and level ${actualLevel}`)
  const count = head.uint(2)
  const entries = file.block(address + 24, count * (keySize + 8) + keySize, what)
  file.chargeObjects(count, what)
  const children = Array.from({ length: count }, () => ({ key: entries.part(keySize), child: entries.uint(8) }))
  if (actualLevel === 0) return children
  return children.flatMap(({ child }) => readTree(file, child, type, keySize, actualLevel - 1))
}

/**
 * The records of a version 2 B-tree, in order.
 *
 * BTHD, version 0, type 1, size of a node 4, of a record 2, depth 2, percents 2, root 8, its records 2, all records 8,
 * checksum 4
 */
export function readRecords(file: FileBytes, address: number, type: number): Cursor[] {
  const what = 'a B-tree'
  const head = file.block(address, 38, what)
  head.requireChecksum()
  head.signature('BTHD')
  head.version(0)
  if (head.uint(1) !== type) throw file.fail(`the file is damaged: ${what} of another type`)
  const nodeSize = head.uint(4)
  const recordSize = head.uint(2)
  const depth = head.uint(2)
  head.take(2)
  const root = head.address()
  const rootCount = head.uint(2)
  const total = head.uint(8)
  const found: Cursor[] = []
  const mostInLeaf = Math.floor((nodeSize - 10) / recordSize)
  if (!(mostInLeaf >= 1) || depth > MOST_LEVELS) throw file.fail(`the file is damaged: ${what} with impossible sizes`)
  // A pointer to a child: its address (8 bytes), its number of records, and, unless it is a leaf, the number of records in all levels below.
  const countSize = bytesFor(mostInLeaf)
  const totalSizes = [0]
  for (let level = 1, most = mostInLeaf; level <= depth; level++) {
    const pointer = 8 + countSize + totalSizes[level - 1]!
    const mostRecords = Math.floor((nodeSize - 10 - pointer) / (recordSize + pointer))
    most = (mostRecords + 1) * most + mostRecords
    totalSizes.push(bytesFor(Math.max(most, 1)))
  }
  /** BTLF or BTIN, version 0, type 1, records, [children], checksum 4 */
  const visit = (at: number, count: number, level: number): void => {
    const pointerSize = level === 0 ? 0 : 8 + countSize + totalSizes[level - 1]!
    const pointers = level === 0 ? 0 : count + 1
    const node = file.block(at, 6 + count * recordSize + pointers * pointerSize + 4, what)
    node.requireChecksum()
    node.signature(level === 0 ? 'BTLF' : 'BTIN')
    node.version(0)
    if (node.uint(1) !== type) throw file.fail(`the file is damaged: ${what} with a node of another type`)
    file.chargeObjects(count, what)
    const records = Array.from({ length: count }, () => node.part(recordSize))
    for (let i = 0; i <= count; i++) {
      if (level > 0) {
        const child = node.part(pointerSize)
        visit(child.uint(8), child.uint(countSize), level - 1)
      }
      if (i < count) found.push(records[i]!)
    }
  }
  if (root !== null) visit(root, rootCount, depth)
  if (found.length !== total) throw file.fail(`the file is damaged: ${what} has ${found.length} records, not ${total}`)
  return found
}

/** The bytes of a number up to `largest`. */
export function bytesFor(largest: number): number {
  return Math.floor(Math.log2(largest) / 8) + 1
}
