// Words by their prefixes, over UTF-16 units: added tokens in a text, pieces of a unigram model.

import { PairTable } from './pair-table'

/** The node of the empty prefix. */
export const ROOT = 0

export class Trie {
  private readonly edges = new PairTable()
  /** The value of the word that ends at a node; -1 where none ends. */
  private readonly values: number[] = [-1]

  /** @param value at least 0; the first value of a word stays */
  add(word: string, value: number): void {
    let node = ROOT
    for (let i = 0; i < word.length; i++) {
      node = this.edges.add(node, word.charCodeAt(i)) + 1
      if (node === this.values.length) this.values.push(-1)
    }
    if (this.values[node] === -1) this.values[node] = value
  }

  /** The node of a longer prefix, or ROOT if no word has it. */
  step(node: number, unit: number): number {
    return this.edges.indexOf(node, unit) + 1
  }

  /** The value of the word that is a node's prefix; -1 if it is no word. */
  valueOf(node: number): number {
    return this.values[node]!
  }
}
