// RNN: calls a cell for every step of a sequence. This file has what all recurrent layers share; a layer with a known
// cell, such as SimpleRNN, adds the cell's options.

import { warnOnce } from '../../core/warnings'
import { maskOf } from '../masks'
import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import { boolean, configured, custom, option, required, type Kind } from '../../core/options'
import type { Serialized } from '../../core/registry'
import { sameShape, type Shape } from '../../core/shapes'
import { flatten, mapTree, type Tree } from '../../core/tree'
import { firstAndRest } from '../../core/tuples'
import { cast, where } from '../../ops/numpy/elementwise'
import { flip, moveAxis, reshape, slice, squeeze, swapAxes } from '../../ops/numpy/shape'
import type { TensorLike } from '../../ops/convert'
import type { Tensor } from '../../ops/tensor'
import { untraced } from '../../ops/trace'
import { Variable } from '../../ops/variable'
import { Layer, type ApplyOptions, type InputsOf } from '../layer'
import { requireExtents, requireMask, requireRank } from '../checks'
import { CallContext, isInferring } from '../context'
import { scanLayers, type RecurrentStep } from '../loop'
import { knownShape, isKnownShape, type BatchShape } from '../spec'
import { isOptions } from '../members'
import { batchOf, type BatchSize, type Cell } from './cell'
import { StackedRNNCells, cellKind, type CellLayer } from './stacked-cells'
import { unitFlowOf } from '../declared-units'
import { TENSOR } from '../forms'
import type { LayerTraits } from '../traits'

type State = readonly Tensor[]

/** The state that a stateful layer keeps between batches. */
interface KeptStates {
  readonly batch: number
  /** The shape of a step of one sample. */
  readonly input: Shape
  readonly begin: () => State
  readonly states: readonly Variable[]
}

/** The form of one step of the input, and of the states and the output. */
export interface StepForm {
  /** The axes of the input, for errors. */
  readonly axes: readonly string[]
  /** The axis of the features, or of the channels, from the end. Cells have them last. */
  readonly featureAxis: number
}

/** The arguments of `apply` with the initial states, the second of Keras's arguments, as an option. */
export function withStates(args: readonly unknown[]): readonly unknown[] {
  const [input, initialState, options = {}, ...more] = args
  if (typeof initialState !== 'object' || initialState === null || isOptions(initialState) || more.length > 0)
    return args
  if (!isOptions(options)) return args
  const { training } = options
  return [input, { ...(options instanceof CallContext ? { training } : options), initialState }]
}

const FEATURES: StepForm = { axes: ['features'], featureAxis: -1 }

/** A shape whose last axis is moved to another place, from the end. */
function lastMovedTo(axis: number, shape: BatchShape): BatchShape {
  const rest = shape.slice(0, -1)
  rest.splice(shape.length + axis, 0, shape.at(-1)!)
  return rest
}

const RecurrentLayerBase = configured(Layer<Tensor>, () => ({
  /** Whether to return the outputs of all steps, [batch, steps, outputSize], or only the last one. Default false. */
  returnSequences: option(boolean, false),
  /** Whether to return the last states as well: [output, state, …]. Default false. */
  returnState: option(boolean, false),
  /**
   * Whether to process the sequence from its end; outputs are then in the order of their computation. Default false.
   */
  goBackwards: option(boolean, false),
  /**
   * Whether each sample continues the sample at the same position of the previous batch: the last states are the
   * initial ones of the next call, until resetState. All batches must then have the same number of samples. Default
   * false.
   */
  stateful: option(boolean, false),
  /**
   * Keras unrolls the steps with true, with the same results. Here the steps are always a loop, and true warns. Default
   * false.
   */
  unroll: option(boolean, false),
  /** Whether a masked step gives zeros instead of the previous output. Default false. */
  zeroOutputForMask: option(boolean, false),
}))

/**
 * The base of layers that process a sequence step by step: x [batch, steps, features] → the last output [batch,
 * outputSize], or all outputs. A masked step changes no state and repeats the previous step's output. The loop is
 * recorded once and runs as one instruction, so that a long sequence costs no more to compile than a short one.
 */
export abstract class RecurrentLayer extends RecurrentLayerBase {
  /** @internal */
  static override readonly traits: LayerTraits<RecurrentLayer> = {
    form: TENSOR,
    requiredInputs: (layer) => ({ ndim: layer.steps.axes.length + 2 }),
    // States that are returned or kept between batches fix the number of units.
    unitFlow: (layer) => ('units' in layer && !layer.returnState && !layer.stateful ? unitFlowOf(layer.cell) : null),
    callOptions: ['initialState'],
    checkShape(layer, shape, built) {
      layer.partsOf(shape)
      if (layer.cell.weights.length > 0) requireExtents(layer, shape, built, [shape.length + layer.steps.featureAxis])
    },
    checkMask(layer, mask, shape) {
      requireMask(layer, mask, ['batch', 'steps'], shape.slice(0, 2))
    },
    passingState: (layer) => layer.states ?? [],
    readsMask: () => true,
    maskTrail: (layer, _inputs, masks) => (layer.returnSequences ? (masks[0] ?? null) : null),
    /** With `mask: null`, no step is masked, but the output has the mask of the sequence, as in Keras. */
    makesMask: (layer) => layer.returnSequences,
  }
  override readonly supportsMasking = true

  /** The cell that is called in each step. */
  abstract readonly cell: Cell

  // Private, so that its states are not listed as weights.
  #kept: KeptStates | null = null

  override build(inputShape: BatchShape): void {
    const [batch, , input] = this.partsOf(inputShape)
    if (this.unroll) warnOnce(`${this}: unroll changes nothing here: the steps are a loop that is compiled once`)
    this.cell.ensureBuilt({
      input: [batch, ...input],
      state: this.cell.stateShapes(input).map((shape) => [batch, ...shape]),
    })
  }

  /**
   * Calls the layer. The initial states are an option, or the second argument, as in Keras: `lstm.apply(x, [h, c])`.
   * @throws ArgumentError for another number of states
   */
  override apply(input: InputsOf<Tensor>, options?: ApplyOptions | CallContext): Tensor
  override apply(
    input: InputsOf<Tensor>,
    initialState: Tree<TensorLike> | null,
    options?: ApplyOptions | CallContext,
  ): Tensor
  override apply(...args: readonly unknown[]): Tensor {
    return this.applyTo(withStates(args))
  }

  call(input: Tensor, context: CallContext): Tensor
  call(input: Tensor, context: CallContext): Tensor | readonly Tensor[] {
    const { training, mask } = context
    const features = knownShape(this.partsOf(input.shape)[2])
    const [batch, steps] = [input.shape[0]!, input.shape[1]!]
    const { axes, featureAxis } = this.steps
    const inward = (each: Tensor): Tensor => (featureAxis === -1 ? each : moveAxis(each, featureAxis, -1))
    const outward = (each: Tensor): Tensor => (featureAxis === -1 ? each : moveAxis(each, -1, featureAxis))
    const x = inward(input)
    const initialState =
      context.initialState &&
      mapTree(context.initialState, (state) => (state.rank === axes.length + 1 ? inward(state) : state))
    const { cell, returnSequences, returnState, goBackwards } = this
    const [counts = null] = flatten(mask)
    const dropout = training ? cell.dropoutMasks(batch, features) : {}
    let outputIsState = false

    const turn = (before: State, [input, counted]: readonly Tensor[]): RecurrentStep => {
      const made = cell.apply({ input: input!, state: before, dropout }, { training })
      outputIsState = made.output === made.state[cell.outputState] && !(this.zeroOutputForMask && counted !== undefined)
      const { state, output } = this.heldBack(made, before, counted)
      // Then the last output is one of the last states.
      return { state, outputs: returnSequences || !outputIsState ? [output] : [] }
    }
    const slices = (counts === null ? [x] : [x, counts]).map((each) => swapAxes(each, 0, 1))
    const kept = this.keptStates(batch, features)
    const first = this.firstState(
      cell.initialState(batch, features),
      initialState ?? kept?.map((variable) => variable.value) ?? null,
    )
    const {
      state,
      outputs: [outputs],
    } = scanLayers(context, turn, first, slices, { reverse: goBackwards })
    kept?.forEach((variable, i) => variable.assign(state[i]!))
    // A reversed loop leaves each output at the position of its input.
    const inOrder = (all: Tensor): Tensor => swapAxes(goBackwards ? flip(all, 0) : all, 0, 1)
    const last = (all: Tensor): Tensor =>
      squeeze(
        slice(
          all,
          all.shape.map((_, i) => (i > 0 || goBackwards ? 0 : steps - 1)),
          [1, ...all.shape.slice(1)],
        ),
        0,
      )
    const outputOf = (all: Tensor): Tensor => (returnSequences ? inOrder(all) : last(all))
    const output = outputs === undefined ? state[cell.outputState]! : outputOf(outputs)
    return returnState ? [output, ...state].map(outward) : outward(output)
  }

  /** The form of one step. Default: [features]. */
  protected get steps(): StepForm {
    return FEATURES
  }

  /** [batch, steps, and the shape of one step for the cell]. @throws ShapeError for another number of axes */
  private partsOf(inputShape: BatchShape): readonly [batch: number | null, steps: number | null, input: BatchShape] {
    const { axes, featureAxis } = this.steps
    requireRank(this, inputShape, ['batch', 'steps', ...axes])
    const [batch = null, steps = null, ...input] = inputShape
    input.push(...input.splice(input.length + featureAxis, 1))
    return [batch, steps, input]
  }

  /** The shape of a state or of outputs, as users see it. */
  private shownShape(shape: BatchShape): BatchShape {
    return lastMovedTo(this.steps.featureAxis, shape)
  }

  /** The states that a stateful layer keeps; null for other layers, and while only shapes are inferred. */
  private keptStates(batch: number, input: Shape): readonly Variable[] | null {
    if (!this.stateful || isInferring()) return null
    const name = (i: number): string => `${this.name}/state/${i}`
    // Created outside of the program that is being traced.
    this.#kept ??= untraced(() => {
      const begin = (): State => this.cell.initialState(batch, input)
      return {
        batch,
        input,
        begin,
        states: begin().map((state, i) => new Variable(state, { name: name(i), trainable: false })),
      }
    })
    const { states, ...kept } = this.#kept
    if (kept.batch !== batch)
      throw new ShapeError(
        `${this}: stateful, so all batches must have as many samples as the first one, ${kept.batch}, received ${batch}`,
      )
    if (!sameShape(kept.input, input))
      throw new ShapeError(
        `${this}: stateful, so all steps must be ${formatShape(kept.input)}, received ${formatShape(input)}`,
      )
    return states
  }

  /** The states of a stateful layer after the last batch, each [batch, size]; null before the first. */
  get states(): readonly Variable[] | null {
    return this.#kept?.states ?? null
  }

  /** Resets the states of a stateful layer for the next batch. */
  resetState(): void {
    const first = this.#kept?.begin()
    this.states?.forEach((variable, i) => variable.assign(first![i]!))
  }

  /** The same as `resetState`. Keras 2: `reset_states`. */
  resetStates(): void {
    this.resetState()
  }

  /** The size of the state of the cell, or of each state. */
  get stateSize(): number | readonly number[] {
    return this.cell.stateSize
  }

  /** Whether the cell has one state. */
  get singleState(): boolean {
    return this.cell.stateSizes.length === 1
  }

  /**
   * The initial states of a batch, as the cell makes them: zeros. States with the shape of an image depend on the input, so their layer
   * must be built. Keras: `get_initial_state`.
   */
  getInitialState(batchSize: BatchSize): readonly Tensor[] {
    const isKnown = this.built || this.steps.axes.length > 1
    const input = isKnown ? this.partsOf(this.requireBuilt(this.buildShape))[2] : []
    const rows = batchOf(`${this}: getInitialState`, batchSize)
    if (isKnownShape(input)) return this.cell.initialState(rows, input)
    if (this.steps.axes.length === 1) return this.cell.initialState(rows, [])
    throw new ShapeError(
      `${this}: getInitialState needs images of known extents; the layer was built for ${formatShape(input)}`,
    )
  }

  /** The result of a step; where a step is masked, the state and the output from before. */
  private heldBack(
    made: { output: Tensor; state: State },
    before: State,
    counts: Tensor | undefined,
  ): { output: Tensor; state: State } {
    if (counts === undefined) return made
    const chosen = (a: Tensor, b: Tensor | number): Tensor =>
      where(reshape(counts, [counts.size, ...new Array<number>(a.rank - 1).fill(1)]), a, b)
    return {
      state: made.state.map((each, i) => chosen(each, before[i]!)),
      output: chosen(made.output, this.zeroOutputForMask ? 0 : before[this.cell.outputState]!),
    }
  }

  private firstState(initial: State, passed: Tree<Tensor> | null): State {
    if (passed === null) return initial
    const states = flatten(passed)
    const shown = (shape: BatchShape): BatchShape =>
      shape.length === this.steps.axes.length + 1 ? this.shownShape(shape) : shape
    const shapes = (all: State): string => all.map(({ shape }) => formatShape(shown(shape))).join(' and ')
    if (states.length !== initial.length)
      throw new ArgumentError(
        `${this}: initialState must be ${initial.length} tensors, received ${states.length}: expected ${shapes(initial)}, received ${shapes(states) || 'none'}`,
      )
    states.forEach((state, i) => {
      if (sameShape(state.shape, initial[i]!.shape)) return
      throw new ShapeError(`${this}: initialState[${i}] must be ${shapes([initial[i]!])}, received ${shapes([state])}`)
    })
    return states.map((state) => cast(state, 'float32'))
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape
  override computeOutputShape(inputShape: BatchShape): BatchShape | readonly BatchShape[] {
    const [batch, steps, input] = this.partsOf(inputShape)
    const output = this.shownShape([batch, ...(this.returnSequences ? [steps] : []), ...this.cell.outputShape(input)])
    if (!this.returnState) return output
    return [output, ...this.cell.stateShapes(input).map((shape) => this.shownShape([batch, ...shape]))]
  }

  override computeMask(x: Tensor, mask: Tree<Tensor | null>): Tree<Tensor | null> {
    const ofOutput = this.returnSequences ? (flatten(mask)[0] ?? maskOf(x)) : null
    return this.returnState ? [ofOutput, ...this.cell.stateSizes.map(() => null)] : ofOutput
  }

  /** The result of a layer with returnState, with types: the output, then each state. */
  applyWithState(x: InputsOf<Tensor>, options: ApplyOptions = {}): readonly [output: Tensor, ...state: Tensor[]] {
    if (this.returnState) return outputAndStates(this.apply(x, options))
    throw new ArgumentError(`${this}: applyWithState needs returnState: true`)
  }
}

/** The results of a layer that returns its states. */
export function outputAndStates(results: Tree<Tensor>): readonly [output: Tensor, ...states: Tensor[]] {
  const [output, states] = firstAndRest(flatten(results))
  return [output, ...states]
}

const cellOrCells: Kind<Cell, Cell | CellLayer | Serialized | readonly (Cell | CellLayer | Serialized)[]> =
  /* @__PURE__ */ custom(
    (value, where) =>
      Array.isArray(value) ? new StackedRNNCells({ cells: value as readonly Cell[] }) : cellKind.read(value, where),
    (cell) => cellKind.write(cell),
  )

const RNNBase = configured(
  RecurrentLayer,
  () => ({
    /** A cell, or a list of stacked cells. */
    cell: required(cellOrCells),
  }),
  ['cell', 'returnSequences', 'returnState', 'goBackwards', 'stateful', 'unroll', 'zeroOutputForMask'],
)

/**
 * Calls any cell step by step; a list of cells is stacked.
 *
 *   new RNN({ cell: new Minimal(), returnSequences: true })
 *   new RNN([new SimpleRNNCell(8), new SimpleRNNCell(4)])
 *
 * Keras: `keras.layers.RNN`.
 */
export class RNN extends RNNBase {
  static readonly className = 'RNN'
  /** @internal */
  static override readonly traits: LayerTraits<RNN> = {
    requiredInputs: () => null,
  }
}
