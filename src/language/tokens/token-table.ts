// A vocabulary: texts with numbers, in typed arrays. A Map would need an object for each text, and a text that is a part of another
// one would be copied before it can be looked up.

import { enlarged } from './enlarged'

/** Multiplies the hash of a text with each unit: the prime of FNV-1a. */
const PRIME = 0x01000193
const SEED = 0x811c9dc5 | 0
/** The units that one call makes text of: engines limit the arguments of a call. */
const MOST_ARGUMENTS = 2 ** 13

function hashOf(text: string, from: number, to: number, hash: number): number {
  let result = hash
  for (let at = from; at < to; at++) result = Math.imul(result ^ text.charCodeAt(at), PRIME)
  return result
}

export class TokenTable {
  /** The units of all texts, one text after another. */
  private units = new Uint16Array(1024)
  /** Where each text begins in `units`, and at last the end. */
  private starts = new Int32Array(257)
  private hashes = new Int32Array(256)
  private ids = new Int32Array(256)
  /** The hash table: the index of a text, plus one; 0 where a slot is free. At least half of the slots are free. */
  private slots = new Int32Array(512)
  /** The index of the text with each number, plus one; made when it is first needed. */
  private indices: Int32Array | null = null
  /** How many texts there are. */
  size = 0

  /** The number of a text. */
  get(text: string): number | undefined {
    const id = this.find(text, 0, text.length)
    return id < 0 ? undefined : id
  }

  has(text: string): boolean {
    return this.find(text, 0, text.length) >= 0
  }

  /** The number of a part of a text; -1 if the table lacks it. */
  find(text: string, from: number, to: number): number {
    const index = this.indexOf(text, from, to, text, to, to)
    return index < 0 ? -1 : this.ids[index]!
  }

  /** The number of two parts of texts, one after the other; -1 if the table lacks it. */
  findJoined(left: string, from: number, to: number, right: string, rightFrom: number, rightTo: number): number {
    const index = this.indexOf(left, from, to, right, rightFrom, rightTo)
    return index < 0 ? -1 : this.ids[index]!
  }

  /** Gives a text a number, at least 0; the last number of a text stays. */
  set(text: string, id: number): void {
    const index = this.indexOf(text, 0, text.length, text, text.length, text.length)
    if (index < 0) this.append(text, 0, text.length, id)
    else this.ids[index] = id
    this.indices = null
  }

  /** Adds a part of a text. @returns false if the table has it */
  add(text: string, from: number, to: number, id: number): boolean {
    if (this.indexOf(text, from, to, text, to, to) >= 0) return false
    this.append(text, from, to, id)
    this.indices = null
    return true
  }

  /** The text with a number; of several the last one. */
  textOf(id: number): string | undefined {
    this.indices ??= this.byIds()
    const index = (this.indices[id] ?? 0) - 1
    return index < 0 ? undefined : this.textAt(index)
  }

  /** Whether each number has one text. */
  get isUnambiguous(): boolean {
    this.indices ??= this.byIds()
    let count = 0
    for (const index of this.indices) if (index > 0) count++
    return count === this.size
  }

  /** The texts with their numbers, in the order in which they came. */
  *[Symbol.iterator](): Generator<readonly [text: string, id: number]> {
    for (let index = 0; index < this.size; index++) yield [this.textAt(index), this.ids[index]!]
  }

  private textAt(index: number): string {
    const end = this.starts[index + 1]!
    let text = ''
    for (let at = this.starts[index]!; at < end; at += MOST_ARGUMENTS)
      text += String.fromCharCode(...this.units.subarray(at, Math.min(end, at + MOST_ARGUMENTS)))
    return text
  }

  private byIds(): Int32Array {
    const { ids, size } = this
    let largest = -1
    for (let index = 0; index < size; index++) largest = Math.max(largest, ids[index]!)
    const indices = new Int32Array(largest + 1)
    for (let index = 0; index < size; index++) indices[ids[index]!] = index + 1
    return indices
  }

  /** The index of two parts of texts, one after the other; -1 if the table lacks it. */
  private indexOf(left: string, from: number, to: number, right: string, rightFrom: number, rightTo: number): number {
    const { hashes, slots, starts } = this
    const hash = hashOf(right, rightFrom, rightTo, hashOf(left, from, to, SEED))
    const mask = slots.length - 1
    const middle = to - from
    const length = middle + rightTo - rightFrom
    for (let slot = this.firstSlot(hash); ; slot = (slot + 1) & mask) {
      const index = slots[slot]! - 1
      if (index < 0) return -1
      if (hashes[index] !== hash) continue
      const start = starts[index]!
      if (starts[index + 1]! - start !== length) continue
      if (this.isAt(start, left, from, to) && this.isAt(start + middle, right, rightFrom, rightTo)) return index
    }
  }

  private isAt(start: number, text: string, from: number, to: number): boolean {
    const { units } = this
    for (let at = from; at < to; at++) if (units[start + at - from] !== text.charCodeAt(at)) return false
    return true
  }

  private firstSlot(hash: number): number {
    return (hash ^ (hash >>> 15)) & (this.slots.length - 1)
  }

  private append(text: string, from: number, to: number, id: number): void {
    const index = this.size
    if (index === this.ids.length) this.grow()
    const start = this.starts[index]!
    const end = start + to - from
    if (end > this.units.length) this.units = enlarged(this.units, Math.max(end, 2 * this.units.length))
    for (let at = from; at < to; at++) this.units[start + at - from] = text.charCodeAt(at)
    this.starts[index + 1] = end
    this.hashes[index] = hashOf(text, from, to, SEED)
    this.ids[index] = id
    this.size++
    this.fillSlot(index)
  }

  private fillSlot(index: number): void {
    const { slots } = this
    let slot = this.firstSlot(this.hashes[index]!)
    while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1)
    slots[slot] = index + 1
  }

  private grow(): void {
    const capacity = 2 * this.ids.length
    this.starts = enlarged(this.starts, capacity + 1)
    this.hashes = enlarged(this.hashes, capacity)
    this.ids = enlarged(this.ids, capacity)
    this.slots = new Int32Array(2 * capacity)
    for (let index = 0; index < this.size; index++) this.fillSlot(index)
  }
}
