// ConvLSTM1D, ConvLSTM2D, ConvLSTM3D: an LSTM of sequences of images, with convolutions in place of products. Shi et
// al. 2015, "Convolutional LSTM network: a machine learning approach for precipitation nowcasting".

import { merged } from '../../core/merged'
import { configured, extent, option, required, type ValuesOf } from '../../core/options'
import type { Shape } from '../../core/shapes'
import type { Initializer } from '../../parts/initializers'
import { convolve } from '../../ops/nn/convolution'
import { add, multiply } from '../../ops/numpy/elementwise'
import { placesIn, type Sliding } from '../../ops/nn/sliding'
import { concatenate, split, unstack } from '../../ops/numpy/shape'
import type { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import type { CallContext } from '../context'
import { windowOptions } from '../convolutional/options'
import { activation, dataFormat } from '../kinds'
import { generatorOf } from '../random'
import type { BatchShape, ShapesOf } from '../spec'
import { Cell, type CellInput, type CellOutput, type DropoutMasks } from './cell'
import {
  GateWeights,
  masksOf,
  requireCellInput,
  optionsOfCell,
  weightOptions,
  withBias,
  type GateForm,
} from './gated-cell'
import { forgetOptions, initialForgetBias, lstmStep } from './lstm'
import { RecurrentLayer, type StepForm } from './rnn'
import type { LayerTraits } from '../traits'

const convLstmOptions = (rank: number) =>
  merged(
    {
      /** The number of filters: output channels. */
      filters: required(extent),
    },
    windowOptions(rank),
    weightOptions(),
    {
      /** The activation of the gates. Default sigmoid. */
      recurrentActivation: option(activation, 'sigmoid'),
    },
    forgetOptions(),
  )

/** The gates of an LSTM. */
const GATES = 4

const ConvLSTMCellBase = configured(Cell, weightOptions)

/** Filters of i, f, g and o. */
const FORM: GateForm<ConvLSTMCell> = {
  gates: GATES,
  width: ({ filters }) => filters,
  window: ({ kernelSize }) => kernelSize,
  initialBias: initialForgetBias,
  separateMasks: () => true,
}

/**
 * LSTMCell with convolutions in place of products: x [batch, …spatial, n], h and c [batch, …places, filters]. The
 * convolution of x follows the options; that of h has the same window, with stride 1 and padding 'same'.
 */
abstract class ConvLSTMCell extends ConvLSTMCellBase {
  /** @internal */
  static override readonly traits: LayerTraits<ConvLSTMCell> = {
    checkShape: requireCellInput,
  }

  declare readonly filters: number
  declare readonly kernelSize: readonly number[]
  declare readonly strides: readonly number[]
  declare readonly padding: Sliding['padding']
  declare readonly dilationRate: readonly number[]
  declare readonly biasInitializer: Initializer
  declare readonly activation: (x: Tensor) => Tensor
  declare readonly recurrentActivation: (x: Tensor) => Tensor
  declare readonly unitForgetBias: boolean
  private readonly generator = generatorOf(this)
  private readonly gates = new GateWeights(this, FORM)

  /** […window, n, 4 · filters]. */
  get kernel(): Variable {
    return this.gates.kernel
  }

  /** […window, filters, 4 · filters]. */
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
    return [this.filters, this.filters]
  }

  override stateShapes(input: BatchShape): readonly BatchShape[] {
    const shape = this.outputShape(input)
    return [shape, shape]
  }

  override outputShape(input: BatchShape): BatchShape {
    return [...placesIn(`${this}`, input.slice(0, -1), this.ofInput), this.filters]
  }

  private get ofInput(): Sliding {
    return { window: this.kernelSize, strides: this.strides, dilation: this.dilationRate, padding: this.padding }
  }

  private get ofState(): Sliding {
    const ones = this.kernelSize.map(() => 1)
    return { window: this.kernelSize, strides: ones, dilation: ones, padding: 'same' }
  }

  call(step: CellInput, { training }: CallContext): CellOutput {
    const {
      input,
      state: [h, c],
    } = step
    const masks = masksOf(this, step, training)
    const ofInput = withBias(this.convolved(input, this.kernel, this.ofInput, masks.input), this.bias)
    return lstmStep(add(ofInput, this.convolved(h!, this.recurrentKernel, this.ofState, masks.state)), c!, this)
  }

  /** @param mask [gates, …x]: the dropout mask of each gate */
  private convolved(x: Tensor, kernel: Variable, sliding: Sliding, mask: Tensor | undefined): Tensor {
    const where = `${this}`
    if (mask === undefined) return convolve(where, x, kernel.value, sliding)
    const kernels = split(kernel, GATES, -1)
    return concatenate(
      unstack(mask).map((ofGate, gate) => convolve(where, multiply(x, ofGate), kernels[gate]!, sliding)),
      -1,
    )
  }
}

/** The axes of one step's input. */
const AXES: readonly (readonly string[])[] = [[], ['columns'], ['rows', 'columns'], ['depth', 'rows', 'columns']]

const formatOption = () => ({
  /** Where the channels are: 'channelsLast' or 'channelsFirst'; null means last. Default null. */
  dataFormat: option(dataFormat, null),
})

function stepsOf(rank: number, { dataFormat }: ValuesOf<ReturnType<typeof formatOption>>): StepForm {
  const spatial = AXES[rank]!
  return dataFormat === 'channelsFirst'
    ? { axes: ['channels', ...spatial], featureAxis: -rank - 1 }
    : { axes: [...spatial, 'channels'], featureAxis: -1 }
}

const ConvLSTM1DCellBase = configured(ConvLSTMCell, () => convLstmOptions(1))

class ConvLSTM1DCell extends ConvLSTM1DCellBase {
  static readonly className = 'ConvLSTM1DCell'
}

/** The options by position, in Keras's order. */
const POSITIONAL = [
  'filters',
  'kernelSize',
  'strides',
  'padding',
  'dataFormat',
  'dilationRate',
  'activation',
  'recurrentActivation',
  'useBias',
] as const

const ConvLSTM1DBase = configured(RecurrentLayer, () => merged(formatOption(), convLstmOptions(1)), POSITIONAL)

/**
 * An LSTM of sequences of rows of places: x [batch, steps, columns, channels] → the last h [batch, …places, filters],
 * or all. Its state is [h, c]. The formulas are LSTMCell's with convolutions in place of products.
 *
 *   new ConvLSTM1D({ filters: 16, kernelSize: 3, padding: 'same', returnSequences: true })
 *
 * Keras: `keras.layers.ConvLSTM1D`.
 */
export class ConvLSTM1D extends ConvLSTM1DBase {
  static readonly className = 'ConvLSTM1D'
  /** @internal */
  static override readonly traits: LayerTraits<ConvLSTM1D> = {
    unitFlow: () => null,
  }
  readonly cell = new ConvLSTM1DCell({ name: 'conv_lstm_cell', ...optionsOfCell(this, convLstmOptions(1)) })

  protected override get steps(): StepForm {
    return stepsOf(1, this)
  }
}

const ConvLSTM2DCellBase = configured(ConvLSTMCell, () => convLstmOptions(2))

class ConvLSTM2DCell extends ConvLSTM2DCellBase {
  static readonly className = 'ConvLSTM2DCell'
}

const ConvLSTM2DBase = configured(RecurrentLayer, () => merged(formatOption(), convLstmOptions(2)), POSITIONAL)

/**
 * An LSTM of sequences of images: x [batch, steps, rows, columns, channels] → the last h [batch, …places, filters], or
 * all. Its state is [h, c]. The formulas are LSTMCell's with convolutions in place of products.
 *
 *   new ConvLSTM2D({ filters: 16, kernelSize: 3, padding: 'same', returnSequences: true })
 *
 * Keras: `keras.layers.ConvLSTM2D`.
 */
export class ConvLSTM2D extends ConvLSTM2DBase {
  static readonly className = 'ConvLSTM2D'
  /** @internal */
  static override readonly traits: LayerTraits<ConvLSTM2D> = {
    unitFlow: () => null,
  }
  readonly cell = new ConvLSTM2DCell({ name: 'conv_lstm_cell', ...optionsOfCell(this, convLstmOptions(2)) })

  protected override get steps(): StepForm {
    return stepsOf(2, this)
  }
}

const ConvLSTM3DCellBase = configured(ConvLSTMCell, () => convLstmOptions(3))

class ConvLSTM3DCell extends ConvLSTM3DCellBase {
  static readonly className = 'ConvLSTM3DCell'
}

const ConvLSTM3DBase = configured(RecurrentLayer, () => merged(formatOption(), convLstmOptions(3)), POSITIONAL)

/**
 * An LSTM of sequences of volumes: x [batch, steps, depth, rows, columns, channels] → the last h [batch, …places,
 * filters], or all. Its state is [h, c]. The formulas are LSTMCell's with convolutions in place of products.
 *
 *   new ConvLSTM3D({ filters: 16, kernelSize: 3, padding: 'same', returnSequences: true })
 *
 * Keras: `keras.layers.ConvLSTM3D`.
 */
export class ConvLSTM3D extends ConvLSTM3DBase {
  static readonly className = 'ConvLSTM3D'
  /** @internal */
  static override readonly traits: LayerTraits<ConvLSTM3D> = {
    unitFlow: () => null,
  }
  readonly cell = new ConvLSTM3DCell({ name: 'conv_lstm_cell', ...optionsOfCell(this, convLstmOptions(3)) })

  protected override get steps(): StepForm {
    return stepsOf(3, this)
  }
}
