// The merges of byte-pair encoding: pairs of tokens that become one.

import { enlarged } from './enlarged'
import { PairTable } from './pair-table'

export class Merges {
  private readonly pairs = new PairTable()
  /** The rank of each pair. */
  private ranks = new Int32Array(16)
  /** The token that the merge of a rank makes. */
  private results = new Int32Array(16)
  /** How many merges there are: ranks are below it. */
  count = 0

  /** Adds the merge of the next rank. Of a pair that comes again, the last rank stays. */
  add(left: number, right: number, result: number): void {
    const pair = this.pairs.add(left, right)
    this.ranks = withRoom(this.ranks, pair)
    this.ranks[pair] = this.count
    this.addRank(result)
  }

  /** A rank without a pair. */
  skip(): void {
    this.addRank(-1)
  }

  /** The rank of a pair, of which the smallest comes first; -1 if the pair is not merged. */
  rankOf(left: number, right: number): number {
    const pair = this.pairs.indexOf(left, right)
    return pair < 0 ? -1 : this.ranks[pair]!
  }

  /** The token that the merge of a rank makes. */
  resultOf(rank: number): number {
    return this.results[rank]!
  }

  /** The tokens that merges make. */
  get made(): ReadonlySet<number> {
    return new Set(this.results.subarray(0, this.count))
  }

  private addRank(result: number): void {
    this.results = withRoom(this.results, this.count)
    this.results[this.count++] = result
  }
}

function withRoom(numbers: Int32Array<ArrayBuffer>, index: number): Int32Array<ArrayBuffer> {
  return index < numbers.length ? numbers : enlarged(numbers, 2 * numbers.length)
}
