// Cell: what a recurrent layer does in one step. The loop over the steps is in rnn.ts.

import { withoutOptions } from '../../core/options'
import type { Config } from '../../core/registry'
import type { Shape } from '../../core/shapes'
import { typed } from '../../core/tree'
import { zeros } from '../../ops/numpy/shape'
import type { Tensor } from '../../ops/tensor'
import { INPUT_SHAPE, warnOfInputShape } from '../checks'
import { LISTED } from '../forms'
import { Layer } from '../layer'
import type { BatchShape } from '../spec'

/** Dropout masks by the name of what they are applied to. */
export type DropoutMasks = Readonly<Record<string, Tensor>>

/** The input of a cell in one step. */
export interface CellInput {
  /** One step of the sequence: [batch, features], or with spatial axes between. */
  readonly input: Tensor
  /** The states after the previous step, each [batch, size] or with spatial axes in between. */
  readonly state: readonly Tensor[]
  /** The dropout masks of this sequence, as `dropoutMasks` made them. */
  readonly dropout?: DropoutMasks
}

/** The result of a cell in one step. */
export interface CellOutput {
  /** [batch, outputSize], or with spatial axes between. */
  readonly output: Tensor
  /** The states for the next step. */
  readonly state: readonly Tensor[]
}

/**
 * Subclass it, and let RNN call it for every step:
 *
 *   class Minimal extends Cell {
 *     get stateSize() { return 8 }
 *     build({ input }) {
 *       this.kernel = this.addWeight({ name: 'kernel', shape: [input.at(-1), 8] })
 *       this.recurrentKernel = this.addWeight({ name: 'recurrentKernel', shape: [8, 8] })
 *     }
 *     call({ input, state: [h] }) {
 *       const output = ops.tanh(ops.add(ops.matmul(input, this.kernel), ops.matmul(h, this.recurrentKernel)))
 *       return { output, state: [output] }
 *     }
 *   }
 *   new RNN(new Minimal())
 *
 * `call` is recorded once, however long the sequence. Keras: a cell of `keras.layers.RNN`.
 */
export abstract class Cell extends Layer<CellInput, CellOutput> {
  static override readonly form = LISTED

  protected override checkOptions(): void {
    warnOfInputShape(this, 'Set it in the layer that calls the cell.')
  }

  /** Older configurations may contain inputShape, which had no effect. @internal */
  static override fromConfig<Kind>(this: new (options: never) => Kind, config: Config): Kind {
    return new this(typed(withoutOptions(config, INPUT_SHAPE)))
  }

  /** The size of the state, or of each state. */
  abstract get stateSize(): number | readonly number[]

  /** The size of each state. */
  get stateSizes(): readonly number[] {
    const { stateSize } = this
    return typeof stateSize === 'number' ? [stateSize] : stateSize
  }

  /** The size of the output: that of the first state unless a cell overrides it. */
  get outputSize(): number {
    return this.stateSizes[0]!
  }

  /**
   * The index of the state that is the previous step's output, which a masked step repeats. The first unless a cell
   * overrides it.
   */
  get outputState(): number {
    return 0
  }

  /**
   * The shape of each state without the batch: its size, unless a cell overrides it.
   * @param input the shape of a step without the batch
   */
  stateShapes(_input: BatchShape): readonly BatchShape[] {
    return this.stateSizes.map((size) => [size])
  }

  /** The shape of the output without the batch: the output's size, unless a cell overrides it. */
  outputShape(_input: BatchShape): BatchShape {
    return [this.outputSize]
  }

  /** The states before the first step: zeros unless a cell overrides it. */
  initialState(batch: number, input: Shape = []): readonly Tensor[] {
    return this.stateShapes(input).map((shape) => zeros([batch, ...(shape as Shape)]))
  }

  /** The same as `initialState`, for a batch of this size. Keras: `get_initial_state`. */
  getInitialState(batchSize: number, input: Shape = []): readonly Tensor[] {
    return this.initialState(batchSize, input)
  }

  /**
   * Dropout masks, drawn once per sequence in training, so that all its steps drop the same elements. Empty unless a
   * cell has some.
   */
  dropoutMasks(_batch: number, _input: Shape): DropoutMasks {
    return {}
  }
}
