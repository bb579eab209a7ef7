// Cooperative games: the players are the elements of a row, or the columns of a table with all of their numbers. A coalition
// is a set of players, and its value is the model's mean output when the other elements come from background rows.

import type { TensorData } from '../core/dtypes'
import { sizeOf } from '../core/shapes'
import { greater, where as choose } from '../ops/numpy/elementwise'
import { mean } from '../ops/numpy/reduce'
import { broadcastTo, reshape, slice } from '../ops/numpy/shape'
import { Tensor } from '../ops/tensor'
import { rowsOf, type Explained, type Range } from './explained'

/** The most elements that the rows of one run may have. */
const LARGEST = 2 ** 22

export class Game {
  /** The number of players: the columns of a table, else the elements of a row, over all inputs in order. */
  readonly players: number
  private readonly sizes: readonly number[]
  /** The number of elements of a row. */
  private readonly elements: number
  /** The player of each element; null if it is the element itself. */
  private readonly playerOf: Int32Array | null

  constructor(
    private readonly explained: Explained,
    /** One tensor [background, …row] for each input. */
    private readonly background: readonly Tensor[],
  ) {
    this.sizes = explained.inputs.map((_, i) => sizeOf(explained.rowShape(i)))
    this.elements = this.sizes.reduce((sum, size) => sum + size, 0)
    const { columns } = explained
    this.players = columns?.length ?? this.elements
    this.playerOf = columns === null ? null : new Int32Array(this.elements)
    columns?.forEach(({ start, end }, column) => this.playerOf!.fill(column, start, end))
  }

  /** What players are called in messages. */
  get unit(): 'columns' | 'elements' {
    return this.playerOf === null ? 'elements' : 'columns'
  }

  private get backgroundRows(): number {
    return Math.max(...this.background.map(({ shape }) => shape[0]!))
  }

  /** The number of coalitions and of background rows in one run. */
  private split(coalitions: number): { coalitions: number; rows: number } {
    const { batchSize } = this.explained.settings
    const most = Math.max(1, Math.min(batchSize, Math.floor(LARGEST / Math.max(1, this.elements))))
    const some = Math.min(coalitions, most)
    return { coalitions: some, rows: Math.max(1, Math.min(this.backgroundRows, Math.floor(most / some))) }
  }

  /** How many copies of each row one run holds, for this number of coalitions. */
  copies(coalitions: number): number {
    const { coalitions: some, rows } = this.split(coalitions)
    return some * rows
  }

  /**
   * The values of coalitions for some rows.
   * @param masks [coalitions, players], 1 for a member
   * @returns [coalitions, rows]
   */
  async values(range: Range, masks: Uint8Array): Promise<Float64Array> {
    const { explained, players, elements, backgroundRows } = this
    const coalitions = masks.length / players
    const values = new Float64Array(coalitions * range.count)
    const { coalitions: most, rows: mostRows } = this.split(coalitions)
    for (let first = 0; first < coalitions; first += most) {
      const some = Math.min(most, coalitions - first)
      const mask = new Tensor(
        this.masksOfElements(masks.subarray(first * players, (first + some) * players)),
        [some, elements],
        'float32',
      )
      for (let start = 0; start < backgroundRows; start += mostRows) {
        const count = Math.min(mostRows, backgroundRows - start)
        const found = this.run(
          range,
          mask,
          this.background.map((rows) => (rows.shape[0] === 1 ? rows : rowsOf(rows, start, count))),
          count,
        )
        const share = count / backgroundRows
        found.forEach((value: number, at) => (values[first * range.count + at]! += value * share))
        await explained.turn()
      }
    }
    return values
  }

  /** [coalitions, players] → [coalitions, elements] */
  private masksOfElements(masks: Uint8Array): Float32Array {
    const { playerOf, players, elements } = this
    if (playerOf === null) return new Float32Array(masks)
    return Float32Array.from(
      { length: (masks.length / players) * elements },
      (_, at) => masks[Math.floor(at / elements) * players + playerOf[at % elements]!]!,
    )
  }

  /** The mean over these background rows, [coalitions, rows]. */
  private run(range: Range, mask: Tensor, background: readonly Tensor[], count: number): TensorData {
    const { explained, sizes } = this
    const some = mask.shape[0]!
    const [means] = explained.run('coalitions', [...explained.parametersOf(range), mask, ...background], (symbols) => {
      const { units, inputs, rest } = explained.split(symbols)
      const [masks, others] = [rest[0]!, rest.slice(1)]
      const all = some * range.count * count
      let first = 0
      // Broadcast over coalitions, rows and background rows: mask [c, 1, 1, n], row [1, r, 1, n], background [1, 1, b,
      // n].
      const mixtures = inputs.map((input, i) => {
        const size = sizes[i]!
        const members = reshape(slice(masks, [0, first], [some, size]), [some, 1, 1, size])
        first += size
        const mixed = choose(
          greater(members, 0),
          reshape(input, [1, range.count, 1, size]),
          reshape(others[i]!, [1, 1, -1, size]),
        )
        return reshape(broadcastTo(mixed, [some, range.count, count, size]), [all, ...explained.rowShape(i)])
      })
      const unit =
        units === null
          ? null
          : reshape(broadcastTo(reshape(units, [1, range.count, 1]), [some, range.count, count]), [all])
      return [mean(reshape(explained.score(explained.call(mixtures), unit), [some, range.count, count]), 2)]
    })
    return means!.data
  }
}
