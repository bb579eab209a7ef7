// GRU: the gated recurrent unit. Cho et al. 2014.

import { merged } from '../../core/merged'
import { boolean, configured, option } from '../../core/options'
import type { Shape } from '../../core/shapes'
import { add, multiply, subtract } from '../../ops/numpy/elementwise'
import { slice, split, unstack } from '../../ops/numpy/shape'
import type { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import type { CallContext } from '../context'
import { Cell, type CellInput, type CellOutput, type DropoutMasks } from './cell'
import {
  masksOf,
  requireCellInput,
  weightOptions,
  gateOptions,
  flowOfUnits,
  implementationOptions,
  optionsOfCell,
  product,
  withBias,
  GateWeights,
  hasSeparateMasks,
  type GateForm,
} from './gated-cell'
import { generatorOf } from '../random'
import type { ShapesOf } from '../spec'
import { RecurrentLayer } from './rnn'
import type { LayerTraits } from '../traits'
import { exactly } from '../../core/tuples'

const gruOptions = () =>
  merged(gateOptions(), {
    /**
     * Whether the reset gate is applied after the product with the state; if false, to the state before the product.
     * Default true.
     */
    resetAfter: option(boolean, true),
  })

const GRUCellBase = configured(Cell, () => merged(weightOptions(), gruOptions()), [
  'units',
  'activation',
  'recurrentActivation',
  'useBias',
])

/** Columns of z, r and g. */
const FORM: GateForm<GRUCell> = {
  gates: 3,
  width: ({ units }) => units,
  biasShape: ({ units, resetAfter }) => (resetAfter ? [2, 3 * units] : [3 * units]),
  separateMasks: hasSeparateMasks,
}

/**
 * σ is recurrentActivation, φ activation; x [batch, n], h [batch, units]. The output is the state.
 *
 *   [xz, xr, xg] = x · kernel + bias₀              kernel [n, 3 · units]
 *   [hz, hr, hg] = h · recurrentKernel + bias₁     recurrentKernel [units, 3 · units]
 *   z = σ(xz + hz)
 *   r = σ(xr + hr)
 *   g = φ(xg + r ⊙ hg)
 *   h' = z ⊙ h + (1 − z) ⊙ g
 *
 * The bias is [2, 3 · units]: bias₀, bias₁. With resetAfter false there is only bias₀, [3 · units], and
 * g = φ(xg + (r ⊙ h) · recurrentKernel_g).
 *
 * Keras: `keras.layers.GRUCell`.
 */
export class GRUCell extends GRUCellBase {
  static readonly className = 'GRUCell'
  /** @internal */
  static override readonly traits: LayerTraits<GRUCell> = {
    checkShape: requireCellInput,
    unitFlow: (layer) => flowOfUnits(layer, layer.recurrentActivation),
  }
  private readonly generator = generatorOf(this)
  private readonly gates = new GateWeights(this, FORM)

  /** [n, 3 · units]. */
  get kernel(): Variable {
    return this.gates.kernel
  }

  /** [units, 3 · units]. */
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
    const {
      input,
      state: [h],
    } = step
    const { recurrentActivation: σ, activation: φ } = this
    const masks = masksOf(this, step, training)
    const [ofInput, ofState] = this.biases
    const [xz, xr, xg] = exactly(split(withBias(product(input, this.kernel, masks.input), ofInput), 3, 1), 3)
    const { hz, hr, hg } = this.resetAfter
      ? this.productAfter(h!, masks.state, ofState)
      : this.productBefore(h!, masks.state)
    const z = σ(add(xz, hz))
    const g = φ(add(xg, hg(σ(add(xr, hr)))))
    const output = add(multiply(z, h!), multiply(subtract(1, z), g))
    return { output, state: [output] }
  }

  /** The biases of the products of the input and of the state. */
  private get biases(): readonly [ofInput: Tensor | null, ofState: Tensor | null] {
    if (this.bias === null) return [null, null]
    return this.resetAfter ? exactly(unstack(this.bias), 2) : [this.bias.value, null]
  }

  /** The contribution of the state to each gate; the reset gate multiplies hg. */
  private productAfter(h: Tensor, mask: Tensor | undefined, bias: Tensor | null): StateProducts {
    const [hz, hr, hg] = exactly(split(withBias(product(h, this.recurrentKernel, mask), bias), 3, 1), 3)
    return { hz, hr, hg: (r) => multiply(r, hg) }
  }

  /** The same with a reset gate that multiplies h. */
  private productBefore(h: Tensor, mask: Tensor | undefined): StateProducts {
    const { units } = this
    const [kernel, candidate] = exactly(split(this.recurrentKernel, [2 * units], 1), 2)
    const [masks, candidateMask] =
      mask === undefined || mask.rank === 2
        ? [mask, mask]
        : [slice(mask, [0, 0, 0], [2, ...mask.shape.slice(1)]), unstack(mask)[2]]
    const [hz, hr] = exactly(split(product(h, kernel, masks), 2, 1), 2)
    return { hz, hr, hg: (r) => product(multiply(r, h), candidate, candidateMask) }
  }
}

interface StateProducts {
  readonly hz: Tensor
  readonly hr: Tensor
  /** The contribution to the candidate, for a reset gate. */
  readonly hg: (reset: Tensor) => Tensor
}

const GRUBase = configured(RecurrentLayer, () => merged(gruOptions(), implementationOptions()), [
  'units',
  'activation',
  'recurrentActivation',
  'useBias',
])

/**
 * The gated recurrent unit: x [batch, steps, n] → the last h [batch, units], or all. The formulas are GRUCell's.
 *
 *   new GRU({ units: 64, returnSequences: true })
 *
 * Keras: `keras.layers.GRU`.
 */
export class GRU extends GRUBase {
  static readonly className = 'GRU'
  readonly cell = new GRUCell({ name: 'gru_cell', ...optionsOfCell(this, gruOptions()) })
}
