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
  GateWeights,
  requireCellInput,
  weightOptions,
  gateOptions,
  flowOfUnits,
  implementationOptions,
  optionsOfCell,
  hasSeparateMasks,
  type GateForm,
} from './gated-cell'
import { generatorOf } from '../random'
import type { ShapesOf } from '../spec'
import { RecurrentLayer } from './rnn'
import type { LayerTraits } from '../traits'
import { exactly } from '../../core/tuples'

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
class ForgetBias extends Initializer {
  constructor(private readonly others: Initializer) {
    super()
  }

  call([size]: Shape): Tensor {
    const units = size! / 4
    return concatenate([this.others.call([units]), ones([units]), this.others.call([2 * units])], 0)
  }
}

/** The initializer of the bias, by the option unitForgetBias. */
export function initialForgetBias(cell: {
  readonly unitForgetBias: boolean
  readonly biasInitializer: Initializer
}): Initializer {
  return cell.unitForgetBias ? new ForgetBias(cell.biasInitializer) : cell.biasInitializer
}

const LSTMCellBase = configured(Cell, () => merged(weightOptions(), lstmOptions()), [
  'units',
  'activation',
  'recurrentActivation',
  'useBias',
])

/** Columns of i, f, g and o. */
const FORM: GateForm<LSTMCell> = {
  gates: 4,
  width: ({ units }) => units,
  initialBias: initialForgetBias,
  separateMasks: hasSeparateMasks,
}

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
    checkShape: requireCellInput,
    unitFlow: (layer) => flowOfUnits(layer, layer.recurrentActivation),
  }
  private readonly generator = generatorOf(this)
  private readonly gates = new GateWeights(this, FORM)

  /** [n, 4 · units]. */
  get kernel(): Variable {
    return this.gates.kernel
  }

  /** [units, 4 · units]. */
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

  get stateSize(): readonly number[] {
    return [this.units, this.units]
  }

  call(step: CellInput, { training }: CallContext): CellOutput {
    const [, c] = step.state
    return lstmStep(this.gates.sum(step, training), c!, this)
  }
}

/** From the sum [i, f, g, o] along the last axis, and the state c, to h' and c'. */
export function lstmStep(sum: Tensor, c: Tensor, { recurrentActivation: σ, activation: φ }: Activations): CellOutput {
  const [i, f, g, o] = exactly(split(sum, 4, -1), 4)
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
