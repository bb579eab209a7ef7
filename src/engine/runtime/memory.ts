// Linear memory, and the allocation of blocks in it. Only JavaScript allocates and releases blocks; kernels never
// allocate.

import { noSpace } from './wasm/wasm'
import { ALIGNMENT, CONSTANTS, CONSTANTS_SIZE, GEMM_SCRATCH, READ_SLACK } from '../../../assembly/shared/instructions'
import { ArgumentError, internalError } from '../../core/errors'
import { Blocks } from './blocks'

const PAGE = 65536
const INITIAL_PAGES = 32
/** The number of pages that a 32-bit memory can address. */
const MAXIMUM_PAGES = 65536
/** The bytes that a 32-bit memory can address. */
export const MOST_BYTES = MAXIMUM_PAGES * PAGE
/**
 * Page limits to try, in this order: a shared memory reserves its whole address space at once, and some engines refuse
 * large ones.
 */
const SHARED_MAXIMA = [MAXIMUM_PAGES, 32768, 16384, 8192, 4096]

/** A buffer that can grow at its end. */
export interface LinearMemory {
  readonly buffer: ArrayBuffer
  grow(pages: number): void
}

/** @throws StateError if the system refuses the address space */
export function createWasmMemory(): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: MAXIMUM_PAGES })
  } catch (error) {
    throw error instanceof RangeError ? noSpace(error) : error
  }
}

export interface SharedMemory {
  readonly memory: WebAssembly.Memory
  readonly maximumPages: number
}

/** The largest shared memory that the engine can reserve; null if it refuses all sizes. */
export function createSharedMemory(): SharedMemory | null {
  for (const maximumPages of SHARED_MAXIMA) {
    try {
      return {
        memory: new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: maximumPages, shared: true }),
        maximumPages,
      }
    } catch {
      continue
    }
  }
  return null
}

/** The interpreter's memory: the same interface without WebAssembly. */
export class PlainMemory implements LinearMemory {
  buffer = new ArrayBuffer(INITIAL_PAGES * PAGE)

  grow(pages: number): void {
    const larger = new ArrayBuffer(this.buffer.byteLength + pages * PAGE)
    new Uint8Array(larger).set(new Uint8Array(this.buffer))
    this.buffer = larger
  }
}

/** First-fit allocation of aligned blocks; adjacent free blocks are merged. */
export class Arena {
  /** Scratch for the kernel that runs, one piece per thread. It follows the constants; address 0 means absent. */
  readonly scratch = CONSTANTS + CONSTANTS_SIZE
  private readonly start: number
  private readonly blocks = new Blocks()
  /** The end of all blocks so far. Nothing has written behind it, so that the bytes there are zeros. */
  private usedEnd: number
  /** Bytes in use by blocks. */
  usedBytes = 0

  constructor(
    private readonly memory: LinearMemory,
    threads = 1,
    private readonly maximumPages = MAXIMUM_PAGES,
  ) {
    this.start = alignUp(this.scratch + threads * GEMM_SCRATCH)
    const missing = this.start + READ_SLACK - memory.buffer.byteLength
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE))
    this.blocks.add(this.start, this.capacity - this.start)
    this.usedEnd = this.start
  }

  /** The number of blocks in use. */
  get usedBlocks(): number {
    return this.blocks.used
  }

  // Kernels may read slightly past the last buffer.
  private get capacity(): number {
    return this.memory.buffer.byteLength - READ_SLACK
  }

  /**
   * A block. Zeros where no block was before are not written, so that the system gives their pages only when they get content.
   * @param isZero whether the content is zeros; else it is any
   * @throws ArgumentError if the memory cannot grow further
   */
  allocate(bytes: number, isZero = false): number {
    const needed = alignUp(Math.max(bytes, 1))
    let address = this.blocks.take(needed)
    if (address === null) {
      this.growFor(needed)
      address = this.blocks.take(needed)!
    }
    this.usedBytes += needed
    const end = address + needed
    if (isZero && address < this.usedEnd)
      new Uint8Array(this.memory.buffer).fill(0, address, Math.min(end, this.usedEnd))
    this.usedEnd = Math.max(this.usedEnd, end)
    return address
  }

  release(address: number): void {
    const bytes = this.blocks.release(address)
    if (bytes === null) throw internalError(`release of ${address}, which is not in use`)
    this.usedBytes -= bytes
  }

  // Grows by at least a quarter, so that many small allocations cause few growths.
  private growFor(bytes: number): void {
    const end = this.capacity
    const reusable = this.blocks.freeBefore(end)
    const current = this.memory.buffer.byteLength / PAGE
    const needed = Math.ceil((bytes - reusable) / PAGE)
    const available = this.maximumPages - current
    if (needed > available) {
      throw new ArgumentError(
        `Out of memory: ${bytes} more bytes do not fit into the ${this.maximumPages / 16384} GiB that WebAssembly can address here. Use smaller batches or fewer units.`,
      )
    }
    try {
      this.memory.grow(Math.min(available, Math.max(needed, current >> 2)))
    } catch {
      throw new ArgumentError(
        `Out of memory: the engine refused ${bytes} more bytes. Use smaller batches or fewer units.`,
      )
    }
    this.blocks.add(end, this.capacity - end)
  }
}

function alignUp(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT
}
