// SimpleRNN: the fully connected recurrence.

import { configured } from '../../core/options'
import { add } from '../../ops/elementwise'
import type { CallContext } from '../context'
import type { CellInput, CellOutput } from './cell'
import { WeightedCell, cellOptions, flowOfUnits, optionsOfCell, product, withBias } from './gated-cell'
import type { UnitFlow } from '../units'
import { RecurrentLayer } from './rnn'

/**
 * h' = activation(x · kernel + h · recurrentKernel + bias): x [batch, n], h [batch, units]. The output is the state.
 *
 * Keras: `keras.layers.SimpleRNNCell`.
 */
export class SimpleRNNCell extends configured(WeightedCell, cellOptions, 'units') {
  static readonly className = 'SimpleRNNCell'

  override get unitFlow(): UnitFlow {
    return flowOfUnits(this)
  }

  protected get width(): number {
    return this.units
  }

  protected get gates(): number {
    return 1
  }

  call(given: CellInput, { training }: CallContext): CellOutput {
    const {
      input,
      state: [h],
    } = given
    const masks = this.masksOf(given, training)
    const sum = add(
      withBias(product(input, this.kernel, masks.input), this.bias),
      product(h!, this.recurrentKernel, masks.state),
    )
    const output = this.activation(sum)
    return { output, state: [output] }
  }
}

/**
 * h_t = activation(x_t · kernel + h_{t−1} · recurrentKernel + bias): x [batch, steps, n] → the last h [batch, units],
 * or all.
 *
 *   new SimpleRNN({ units: 8, returnSequences: true })
 *
 * Keras: `keras.layers.SimpleRNN`.
 */
export class SimpleRNN extends configured(RecurrentLayer, cellOptions, 'units') {
  static readonly className = 'SimpleRNN'
  readonly cell = new SimpleRNNCell({ name: 'simple_rnn_cell', ...optionsOfCell(this, cellOptions()) })
}
