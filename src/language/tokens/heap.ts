// A binary heap: the next merge in a word, the most frequent pair in training.

export class Heap<Item> {
  private readonly items: Item[] = []

  /** @param isBefore whether the first item leaves the heap before the second */
  constructor(private readonly isBefore: (a: Item, b: Item) => boolean) {}

  get size(): number {
    return this.items.length
  }

  push(item: Item): void {
    const { items, isBefore } = this
    let at = items.length
    items.push(item)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(item, items[parent]!)) break
      items[at] = items[parent]!
      at = parent
    }
    items[at] = item
  }

  /** Removes the first item; the heap must not be empty. */
  pop(): Item {
    const { items, isBefore } = this
    const first = items[0]!
    const item = items.pop()!
    const { length } = items
    if (length === 0) return first
    let at = 0
    for (let child = 1; child < length; child = 2 * at + 1) {
      if (child + 1 < length && isBefore(items[child + 1]!, items[child]!)) child++
      if (!isBefore(items[child]!, item)) break
      items[at] = items[child]!
      at = child
    }
    items[at] = item
    return first
  }
}
