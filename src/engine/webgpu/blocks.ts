// Blocks of the device's memory: first fit, adjacent free blocks are merged.

interface Block {
  at: number
  bytes: number
}

/** Offsets of bindings and of vectors. */
const ALIGNMENT = 256

export class Blocks {
  private readonly used = new Map<number, number>()
  private readonly free: Block[] = []

  /** The address of so many bytes; null if no free block is large enough. */
  take(bytes: number): number | null {
    const needed = aligned(Math.max(bytes, 1))
    const index = this.free.findIndex((block) => block.bytes >= needed)
    if (index < 0) return null
    const block = this.free[index]!
    const { at } = block
    if (block.bytes === needed) this.free.splice(index, 1)
    else Object.assign(block, { at: at + needed, bytes: block.bytes - needed })
    this.used.set(at, needed)
    return at
  }

  release(at: number): void {
    const bytes = this.used.get(at)
    if (bytes === undefined) return
    this.used.delete(at)
    this.add(at, bytes)
  }

  /** Adds free bytes. */
  add(at: number, bytes: number): void {
    let index = this.free.findIndex((block) => block.at > at)
    if (index < 0) index = this.free.length
    this.free.splice(index, 0, { at, bytes })
    this.mergeWithNext(index)
    if (index > 0) this.mergeWithNext(index - 1)
  }

  private mergeWithNext(index: number): void {
    const block = this.free[index]!
    const next = this.free[index + 1]
    if (next === undefined || block.at + block.bytes !== next.at) return
    block.bytes += next.bytes
    this.free.splice(index + 1, 1)
  }
}

export function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT
}
