// RNN: calls a cell for every step of a sequence. What all recurrent layers share is here; a layer of a known cell, such as
// SimpleRNN, adds the cell's options.

import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import type { Kind } from '../../core/options'
import { boolean, configured, custom, option, required } from '../../core/options'
import type { Serialized } from '../../core/registry'
import { sameShape } from '../../core/shapes'
import type { Tree } from '../../core/tree'
import { flatten, typed } from '../../core/tree'
import { where } from '../../ops/elementwise'
import { scan } from '../../ops/scan'
import { flip, reshape, stack, swapAxes, take, unstack } from '../../ops/shape'
import type { Tensor } from '../../ops/tensor'
import type { ApplyOptions } from '../base'
import { requireRank } from '../checks'
import type { CallContext } from '../context'
import type { InputsOf } from '../layer'
import { Layer } from '../layer'
import type { BatchShape } from '../spec'
import type { Cell } from './cell'
import { StackedRNNCells, cellKind } from './stacked-cells'

type State = readonly Tensor[]

/** One step of the sequence. */
interface Slice {
  /** [batch, features] */
  readonly input: Tensor
  /** [batch], whether the step counts; not there where all do. */
  readonly counts?: Tensor
}

/**
 * The base of layers that go through a sequence step by step: x [batch, steps, features] → the last output
 * [batch, outputSize], or all of them. A step that the mask leaves out changes no state and gives the output of the step
 * before once more. The loop is recorded once and runs as one instruction, so that a long sequence costs no more to compile
 * than a short one.
 */
export abstract class RecurrentLayer extends configured(Layer<Tensor>, () => ({
  /** Whether the outputs of all steps are given, [batch, steps, outputSize], or that of the last. Default false. */
  returnSequences: option(boolean, false),
  /** Whether the last states are given as well: [output, state, …]. Default false. */
  returnState: option(boolean, false),
  /** Whether the sequence is gone through from its end; outputs are then in the order they were made. Default false. */
  goBackwards: option(boolean, false),
  /** Whether the steps are written out one by one instead of as a loop. Default false. */
  unroll: option(boolean, false),
  /** Whether a step that the mask leaves out gives zeros instead of the output before. Default false. */
  zeroOutputForMask: option(boolean, false),
})) {
  override readonly supportsMasking = true

  /** What is called in each step. */
  abstract readonly cell: Cell

  override build(inputShape: BatchShape): void {
    requireRank(this, inputShape, ['batch', 'steps', 'features'])
    const [batch, , features] = inputShape as readonly [number | null, number | null, number | null]
    this.cell.ensureBuilt({ input: [batch, features], state: this.cell.stateSizes.map((size) => [batch, size]) })
  }

  call(x: Tensor, { training, mask, initialState }: CallContext): Tensor {
    requireRank(this, x.shape, ['batch', 'steps', 'features'])
    const [batch, , features] = x.shape as readonly [number, number, number]
    const { cell, returnSequences, returnState, goBackwards } = this
    const [counts = null] = flatten(mask)
    const dropout = training ? cell.dropoutMasks(batch, features) : {}
    let outputIsState = false

    const step = (state: State, slice: Slice): readonly [State, Tensor | null] => {
      const made = cell.apply({ input: slice.input, state, dropout }, { training })
      outputIsState = made.output === made.state[cell.outputState] && !(this.zeroOutputForMask && slice.counts !== undefined)
      const { state: next, output } = this.heldBack(made, state, slice.counts)
      // The last output is then among the last states.
      return [next, returnSequences || !outputIsState ? output : null]
    }
    const run = this.unroll ? unrolled : looped
    const { state, outputs } = run(step, this.firstState(batch, initialState), x, counts, goBackwards)
    const last = (all: Tensor): Tensor => take(all, all.shape[0]! - 1, 0)
    const output = outputs === null ? state[cell.outputState]! : returnSequences ? swapAxes(outputs, 0, 1) : last(outputs)
    return typed(returnState ? [output, ...state] : output)
  }

  /** What a step leaves behind: where it does not count, what was there before. */
  private heldBack(made: { output: Tensor; state: State }, before: State, counts: Tensor | undefined): { output: Tensor; state: State } {
    if (counts === undefined) return made
    const chosen = (a: Tensor, b: Tensor | number): Tensor => where(reshape(counts, [counts.size, ...new Array<number>(a.rank - 1).fill(1)]), a, b)
    return {
      state: made.state.map((each, i) => chosen(each, before[i]!)),
      output: chosen(made.output, this.zeroOutputForMask ? 0 : before[this.cell.outputState]!),
    }
  }

  private firstState(batch: number, given: Tree<Tensor> | null): State {
    const initial = this.cell.initialState(batch)
    if (given === null) return initial
    const states = flatten(given)
    if (states.length !== initial.length) throw new ArgumentError(`${this}: initialState must be ${initial.length} tensors, received ${states.length}`)
    states.forEach(({ shape }, i) => {
      if (sameShape(shape, initial[i]!.shape)) return
      throw new ShapeError(`${this}: initialState[${i}] must be ${formatShape(initial[i]!.shape)}, received ${formatShape(shape)}`)
    })
    return states
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    requireRank(this, inputShape, ['batch', 'steps', 'features'])
    const [batch = null, steps = null] = inputShape
    const output = this.returnSequences ? [batch, steps, this.cell.outputSize] : [batch, this.cell.outputSize]
    return typed(this.returnState ? [output, ...this.cell.stateSizes.map((size) => [batch, size])] : output)
  }

  override computeMask(_x: Tensor, mask: Tree<Tensor | null>): Tree<Tensor | null> {
    const own = this.returnSequences ? (flatten(mask)[0] ?? null) : null
    return this.returnState ? [own, ...this.cell.stateSizes.map(() => null)] : own
  }

  /** What a layer with returnState gives, in words of types: the output, then each state. */
  applyWithState(x: InputsOf<Tensor>, options: ApplyOptions = {}): readonly [output: Tensor, ...state: Tensor[]] {
    if (this.returnState) return typed(this.apply(x, options))
    throw new ArgumentError(`${this}: applyWithState needs returnState: true`)
  }
}

interface Outcome {
  readonly state: State
  /** [steps, batch, …] in the order they were made; null where the step gave none. */
  readonly outputs: Tensor | null
}

type Step = (state: State, slice: Slice) => readonly [State, Tensor | null]

/** The steps as a loop. */
function looped(step: Step, first: State, x: Tensor, counts: Tensor | null, backwards: boolean): Outcome {
  const input = swapAxes(x, 0, 1)
  const slices: readonly Tensor[] = counts === null ? [input] : [input, swapAxes(counts, 0, 1)]
  const turn = (state: State, [own, counted]: readonly Tensor[]): readonly [State, Tensor | null] =>
    step(state, counted === undefined ? { input: own! } : { input: own!, counts: counted })
  const [state, outputs] = scan<State, readonly Tensor[], Tensor | null>(turn, first, slices, { reverse: backwards })
  // A reversed loop leaves each output where its input was.
  return { state, outputs: outputs !== null && backwards ? flip(outputs, 0) : outputs }
}

/** The steps one by one. */
function unrolled(step: Step, first: State, x: Tensor, counts: Tensor | null, backwards: boolean): Outcome {
  const inputs = unstack(x, null, 1)
  const countsOf = counts === null ? [] : unstack(counts, null, 1)
  const order = inputs.map((_, t) => (backwards ? inputs.length - 1 - t : t))
  let state = first
  const outputs: Tensor[] = []
  for (const t of order) {
    const [next, output] = step(state, counts === null ? { input: inputs[t]! } : { input: inputs[t]!, counts: countsOf[t]! })
    state = next
    if (output !== null) outputs.push(output)
  }
  return { state, outputs: outputs.length === 0 ? null : stack(outputs, 0) }
}

const cellOrCells: Kind<Cell, Cell | Serialized | readonly (Cell | Serialized)[]> = /* @__PURE__ */ custom(
  (value, where) => (Array.isArray(value) ? new StackedRNNCells({ cells: value as readonly Cell[] }) : cellKind.read(value, where)),
  (cell) => cellKind.write(cell),
)

/**
 * Any cell, step by step; a list of cells is one above the other.
 *
 *   new RNN({ cell: new Minimal(), returnSequences: true })
 *   new RNN([new SimpleRNNCell(8), new SimpleRNNCell(4)])
 *
 * Keras: `keras.layers.RNN`.
 */
export class RNN extends configured(RecurrentLayer, () => ({
  /** A cell, or several. */
  cell: required(cellOrCells),
}), 'cell') {
  static readonly className = 'RNN'
}
