// Pairs of whole numbers, numbered in the order in which they come: merges of two tokens, edges of a trie. A Map would need a string or
// an object for each key; half a million merges would take a hundred megabytes.

import { enlarged } from './enlarged'

export class PairTable {
  private firsts = new Int32Array(16)
  private seconds = new Int32Array(16)
  /** The hash table: the number of a pair, plus one; 0 where a slot is free. */
  private slots = new Int32Array(32)
  /** How many pairs there are. */
  size = 0

  /** The number of a pair; -1 if the table lacks it. Both parts are at least 0. */
  indexOf(first: number, second: number): number {
    return this.slots[this.slotOf(first, second)]! - 1
  }

  /** The number of a pair, which becomes the next number if the pair is new. */
  add(first: number, second: number): number {
    const slot = this.slotOf(first, second)
    if (this.slots[slot]! > 0) return this.slots[slot]! - 1
    if (this.size === this.firsts.length) return this.addTo(this.grown(), first, second)
    return this.addTo(slot, first, second)
  }

  /** The two parts of the pair with a number. */
  pairAt(index: number): readonly [number, number] {
    return [this.firsts[index]!, this.seconds[index]!]
  }

  /** @param slot a free slot, or -1 if it must be found */
  private addTo(slot: number, first: number, second: number): number {
    const index = this.size++
    this.firsts[index] = first
    this.seconds[index] = second
    this.slots[slot < 0 ? this.slotOf(first, second) : slot] = index + 1
    return index
  }

  private grown(): -1 {
    const capacity = 2 * this.firsts.length
    this.firsts = enlarged(this.firsts, capacity)
    this.seconds = enlarged(this.seconds, capacity)
    this.slots = new Int32Array(2 * capacity)
    const { firsts, seconds } = this
    for (let index = 0; index < this.size; index++) this.slots[this.slotOf(firsts[index]!, seconds[index]!)] = index + 1
    return -1
  }

  /** The slot of a pair, or the free slot where it belongs. At least half of the slots are free. */
  private slotOf(first: number, second: number): number {
    const { firsts, seconds, slots } = this
    const mask = slots.length - 1
    let hash = Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
    for (let slot = (hash ^ (hash >>> 13)) & mask; ; slot = (slot + 1) & mask) {
      const index = slots[slot]! - 1
      if (index < 0 || (firsts[index] === first && seconds[index] === second)) return slot
    }
  }
}
