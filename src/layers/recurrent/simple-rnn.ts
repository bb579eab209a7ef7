// SimpleRNN: the fully connected recurrence.

import { merged } from '../../core/merged'
import { configured } from '../../core/options'
import type { Shape } from '../../core/shapes'
import { add } from '../../ops/numpy/elementwise'
import type { Variable } from '../../ops/variable'
import type { CallContext } from '../context'
import { Cell, type CellInput, type CellOutput, type DropoutMasks } from './cell'
import {
  cellWeights,
  drawMasks,
  masksOf,
  requireCellInput,
  weightOptions,
  cellOptions,
  flowOfUnits,
  optionsOfCell,
  product,
  withBias,
  type CellWeights,
} from './gated-cell'
import { generatorOf } from '../random'
import type { ShapesOf } from '../spec'
import { RecurrentLayer } from './rnn'
import type { LayerTraits } from '../traits'

const SimpleRNNCellBase = configured(Cell, () => merged(weightOptions(), cellOptions()), [
  'units',
  'activation',
  'useBias',
])

/**
 * h' = activation(x · kernel + h · recurrentKernel + bias): x [batch, n], h [batch, units]. The output is the state.
 *
 * Keras: `keras.layers.SimpleRNNCell`.
 */
export class SimpleRNNCell extends SimpleRNNCellBase {
  static readonly className = 'SimpleRNNCell'
  /** @internal */
  static override readonly traits: LayerTraits<SimpleRNNCell> = {
    checkShape(layer, shape, built, path) {
      requireCellInput(layer, shape, built, path)
    },
    unitFlow: (layer) => flowOfUnits(layer),
  }
  private readonly generator = generatorOf(this)
  private own: CellWeights | null = null

  /** [n, units]. */
  get kernel(): Variable {
    return this.requireBuilt(this.own).kernel
  }

  /** [units, units]. */
  get recurrentKernel(): Variable {
    return this.requireBuilt(this.own).recurrentKernel
  }

  /** null when useBias is false. */
  get bias(): Variable | null {
    return this.own?.bias ?? null
  }

  override build({ input }: ShapesOf<CellInput>): void {
    this.own = cellWeights(this, { gates: 1, width: this.units }, input)
  }

  /** `input` and `state`: masks of their shapes, with a leading axis of gates if each gate has its own. */
  override dropoutMasks(batch: number, input: Shape): DropoutMasks {
    return drawMasks(this, this.generator, [], batch, input)
  }

  get stateSize(): number {
    return this.units
  }

  call(given: CellInput, { training }: CallContext): CellOutput {
    const {
      input,
      state: [h],
    } = given
    const masks = masksOf(this, given, training)
    const sum = add(
      withBias(product(input, this.kernel, masks.input), this.bias),
      product(h!, this.recurrentKernel, masks.state),
    )
    const output = this.activation(sum)
    return { output, state: [output] }
  }
}

const SimpleRNNBase = configured(RecurrentLayer, cellOptions, ['units', 'activation', 'useBias'])

/**
 * h_t = activation(x_t · kernel + h_{t−1} · recurrentKernel + bias): x [batch, steps, n] → the last h [batch, units],
 * or all.
 *
 *   new SimpleRNN({ units: 8, returnSequences: true })
 *
 * Keras: `keras.layers.SimpleRNN`.
 */
export class SimpleRNN extends SimpleRNNBase {
  static readonly className = 'SimpleRNN'
  /** @internal */
  static override readonly traits: LayerTraits<SimpleRNN> = {
    requiredInputs: () => [{ ndim: 3 }],
  }
  readonly cell = new SimpleRNNCell({ name: 'simple_rnn_cell', ...optionsOfCell(this, cellOptions()) })
}
