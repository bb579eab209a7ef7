// Cell: what a recurrent layer does in one step. The loop over the steps is in rnn.ts.

import { zeros } from '../../ops/shape'
import type { Tensor } from '../../ops/tensor'
import { Layer } from '../layer'

/** Dropout masks by what they drop. */
export type DropoutMasks = Readonly<Record<string, Tensor>>

/** What a cell sees in one step. */
export interface CellInput {
  /** [batch, features] */
  readonly input: Tensor
  /** What the last step left behind, each [batch, size]. */
  readonly state: readonly Tensor[]
  /** The dropout masks of this sequence, as `dropoutMasks` made them. */
  readonly dropout?: DropoutMasks
}

/** What a cell gives in one step. */
export interface CellOutput {
  /** [batch, outputSize] */
  readonly output: Tensor
  /** What the next step sees. */
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
  /** The size of the state, or of each state. */
  abstract get stateSize(): number | readonly number[]

  /** The size of each state. */
  get stateSizes(): readonly number[] {
    const { stateSize } = this
    return typeof stateSize === 'number' ? [stateSize] : stateSize
  }

  /** The size of the output: that of the first state unless a cell says otherwise. */
  get outputSize(): number {
    return this.stateSizes[0]!
  }

  /** Which state is the output of the step before: what a masked step gives once more. The first unless a cell says otherwise. */
  get outputState(): number {
    return 0
  }

  /** The states before the first step: zeros unless a cell says otherwise. */
  initialState(batch: number): readonly Tensor[] {
    return this.stateSizes.map((size) => zeros([batch, size]))
  }

  /** Dropout masks, drawn once for a sequence that is trained on, so that all its steps drop the same. None unless a cell has some. */
  dropoutMasks(_batch: number, _features: number): DropoutMasks {
    return {}
  }
}
