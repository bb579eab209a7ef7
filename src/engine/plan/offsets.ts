// Offsets in one block of bytes for blocks with lifetimes: those that are needed at the same time do not overlap.

import { ALIGNMENT } from '../../../assembly/shared/instructions'

export interface Interval {
  readonly bytes: number
  readonly start: number
  readonly end: number
}

/** Up to this many blocks are placed largest first, which is closer to the lower bound but takes quadratic time. */
const FEW_BLOCKS = 512

/**
 * Offsets for blocks that live from `start` to `end` inclusive. Blocks with overlapping lifetimes do not
 * overlap in memory.
 */
export function assignOffsets<Block extends Interval>(
  blocks: readonly Block[],
): { offsets: Map<Block, number>; size: number } {
  return blocks.length <= FEW_BLOCKS ? largestFirst(blocks) : inOrderOfTime(blocks)
}

/**
 * Places the largest blocks first, each in the lowest gap that fits. Within 1.1 times the lower bound in
 * training steps.
 */
export function largestFirst<Block extends Interval>(
  blocks: readonly Block[],
): { offsets: Map<Block, number>; size: number } {
  const offsets = new Map<Block, number>()
  // In order of offset.
  const placed: { readonly block: Block; readonly at: number; readonly top: number }[] = []
  let size = 0
  for (const block of [...blocks].sort((a, b) => b.bytes - a.bytes || a.start - b.start)) {
    const bytes = align(block.bytes, ALIGNMENT)
    let offset = 0
    for (const { block: other, at, top } of placed) {
      if (other.start > block.end || block.start > other.end) continue
      if (at - offset >= bytes) break
      offset = Math.max(offset, top)
    }
    offsets.set(block, offset)
    const top = offset + bytes
    insertSorted(placed, { block, at: offset, top }, (each) => each.at)
    size = Math.max(size, top)
  }
  return { offsets, size }
}

/** Places blocks in order of time, like a heap with best fit. Takes near-linear time. */
export function inOrderOfTime<Block extends Interval>(
  blocks: readonly Block[],
): { offsets: Map<Block, number>; size: number } {
  const offsets = new Map<Block, number>()
  const starting = [...blocks].sort((a, b) => a.start - b.start || b.bytes - a.bytes)
  const ending = [...blocks].sort((a, b) => a.end - b.end)
  const free = new FreeList()
  let ended = 0
  for (const block of starting) {
    for (let last = ending[ended]; last !== undefined && last.end < block.start; last = ending[++ended]) {
      free.release(offsets.get(last)!, align(last.bytes, ALIGNMENT))
    }
    offsets.set(block, free.take(align(block.bytes, ALIGNMENT)))
  }
  return { offsets, size: free.size }
}

/** The free bytes below `size`, in order of offset; adjacent gaps are merged. */
class FreeList {
  private readonly gaps: { at: number; bytes: number }[] = []
  size = 0

  take(bytes: number): number {
    if (bytes === 0) return 0
    let best = -1
    for (let i = 0; i < this.gaps.length; i++) {
      const gap = this.gaps[i]!.bytes
      if (gap >= bytes && (best < 0 || gap < this.gaps[best]!.bytes)) best = i
    }
    if (best < 0) return this.grow(bytes)
    const gap = this.gaps[best]!
    const { at } = gap
    gap.at += bytes
    gap.bytes -= bytes
    if (gap.bytes === 0) this.gaps.splice(best, 1)
    return at
  }

  private grow(bytes: number): number {
    const last = this.gaps[this.gaps.length - 1]
    const reaches = last !== undefined && last.at + last.bytes === this.size
    const at = reaches ? last.at : this.size
    if (reaches) this.gaps.pop()
    this.size = at + bytes
    return at
  }

  release(at: number, bytes: number): void {
    if (bytes === 0) return
    const index = insertSorted(this.gaps, { at, bytes }, (gap) => gap.at)
    this.mergeWithNext(index)
    if (index > 0) this.mergeWithNext(index - 1)
  }

  private mergeWithNext(index: number): void {
    const gap = this.gaps[index]!
    const next = this.gaps[index + 1]
    if (next === undefined || gap.at + gap.bytes !== next.at) return
    gap.bytes += next.bytes
    this.gaps.splice(index + 1, 1)
  }
}

/** Inserts after all items that are not larger; returns the index. */
function insertSorted<Item>(items: Item[], item: Item, key: (item: Item) => number): number {
  const wanted = key(item)
  const index = firstAbove(items.length, (i) => key(items[i]!) <= wanted)
  items.splice(index, 0, item)
  return index
}

/** The first index below `length` for which `isAtMost` is false, or `length`. It is true for all indices before this one. */
export function firstAbove(length: number, isAtMost: (index: number) => boolean): number {
  let low = 0
  let high = length
  while (low < high) {
    const middle = (low + high) >> 1
    if (isAtMost(middle)) low = middle + 1
    else high = middle
  }
  return low
}

export function align(bytes: number, multiple: number): number {
  return Math.ceil(bytes / multiple) * multiple
}
