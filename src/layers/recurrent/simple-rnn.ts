// SimpleRNN: the fully connected recurrence.

import { boolean, configured, count, integer, nullable, number, option, required } from '../../core/options'
import { add, multiply } from '../../ops/elementwise'
import { matmul } from '../../ops/linalg'
import { SeedGenerator, dropout as dropped } from '../../ops/random'
import { ones } from '../../ops/shape'
import type { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import type { CallContext } from '../context'
import { activation, initializer, regularizer } from '../kinds'
import type { ShapesOf } from '../spec'
import type { CellInput, CellOutput, DropoutMasks } from './cell'
import { Cell } from './cell'
import { RecurrentLayer } from './rnn'

const rate = /* @__PURE__ */ number({ min: 0, max: 1 })

const cellOptions = () => ({
  /** The size of output and state. */
  units: required(count),
  /** Applied to the sum. Default tanh. */
  activation: option(activation, 'tanh'),
  /** Default true. */
  useBias: option(boolean, true),
  /** Default glorotUniform. */
  kernelInitializer: option(initializer, 'glorotUniform'),
  /** Default orthogonal. */
  recurrentInitializer: option(initializer, 'orthogonal'),
  /** Default zeros. */
  biasInitializer: option(initializer, 'zeros'),
  /** A penalty on the kernel. Default null. */
  kernelRegularizer: option(regularizer, null),
  /** A penalty on the recurrent kernel. Default null. */
  recurrentRegularizer: option(regularizer, null),
  /** A penalty on the bias. Default null. */
  biasRegularizer: option(regularizer, null),
  /** The probability with which an element of the input becomes 0 in training, the same in all steps. Default 0. */
  dropout: option(rate, 0),
  /** The same for the state. Default 0. */
  recurrentDropout: option(rate, 0),
  /** Fixes what is dropped; from setRandomSeed's when left out. */
  seed: option(nullable(integer()), null),
})

/**
 * h' = activation(x · kernel + h · recurrentKernel + bias): x [batch, n], h [batch, units]. The output is the state.
 *
 * Keras: `keras.layers.SimpleRNNCell`.
 */
export class SimpleRNNCell extends configured(Cell, cellOptions, 'units') {
  static readonly className = 'SimpleRNNCell'
  private readonly generator = new SeedGenerator(this.seed ?? undefined, `${this.name}/seedGenerator`)
  private kernelVariable: Variable | null = null
  private recurrentVariable: Variable | null = null
  private biasVariable: Variable | null = null

  get stateSize(): number {
    return this.units
  }

  /** [n, units] */
  get kernel(): Variable {
    return this.requireBuilt(this.kernelVariable)
  }

  /** [units, units] */
  get recurrentKernel(): Variable {
    return this.requireBuilt(this.recurrentVariable)
  }

  /** [units]; null when useBias is false. */
  get bias(): Variable | null {
    return this.biasVariable
  }

  override build({ input }: ShapesOf<CellInput>): void {
    const { units } = this
    this.kernelVariable = this.addWeight({ name: 'kernel', shape: [input.at(-1)!, units], initializer: this.kernelInitializer, regularizer: this.kernelRegularizer })
    this.recurrentVariable = this.addWeight({
      name: 'recurrent_kernel',
      shape: [units, units],
      initializer: this.recurrentInitializer,
      regularizer: this.recurrentRegularizer,
    })
    if (this.useBias) this.biasVariable = this.addWeight({ name: 'bias', shape: [units], initializer: this.biasInitializer, regularizer: this.biasRegularizer })
  }

  override dropoutMasks(batch: number, features: number): DropoutMasks {
    const mask = (p: number, size: number): Tensor => dropped(ones([batch, size]), p, { seed: this.generator })
    return {
      ...(this.dropout > 0 ? { input: mask(this.dropout, features) } : {}),
      ...(this.recurrentDropout > 0 ? { state: mask(this.recurrentDropout, this.units) } : {}),
    }
  }

  call({ input, state: [h], dropout }: CellInput, { training }: CallContext): CellOutput {
    // Outside of a sequence each call draws for itself.
    const masks: DropoutMasks = !training ? {} : (dropout ?? this.dropoutMasks(input.shape[0]!, input.shape[1]!))
    const x = masks['input'] === undefined ? input : multiply(input, masks['input'])
    const before = masks['state'] === undefined ? h! : multiply(h!, masks['state'])
    const product = matmul(x, this.kernel)
    const sum = add(this.biasVariable === null ? product : add(product, this.biasVariable), matmul(before, this.recurrentKernel))
    const output = this.activation(sum)
    return { output, state: [output] }
  }
}

/**
 * h_t = activation(x_t · kernel + h_{t−1} · recurrentKernel + bias): x [batch, steps, n] → the last h [batch, units], or all.
 *
 *   new SimpleRNN({ units: 8, returnSequences: true })
 *
 * Keras: `keras.layers.SimpleRNN`.
 */
export class SimpleRNN extends configured(RecurrentLayer, cellOptions, 'units') {
  static readonly className = 'SimpleRNN'

  readonly cell = new SimpleRNNCell({
    name: 'simple_rnn_cell',
    units: this.units,
    activation: this.activation,
    useBias: this.useBias,
    kernelInitializer: this.kernelInitializer,
    recurrentInitializer: this.recurrentInitializer,
    biasInitializer: this.biasInitializer,
    kernelRegularizer: this.kernelRegularizer,
    recurrentRegularizer: this.recurrentRegularizer,
    biasRegularizer: this.biasRegularizer,
    dropout: this.dropout,
    recurrentDropout: this.recurrentDropout,
    seed: this.seed,
    trainable: this.trainable,
  })
}
