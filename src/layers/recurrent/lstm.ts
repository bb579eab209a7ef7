// LSTM: long short-term memory. Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000.

import { merged } from '../../core/merged'
import { boolean, configured, option } from '../../core/options'
import type { Shape } from '../../core/shapes'
import { Initializer } from '../../parts/initializers'
import { add, multiply } from '../../ops/numpy/elementwise'
import { concatenate, ones, split } from '../../ops/numpy/shape'
import type { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import type { CallContext } from '../context'
import { Cell, type CellInput, type CellOutput, type DropoutMasks } from './cell'
import {
  cellWeights,
  drawMasks,
  masksOf,
  requireCellInput,
  gatesOfMasks,
  weightOptions,
  gateOptions,
  flowOfUnits,
  implementationOptions,
  optionsOfCell,
  product,
  withBias,
  type CellWeights,
} from './gated-cell'
import { generatorOf } from '../random'
import type { ShapesOf } from '../spec'
import { RecurrentLayer } from './rnn'
import type { LayerTraits } from '../traits'

const forgetRows = () => ({
  /**
   * Whether the bias of the forget gate starts at 1, so that the first steps of training forget little. Default true.
   */
  unitForgetBias: option(boolean, true),
})
type ForgetRows = ReturnType<typeof forgetRows>
export type ForgetTable = { [Name in keyof ForgetRows]: ForgetRows[Name] }
export const forgetOptions: () => ForgetTable = forgetRows

const lstmOptions = () => merged(gateOptions(), forgetOptions())

/** Four blocks: the second, for the forget gate, is ones; the others come from an initializer. */
export class ForgetBias extends Initializer {
  constructor(private readonly others: Initializer) {
    super()
  }

  call([size]: Shape): Tensor {
    const units = size! / 4
    return concatenate([this.others.call([units]), ones([units]), this.others.call([2 * units])], 0)
  }
}

const LSTMCellBase = configured(Cell, () => merged(weightOptions(), lstmOptions()), [
  'units',
  'activation',
  'recurrentActivation',
  'useBias',
])

/**
 * σ is recurrentActivation, φ activation; x [batch, n], h and c [batch, units]. The output is h', the state [h, c].
 *
 *   [i, f, g, o] = x · kernel + h · recurrentKernel + bias    kernel [n, 4 · units], recurrentKernel [units, 4 · units]
 *   c' = σ(f) ⊙ c + σ(i) ⊙ φ(g)
 *   h' = σ(o) ⊙ φ(c')
 *
 * Keras: `keras.layers.LSTMCell`.
 */
export class LSTMCell extends LSTMCellBase {
  static readonly className = 'LSTMCell'
  /** @internal */
  static override readonly traits: LayerTraits<LSTMCell> = {
    checkShape(layer, shape, built, path) {
      requireCellInput(layer, shape, built, path)
    },
    unitFlow: (layer) => flowOfUnits(layer, layer.recurrentActivation),
  }
  private readonly generator = generatorOf(this)
  private own: CellWeights | null = null

  /** [n, 4 · units]. */
  get kernel(): Variable {
    return this.requireBuilt(this.own).kernel
  }

  /** [units, 4 · units]. */
  get recurrentKernel(): Variable {
    return this.requireBuilt(this.own).recurrentKernel
  }

  /** null when useBias is false. */
  get bias(): Variable | null {
    return this.own?.bias ?? null
  }

  override build({ input }: ShapesOf<CellInput>): void {
    this.own = cellWeights(
      this,
      {
        gates: 4,
        width: this.units,
        initialBias: this.unitForgetBias ? new ForgetBias(this.biasInitializer) : this.biasInitializer,
      },
      input,
    )
  }

  /** `input` and `state`: masks of their shapes, with a leading axis of gates if each gate has its own. */
  override dropoutMasks(batch: number, input: Shape): DropoutMasks {
    return drawMasks(this, this.generator, gatesOfMasks(this, 4), batch, input)
  }

  get stateSize(): readonly number[] {
    return [this.units, this.units]
  }

  call(given: CellInput, { training }: CallContext): CellOutput {
    const {
      input,
      state: [h, c],
    } = given
    const masks = masksOf(this, given, training)
    const sum = add(
      withBias(product(input, this.kernel, masks.input), this.bias),
      product(h!, this.recurrentKernel, masks.state),
    )
    return lstmStep(sum, c!, this)
  }
}

/** From the sum [i, f, g, o] along the last axis, and the state c, to h' and c'. */
export function lstmStep(sum: Tensor, c: Tensor, { recurrentActivation: σ, activation: φ }: Activations): CellOutput {
  const [i, f, g, o] = split(sum, 4, -1) as [Tensor, Tensor, Tensor, Tensor]
  const cell = add(multiply(σ(f), c), multiply(σ(i), φ(g)))
  const output = multiply(σ(o), φ(cell))
  return { output, state: [output, cell] }
}

interface Activations {
  readonly activation: (x: Tensor) => Tensor
  readonly recurrentActivation: (x: Tensor) => Tensor
}

const LSTMBase = configured(RecurrentLayer, () => merged(lstmOptions(), implementationOptions()), [
  'units',
  'activation',
  'recurrentActivation',
  'useBias',
])

/**
 * Long short-term memory: x [batch, steps, n] → the last h [batch, units], or all. The formulas are LSTMCell's. Its
 * state is [h, c].
 *
 *   new LSTM({ units: 64, returnSequences: true })
 *
 * Keras: `keras.layers.LSTM`.
 */
export class LSTM extends LSTMBase {
  static readonly className = 'LSTM'
  readonly cell = new LSTMCell({ name: 'lstm_cell', ...optionsOfCell(this, lstmOptions()) })
}
