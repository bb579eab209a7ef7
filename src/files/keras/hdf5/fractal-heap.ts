// Fractal heaps: objects in blocks whose sizes double from row to row of a table. Larger objects are outside of the blocks,
// and a B-tree lists them.
//
//   offset in the heap   0    s    2s … ws   …   2ws        4ws            w = table width, s = starting size
//                        ┌────┬────┬─────┬────┬──────────┬───────
//   row                  │ 0: w blocks of s   │ 1: w of s│ 2: w of 2s …    up to the largest direct block;
//                        └────┴────┴─────┴────┴──────────┴───────          later rows have tables of their own

import { Cursor, type FileBytes } from './bytes'
import { bytesFor, readRecords } from './trees'

const WHAT = 'a fractal heap'
/** With more rows, offsets would have more than 64 bits. */
const MOST_ROWS = 64

interface Block {
  /** Where it begins in the heap. */
  readonly offset: number
  readonly bytes: Uint8Array
}

export class FractalHeap {
  private readonly idSize: number
  private readonly hugeTree: number | null
  private readonly offsetSize: number
  private readonly lengthSize: number
  private readonly width: number
  private readonly startSize: number
  private readonly directRows: number
  private readonly isChecked: boolean
  /** In the order of their offsets. */
  private readonly blocks: Block[] = []
  private huge: ReadonlyMap<number, Cursor> | null = null

  constructor(
    private readonly file: FileBytes,
    private readonly address: number,
  ) {
    const head = file.block(address, 146, WHAT)
    head.requireChecksum()
    head.signature('FRHP')
    head.version(0)
    this.idSize = head.uint(2)
    if (head.uint(2) !== 0) throw file.fail('filters of links and attributes are not supported')
    this.isChecked = (head.uint(1) & 2) !== 0
    const largest = head.uint(4)
    head.take(8)
    this.hugeTree = head.address()
    head.take(80)
    this.width = head.uint(2)
    this.startSize = head.uint(8)
    const largestBlock = head.uint(8)
    const bits = head.uint(2)
    if (![this.width, this.startSize, largestBlock].every(isPowerOfTwo) || largestBlock < this.startSize || bits > 64)
      throw file.fail(`the file is damaged: ${WHAT} with impossible sizes`)
    this.directRows = Math.log2(largestBlock / this.startSize) + 2
    this.offsetSize = Math.ceil(bits / 8)
    this.lengthSize = Math.min(bytesFor(largestBlock), bytesFor(Math.max(largest, 1)))
    head.take(2)
    const root = head.address()
    const rows = head.uint(2)
    if (root === null) return
    if (rows === 0) this.readDirect(root, this.startSize, 0)
    else this.readIndirect(root, rows, 0)
  }

  /** FHIB, version 0, heap 8, offset, addresses 8 of direct blocks, then of tables, checksum 4 */
  private readIndirect(address: number, rows: number, start: number): void {
    const { file, width, directRows } = this
    if (!(rows >= 1 && rows <= MOST_ROWS)) throw file.fail(`the file is damaged: ${WHAT} has a table of ${rows} rows`)
    const block = file.block(address, 13 + this.offsetSize + rows * width * 8 + 4, WHAT)
    block.requireChecksum()
    this.readPrefix(block, 'FHIB', start)
    let offset = start
    for (let row = 0; row < rows; row++) {
      const size = this.startSize * 2 ** Math.max(row - 1, 0)
      for (let column = 0; column < width; column++, offset += size) {
        const child = block.address()
        if (child === null) continue
        if (row < directRows) this.readDirect(child, size, offset)
        else this.readIndirect(child, Math.log2(size / this.startSize / width) + 1, offset)
      }
    }
  }

  /** FHDB, version 0, heap 8, offset, [checksum 4], objects */
  private readDirect(address: number, size: number, offset: number): void {
    const block = this.file.block(address, size, WHAT)
    this.readPrefix(block, 'FHDB', offset)
    if (this.isChecked) block.requireChecksum(13 + this.offsetSize)
    this.blocks.push({ offset, bytes: block.bytes })
  }

  private readPrefix(block: Cursor, signature: string, offset: number): void {
    block.signature(signature)
    block.version(0)
    if (block.uint(8) !== this.address || block.uint(this.offsetSize) !== offset)
      throw this.file.fail(`the file is damaged: ${WHAT} has a block of another one`)
  }

  /** version 2 bits, type 2 bits, 4 bits; offset and length, or the number of a large object */
  object(id: Cursor): Cursor {
    const { file } = this
    const head = id.uint(1)
    const what = 'an object of a fractal heap'
    if (head === 0x10 && this.idSize >= 17) return file.block(id.uint(8), id.uint(8), what)
    if (head === 0x10) return this.hugeObject(id.uint(Math.min(this.idSize - 1, 8)))
    if (head !== 0) throw file.fail(`the file is damaged: ${what} has the kind ${head}`)
    const offset = id.uint(this.offsetSize)
    const length = id.uint(this.lengthSize)
    // Objects may overlap.
    file.charge(length, `objects of ${WHAT}`)
    const block = this.blocks[lastAtOrBefore(this.blocks, offset)]
    if (block === undefined || offset + length > block.offset + block.bytes.length)
      throw file.fail(`the file is damaged: ${what} is not in its blocks`)
    return new Cursor(file, block.bytes.subarray(offset - block.offset, offset - block.offset + length), what)
  }

  /** Records of the B-tree: address 8, length 8, number 8 */
  private hugeObject(number: number): Cursor {
    const { file, hugeTree } = this
    this.huge ??= new Map(
      (hugeTree === null ? [] : readRecords(file, hugeTree, 1)).map((record) => [record.from(16).uint(8), record]),
    )
    const record = this.huge.get(number)
    if (record === undefined) throw file.fail(`the file is damaged: ${WHAT} has no large object ${number}`)
    return file.block(record.from(0).uint(8), record.from(8).uint(8), 'an object of a fractal heap')
  }
}

function isPowerOfTwo(value: number): boolean {
  return value > 0 && Number.isInteger(Math.log2(value))
}

/** The index of the last block that begins at or before an offset; −1 if there is none. */
function lastAtOrBefore(blocks: readonly Block[], offset: number): number {
  let low = 0
  let high = blocks.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (blocks[middle]!.offset <= offset) low = middle + 1
    else high = middle
  }
  return low - 1
}
