// ConvLSTM1D, ConvLSTM2D, ConvLSTM3D: an LSTM of sequences of images, with convolutions in place of products. Shi et
// al. 2015, "Convolutional LSTM network: a machine learning approach for precipitation nowcasting".

import { configured, extent, option, required } from '../../core/options'
import type { Shape } from '../../core/shapes'
import type { Tree } from '../../core/tree'
import { mapTree, typed } from '../../core/tree'
import type { Initializer, InitializerIdentifier } from '../../initializers'
import { convolve } from '../../ops/convolution'
import { add, multiply } from '../../ops/elementwise'
import type { Sliding } from '../../ops/sliding'
import { placesIn } from '../../ops/sliding'
import { concatenate, moveAxis, split, unstack } from '../../ops/shape'
import type { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import { CallContext } from '../context'
import { windowOptions } from '../convolutional/options'
import { activation, dataFormat } from '../kinds'
import type { BatchShape } from '../spec'
import type { CellInput, CellOutput } from './cell'
import { WeightedCell, optionsOfCell, weightOptions, withBias } from './gated-cell'
import { ForgetBias, forgetOptions, lstmStep } from './lstm'
import { RecurrentLayer } from './rnn'

const convLstmOptions = (rank: number) => ({
  /** The number of filters: output channels. */
  filters: required(extent),
  ...windowOptions(rank),
  ...weightOptions(),
  /** The activation of the gates. Default sigmoid. */
  recurrentActivation: option(activation, 'sigmoid'),
  ...forgetOptions(),
})

/**
 * LSTMCell with convolutions in place of products: x [batch, …spatial, n], h and c [batch, …places, filters]. The
 * convolution of x follows the options; that of h has the same window, with stride 1 and padding 'same'.
 */
abstract class ConvLSTMCell extends WeightedCell {
  declare readonly filters: number
  declare readonly kernelSize: readonly number[]
  declare readonly strides: readonly number[]
  declare readonly padding: Sliding['padding']
  declare readonly dilationRate: readonly number[]
  declare readonly biasInitializer: Initializer
  declare readonly activation: (x: Tensor) => Tensor
  declare readonly recurrentActivation: (x: Tensor) => Tensor
  declare readonly unitForgetBias: boolean

  protected get gates(): number {
    return 4
  }

  protected get width(): number {
    return this.filters
  }

  protected override get window(): Shape {
    return this.kernelSize
  }

  protected override get hasMaskPerGate(): boolean {
    return true
  }

  protected override get initialBias(): InitializerIdentifier {
    return this.unitForgetBias ? new ForgetBias(this.biasInitializer) : this.biasInitializer
  }

  override get stateSize(): readonly number[] {
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

  call(given: CellInput, { training }: CallContext): CellOutput {
    const {
      input,
      state: [h, c],
    } = given
    const masks = this.masksOf(given, training)
    const ofInput = withBias(this.convolved(input, this.kernel, this.ofInput, masks.input), this.bias)
    return lstmStep(add(ofInput, this.convolved(h!, this.recurrentKernel, this.ofState, masks.state)), c!, this)
  }

  /** @param mask [gates, …x]: the dropout mask of each gate */
  private convolved(x: Tensor, kernel: Variable, sliding: Sliding, mask: Tensor | undefined): Tensor {
    const where = `${this}`
    if (mask === undefined) return convolve(where, x, kernel.value, sliding)
    const kernels = split(kernel, this.gates, -1)
    return concatenate(
      unstack(mask).map((own, gate) => convolve(where, multiply(x, own), kernels[gate]!, sliding)),
      -1,
    )
  }
}

/** The axes of one step's input. */
const AXES: readonly (readonly string[])[] = [[], ['columns'], ['rows', 'columns'], ['depth', 'rows', 'columns']]

/** Subclasses compute with the channels last. */
abstract class ConvLSTM extends configured(RecurrentLayer, () => ({
  /** Where the channels are: 'channelsLast' or 'channelsFirst'; null means last. Default null. */
  dataFormat: option(dataFormat, null),
})) {
  abstract override readonly cell: ConvLSTMCell
  protected abstract readonly rank: number

  protected override get stepAxes(): readonly string[] {
    const spatial = AXES[this.rank]!
    return this.isFirst ? ['channels', ...spatial] : [...spatial, 'channels']
  }

  private get isFirst(): boolean {
    return this.dataFormat === 'channelsFirst'
  }

  protected override get featureAxis(): number {
    return this.isFirst ? 2 : -1
  }

  private shapeLast(shape: BatchShape): BatchShape {
    if (!this.isFirst || shape.length < 3) return shape
    const [batch = null, steps = null, channels = null, ...spatial] = shape
    return [batch, steps, ...spatial, channels]
  }

  override build(inputShape: BatchShape): void {
    super.build(this.shapeLast(inputShape))
  }

  override get unitFlow(): null {
    return null
  }

  override call(x: Tensor, context: CallContext): Tensor {
    if (!this.isFirst || x.rank !== this.rank + 3) return super.call(x, context)
    const { initialState } = context
    const states =
      initialState && mapTree(initialState, (state) => (state.rank === this.rank + 2 ? moveAxis(state, 1, -1) : state))
    const given = super.call(moveAxis(x, 2, -1), new CallContext(context.training, context.mask, states, context))
    return mapTree(given as Tree<Tensor>, (y) => moveAxis(y, -1, y.rank - this.rank - 1)) as Tensor
  }

  protected override stateShape(shape: Shape): Shape {
    if (!this.isFirst || shape.length !== this.rank + 2) return shape
    return [shape[0]!, shape.at(-1)!, ...shape.slice(1, -1)]
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    const output = super.computeOutputShape(this.shapeLast(inputShape))
    if (!this.isFirst) return output
    const first = (shape: BatchShape): BatchShape => [
      ...shape.slice(0, -this.rank - 1),
      shape.at(-1)!,
      ...shape.slice(-this.rank - 1, -1),
    ]
    return this.returnState ? typed(typed<readonly BatchShape[]>(output).map(first)) : first(output)
  }
}

class ConvLSTM1DCell extends configured(ConvLSTMCell, () => convLstmOptions(1)) {
  static readonly className = 'ConvLSTM1DCell'
}

/**
 * An LSTM of sequences of rows of places: x [batch, steps, columns, channels] → the last h [batch, …places, filters],
 * or all. Its state is [h, c]. The formulas are LSTMCell's with convolutions in place of products.
 *
 *   new ConvLSTM1D({ filters: 16, kernelSize: 3, padding: 'same', returnSequences: true })
 *
 * Keras: `keras.layers.ConvLSTM1D`.
 */
export class ConvLSTM1D extends configured(ConvLSTM, () => convLstmOptions(1)) {
  static readonly className = 'ConvLSTM1D'
  protected readonly rank = 1
  readonly cell = new ConvLSTM1DCell({ name: 'conv_lstm_cell', ...optionsOfCell(this, convLstmOptions(1)) })
}

class ConvLSTM2DCell extends configured(ConvLSTMCell, () => convLstmOptions(2)) {
  static readonly className = 'ConvLSTM2DCell'
}

/**
 * An LSTM of sequences of images: x [batch, steps, rows, columns, channels] → the last h [batch, …places, filters], or
 * all. Its state is [h, c]. The formulas are LSTMCell's with convolutions in place of products.
 *
 *   new ConvLSTM2D({ filters: 16, kernelSize: 3, padding: 'same', returnSequences: true })
 *
 * Keras: `keras.layers.ConvLSTM2D`.
 */
export class ConvLSTM2D extends configured(ConvLSTM, () => convLstmOptions(2)) {
  static readonly className = 'ConvLSTM2D'
  protected readonly rank = 2
  readonly cell = new ConvLSTM2DCell({ name: 'conv_lstm_cell', ...optionsOfCell(this, convLstmOptions(2)) })
}

class ConvLSTM3DCell extends configured(ConvLSTMCell, () => convLstmOptions(3)) {
  static readonly className = 'ConvLSTM3DCell'
}

/**
 * An LSTM of sequences of volumes: x [batch, steps, depth, rows, columns, channels] → the last h [batch, …places,
 * filters], or all. Its state is [h, c]. The formulas are LSTMCell's with convolutions in place of products.
 *
 *   new ConvLSTM3D({ filters: 16, kernelSize: 3, padding: 'same', returnSequences: true })
 *
 * Keras: `keras.layers.ConvLSTM3D`.
 */
export class ConvLSTM3D extends configured(ConvLSTM, () => convLstmOptions(3)) {
  static readonly className = 'ConvLSTM3D'
  protected readonly rank = 3
  readonly cell = new ConvLSTM3DCell({ name: 'conv_lstm_cell', ...optionsOfCell(this, convLstmOptions(3)) })
}
