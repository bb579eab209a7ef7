// Blocks of a memory that grows at its end: first fit, adjacent free blocks are merged. Of linear memory, and of the memory of a GPU.

interface Block {
  at: number
  bytes: number
}

export class Blocks {
  private readonly taken = new Map<number, number>()
  private readonly free: Block[] = []

  /** The number of blocks in use. */
  get used(): number {
    return this.taken.size
  }

  /** The address of so many bytes; null if no free block is large enough. */
  take(bytes: number): number | null {
    const index = this.free.findIndex((block) => block.bytes >= bytes)
    if (index < 0) return null
    const block = this.free[index]!
    const { at } = block
    if (block.bytes === bytes) this.free.splice(index, 1)
    else this.free[index] = { at: at + bytes, bytes: block.bytes - bytes }
    this.taken.set(at, bytes)
    return at
  }

  /** @returns the bytes of the block; null if there is none */
  release(at: number): number | null {
    const bytes = this.taken.get(at)
    if (bytes === undefined) return null
    this.taken.delete(at)
    this.add(at, bytes)
    return bytes
  }

  /** Adds free bytes. */
  add(at: number, bytes: number): void {
    let index = this.free.findIndex((block) => block.at > at)
    if (index < 0) index = this.free.length
    this.free.splice(index, 0, { at, bytes })
    this.mergeWithNext(index)
    if (index > 0) this.mergeWithNext(index - 1)
  }

  /** The free bytes directly before the end of the memory. */
  freeBefore(end: number): number {
    const last = this.free.at(-1)
    return last !== undefined && last.at + last.bytes === end ? last.bytes : 0
  }

  private mergeWithNext(index: number): void {
    const block = this.free[index]!
    const next = this.free[index + 1]
    if (next === undefined || block.at + block.bytes !== next.at) return
    block.bytes += next.bytes
    this.free.splice(index + 1, 1)
  }
}
