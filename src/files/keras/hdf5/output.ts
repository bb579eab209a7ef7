// The bytes of a file in the making. Blocks are added from the start to the end; the address of each is known at once.

import { concatBytes } from '../../../core/bytes'
import { uint } from './encode'

const HEAP_SIZE = 4096
const OBJECT_HEADER = 16
const HEAP_HEADER = 16
/** The index of an object has two bytes, and 0 is free space. */
const MOST_OBJECTS = 65_535

interface Heap {
  readonly address: number
  readonly bytes: Uint8Array
  used: number
  count: number
}

export class Output {
  private readonly blocks: { readonly address: number; readonly bytes: Uint8Array }[] = []
  private heap: Heap | null = null

  /** @param size the number of bytes so far; blocks begin at multiples of 8 */
  constructor(private size: number) {}

  /** The address of the next block. */
  get next(): number {
    return this.size
  }

  /** The address of these bytes, which may still change. */
  add(bytes: Uint8Array): number {
    const address = this.size
    this.blocks.push({ address, bytes })
    this.size = Math.ceil((address + bytes.length) / 8) * 8
    return address
  }

  /**
   * Adds a text to a global heap. Returns the bytes that refer to it: length 4, address 8, index 4.
   *
   * GCOL, version 1, padding 3, size 8; objects: index 2, references 2, padding 4, size 8, data, padding to 8; the last one
   * has the index 0 and is the free rest
   */
  addText(text: Uint8Array): Uint8Array {
    if (text.length === 0) return new Uint8Array(16)
    const size = OBJECT_HEADER + Math.ceil(text.length / 8) * 8
    if (this.heap === null || this.heap.used + size > this.heap.bytes.length || this.heap.count === MOST_OBJECTS)
      this.heap = this.newHeap(size)
    const { heap } = this
    heap.count++
    heap.bytes.set(concatBytes([uint(heap.count, 2), uint(1, 2), uint(0, 4), uint(text.length, 8), text]), heap.used)
    heap.used += size
    const rest = heap.bytes.length - heap.used
    if (rest >= OBJECT_HEADER) heap.bytes.set(concatBytes([uint(0, 8), uint(rest, 8)]), heap.used)
    return concatBytes([uint(text.length, 4), uint(heap.address, 8), uint(heap.count, 4)])
  }

  private newHeap(size: number): Heap {
    const bytes = new Uint8Array(Math.max(HEAP_SIZE, HEAP_HEADER + size))
    bytes.set(concatBytes([Uint8Array.of(0x47, 0x43, 0x4f, 0x4c, 1, 0, 0, 0), uint(bytes.length, 8)]))
    return { address: this.add(bytes), bytes, used: HEAP_HEADER, count: 0 }
  }

  /** The file, which begins with these bytes. */
  finish(start: (size: number) => Uint8Array): Uint8Array {
    const file = new Uint8Array(this.size)
    file.set(start(this.size))
    for (const { address, bytes } of this.blocks) file.set(bytes, address)
    return file
  }
}
