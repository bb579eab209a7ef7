// StackedRNNCells: several cells, stacked to one cell.

import { ArgumentError } from '../../core/errors'
import { configured, custom, listOf, required, type Kind } from '../../core/options'
import { serialize, type Serialized } from '../../core/registry'
import type { Shape } from '../../core/shapes'
import { innerLayer } from '../kinds'
import type { Tensor } from '../../ops/tensor'
import type { CallContext } from '../context'
import type { LayerBase } from '../layer'
import { knownShape, type BatchShape } from '../spec'
import { Cell, type CellInput, type CellOutput, type DropoutMasks } from './cell'
import { asCell } from './layer-cells'

/** A layer of your own that is a cell: its `call(input, states)` returns the output and the new states. */
export type CellLayer = LayerBase & { readonly stateSize: number | readonly number[] }

/** A cell: an instance, or its saved form. */
export const cellKind: Kind<Cell, Cell | CellLayer | Serialized> = /* @__PURE__ */ custom(
  (value, where) => asCell(innerLayer.read(value, where), where),
  (cell) => serialize(cell),
)

const StackedRNNCellsBase = configured(
  Cell,
  () => ({
    /** The cells, from the input to the output. */
    cells: required(listOf(cellKind)),
  }),
  ['cells'],
)

/**
 * Each cell's output is the next cell's input; the output is that of the last cell. The state is the states of all
 * cells, in order.
 *
 *   new RNN([new SimpleRNNCell(8), new SimpleRNNCell(4)])      makes one of these
 *
 * Keras: `keras.layers.StackedRNNCells`.
 */
export class StackedRNNCells extends StackedRNNCellsBase {
  static readonly className = 'StackedRNNCells'

  protected override checkOptions(): void {
    super.checkOptions()
    if (this.cells.length === 0) throw new ArgumentError(`${this}: needs at least one cell`)
  }

  get stateSize(): readonly number[] {
    return this.cells.flatMap((cell) => cell.stateSizes)
  }

  override get outputSize(): number {
    return this.cells.at(-1)!.outputSize
  }

  override get outputState(): number {
    const last = this.cells.at(-1)!
    return this.stateSize.length - last.stateSizes.length + last.outputState
  }

  override stateShapes(input: BatchShape): readonly BatchShape[] {
    return this.each(input, (cell, shape) => cell.stateShapes(shape))
  }

  override outputShape(input: BatchShape): BatchShape {
    return this.cells.reduce((shape, cell) => cell.outputShape(shape), input)
  }

  override initialState(batch: number, input: Shape = []): readonly Tensor[] {
    return this.each(input, (cell, shape) => cell.initialState(batch, knownShape(shape)))
  }

  /** The masks of all cells, with each cell's index before the names: `1.input`. */
  override dropoutMasks(batch: number, input: Shape): DropoutMasks {
    const masks = this.each(input, (cell, shape, i) => {
      return Object.entries(cell.dropoutMasks(batch, knownShape(shape))).map(
        ([name, mask]) => [`${i}.${name}`, mask] as const,
      )
    })
    return Object.fromEntries(masks)
  }

  /** Calls `of` for each cell with the shape of its own input, and concatenates the results. */
  private each<Result>(
    input: BatchShape,
    of: (cell: Cell, shape: BatchShape, i: number) => readonly Result[],
  ): Result[] {
    let shape = input
    return this.cells.flatMap((cell, i) => {
      const result = of(cell, shape, i)
      shape = cell.outputShape(shape)
      return result
    })
  }

  call({ input, state, dropout }: CellInput, { training }: CallContext): CellOutput {
    let output = input
    let at = 0
    const next = this.cells.flatMap((cell, i) => {
      const ofCell = state.slice(at, (at += cell.stateSizes.length))
      const masks = dropout === undefined ? {} : { dropout: masksOf(dropout, i) }
      const result = cell.apply({ input: output, state: ofCell, ...masks }, { training })
      output = result.output
      return result.state
    })
    return { output, state: next }
  }
}

/** The masks of one cell, by the cell's own names. */
function masksOf(all: DropoutMasks, position: number): DropoutMasks {
  const prefix = `${position}.`
  const entries = Object.entries(all).filter(([name]) => name.startsWith(prefix))
  return Object.fromEntries(entries.map(([name, mask]) => [name.slice(prefix.length), mask]))
}
