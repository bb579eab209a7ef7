// SimpleRNN: the fully connected recurrence.

import { merged } from '../../core/merged'
import { configured } from '../../core/options'
import type { Shape } from '../../core/shapes'
import type { Variable } from '../../ops/variable'
import type { CallContext } from '../context'
import { Cell, type CellInput, type CellOutput, type DropoutMasks } from './cell'
import { GateWeights, requireCellInput, weightOptions, cellOptions, flowOfUnits, optionsOfCell } from './gated-cell'
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
    checkShape: requireCellInput,
    unitFlow: (layer) => flowOfUnits(layer),
  }
  private readonly generator = generatorOf(this)
  private readonly gates = new GateWeights(this, { gates: 1, width: ({ units }) => units })

  /** [n, units]. */
  get kernel(): Variable {
    return this.gates.kernel
  }

  /** [units, units]. */
  get recurrentKernel(): Variable {
    return this.gates.recurrentKernel
  }

  /** null when useBias is false. */
  get bias(): Variable | null {
    return this.gates.bias
  }

  override build({ input }: ShapesOf<CellInput>): void {
    this.gates.build(input)
  }

  /** `input` and `state`: masks of their shapes, with a leading axis of gates if each gate has its own. */
  override dropoutMasks(batch: number, input: Shape): DropoutMasks {
    return this.gates.drawMasks(this.generator, batch, input)
  }

  get stateSize(): number {
    return this.units
  }

  call(step: CellInput, { training }: CallContext): CellOutput {
    const output = this.activation(this.gates.sum(step, training))
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
