// Cell: what a recurrent layer does in one step. The loop over the steps is in rnn.ts.

import { ArgumentError } from '../../core/errors'
import { count, readOptions, required, withoutOptions } from '../../core/options'
import type { Config } from '../../core/registry'
import type { Shape } from '../../core/shapes'
import { flatten, isRecord, unflatten, type Tree } from '../../core/tree'
import type { InputsOf, TensorLike } from '../../ops/convert'
import { zeros } from '../../ops/numpy/shape'
import type { Tensor } from '../../ops/tensor'
import { INPUT_SHAPE, warnOfInputShape } from '../checks'
import { LISTED } from '../forms'
import { statesFrom } from '../call-options'
import type { CallContext } from '../context'
import { Layer, type ApplyOptions } from '../layer'
import { isOptions } from '../members'
import { withNamedInputs } from '../named-inputs'
import { TensorSpec, type BatchShape, knownShape } from '../spec'
import type { LayerTraits } from '../traits'

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

/** Whether the input of a cell is the record of a step. */
export function isStepOfCell(input: unknown): input is CellInput {
  return isRecord(input) && 'input' in input
}

/** The number of samples of a batch, also by name. */
export type BatchSize =
  | number
  | {
      /** The number of samples. */
      readonly batchSize: number
    }

/** @throws ArgumentError for what is no number of samples */
export function batchOf(where: string, batch: BatchSize): number {
  return readOptions(where, { batchSize: required(count) }, isRecord(batch) ? batch : { batchSize: batch }).batchSize
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
  /** @internal */
  static override readonly traits: LayerTraits<Cell> = {
    form: LISTED,
    /** For the shape of a step alone, the states follow from it. */
    inputSpecs(cell, specs) {
      if (!(specs instanceof TensorSpec)) return specs
      const [batch = null, ...input] = specs.shape
      return { input: specs, state: cell.stateShapes(input).map((shape) => new TensorSpec([batch, ...shape])) }
    },
  }

  /**
   * One step: with a record, the result is a record; with the states as the second argument, as in Keras, it is a list of the output and
   * the states, in the form in which they were given.
   *
   *   const { output, state } = cell.apply({ input: x, state: [h, c] })
   *   const [output, [h1, c1]] = cell.apply(x, [h, c])
   *
   * @throws ArgumentError without states, and for another number of them
   */
  override apply(input: InputsOf<CellInput>, options?: ApplyOptions | CallContext): CellOutput
  override apply<States extends Tree<TensorLike>>(
    input: TensorLike,
    states: States,
    options?: ApplyOptions | CallContext,
  ): readonly [output: Tensor, states: States extends readonly unknown[] ? Tensor[] : Tensor]
  override apply(...args: readonly unknown[]): unknown {
    if (isStepOfCell(args[0])) return this.applyTo(args)
    const [input, states, ...options] = withNamedInputs(this, ['inputs', 'states'], args)
    const count = this.stateSizes.length
    if (states == null || isOptions(states))
      throw new ArgumentError(`${this}: a cell needs its states: apply(x, ${count === 1 ? 'h' : '[h, c]'})`)
    const before = statesFrom(states, `${this}: states`)
    const flat = flatten(before)
    if (flat.length !== count)
      throw new ArgumentError(`${this}: there must be ${count} states, received ${flat.length}`)
    const { output, state } = this.applyTo([{ input, state: flat }, ...options])
    return [output, unflatten(before, state)]
  }

  protected override checkOptions(): void {
    warnOfInputShape(this, 'Set it in the layer that calls the cell.')
  }

  /** Older configurations may contain inputShape, which had no effect. @internal */
  static override fromConfig<Kind>(this: new (options: never) => Kind, config: Config): Kind {
    return Reflect.construct(this, [withoutOptions(config, INPUT_SHAPE)])
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
    return this.stateShapes(input).map((shape) => zeros([batch, ...knownShape(shape)]))
  }

  /** The same as `initialState`, for a batch of this size; also `{ batchSize }`. Keras: `get_initial_state`. */
  getInitialState(batchSize: BatchSize, input: Shape = []): readonly Tensor[] {
    return this.initialState(batchOf(`${this}: getInitialState`, batchSize), input)
  }

  /**
   * Dropout masks, drawn once per sequence in training, so that all its steps drop the same elements. Empty unless a
   * cell has some.
   */
  dropoutMasks(_batch: number, _input: Shape): DropoutMasks {
    return {}
  }
}
