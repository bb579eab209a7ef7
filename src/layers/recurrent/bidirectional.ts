// Bidirectional: one recurrent layer that runs forwards and one that runs backwards.

import { maskOf } from '../masks'
import { ArgumentError, formatShape } from '../../core/errors'
import { always, choice, configured, custom, nullable, option, required, unread, type Kind } from '../../core/options'
import { serialize, type Serialized } from '../../core/registry'
import { flatten, type Tree } from '../../core/tree'
import { add, divide, multiply } from '../../ops/numpy/elementwise'
import { concatenate, flip } from '../../ops/numpy/shape'
import type { TensorLike } from '../../ops/convert'
import type { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import { Layer, type ApplyOptions, type InputsOf } from '../layer'
import { requireExtents, requireMask, requireRank } from '../checks'
import type { CallContext } from '../context'
import { innerLayer } from '../kinds'
import { remade } from '../remade'
import { specsFrom, type BatchShape } from '../spec'
import { unitFlowOf } from '../declared-units'
import { areMixed, type MadeUnits } from '../units'
import { outputAndStates, RecurrentLayer, withStates } from './rnn'
import { TENSOR } from '../forms'
import type { LayerTraits } from '../traits'
import { exactly, firstAndRest } from '../../core/tuples'

const recurrentLayer: Kind<RecurrentLayer, RecurrentLayer | Serialized> = /* @__PURE__ */ custom(
  (value, where) => {
    const layer: unknown = innerLayer.read(value, where)
    if (layer instanceof RecurrentLayer) return layer
    throw new ArgumentError(`${where} must be a recurrent layer such as LSTM or RNN, received ${String(layer)}`)
  },
  (layer) => serialize(layer),
)

/** How the outputs y of the forward layer and z of the backward layer are merged. */
const merges = {
  sum: add,
  mul: multiply,
  ave: (y: Tensor, z: Tensor): Tensor => divide(add(y, z), 2),
  concat: (y: Tensor, z: Tensor): Tensor => concatenate([y, z], -1),
} satisfies Record<string, (y: Tensor, z: Tensor) => Tensor>

const BidirectionalBase = configured(
  Layer<Tensor>,
  () => ({
    /** The layer that runs forwards. */
    layer: required(recurrentLayer),
    /** sum, mul, concat, ave, or null for both outputs. Default concat. */
    mergeMode: option(nullable(choice('sum', 'mul', 'concat', 'ave')), 'concat'),
    /** The layer that runs backwards, with goBackwards. Default: a copy of `layer`. */
    backwardLayer: option(nullable(recurrentLayer), null),
    /** Must be null: call setWeights of the built layer. Default null. */
    weights: unread(always([null], 'call setWeights of the built layer'), null),
  }),
  ['layer', 'mergeMode'],
)

/**
 * x [batch, steps, n] → merge(y, z), where y are the outputs of the layer and z those of a copy that runs through the
 * steps from the end; with returnSequences, each z is at the step where it was computed. Keras calls the options sum,
 * mul, concat (the default: [y, z] along the last axis), ave, and null (both, as a list).
 *
 *   new Bidirectional(new LSTM({ units: 32, returnSequences: true }))
 *
 * With returnState the states follow, first those of the forward layer; `initialState` has the same order. The given
 * layer is only a pattern: `forwardLayer` has its own weights. In a sequence, the outputs of masked steps are zeros.
 *
 * Keras: `keras.layers.Bidirectional`.
 */
export class Bidirectional extends BidirectionalBase {
  static readonly className = 'Bidirectional'
  /** @internal */
  static override readonly traits: LayerTraits<Bidirectional> = {
    form: TENSOR,
    requiredInputs: (bidirectional) => bidirectional.layer.inputSpec,
    /** Unit j of both directions is one unit, so that both keep the same number. */
    unitFlow(bidirectional) {
      const { layer, backwardLayer, mergeMode } = bidirectional
      const [forward, backward] = bidirectional.both.map(unitFlowOf)
      if (
        mergeMode === null ||
        forward?.kind !== 'makes' ||
        backward?.kind !== 'makes' ||
        forward.units.count !== backward.units.count
      )
        return null
      const [one, other] = [forward.units, backward.units]
      const units: MadeUnits = {
        count: one.count,
        optionsFor: (count) => ({
          layer: remade(layer, one.optionsFor(count)),
          backwardLayer: remade(backwardLayer, other.optionsFor(count)),
        }),
        incoming: [...one.incoming, ...other.incoming],
        outgoing: [...(one.outgoing ?? []), ...(other.outgoing ?? [])],
        blocks: mergeMode === 'concat' ? 2 : 1,
        // A sum saturates at other values.
        ...(mergeMode !== 'sum' && one.activation === other.activation && one.activation !== undefined
          ? { activation: one.activation }
          : {}),
        mixed: areMixed(one) || areMixed(other),
      }
      return { kind: 'makes', units, from: [...forward.from, ...backward.from] }
    },
    callOptions: ['initialState'],
    checkShape(layer, shape, built) {
      requireRank(layer, shape, ['batch', 'steps', 'features'])
      requireExtents(layer, shape, built, [-1])
    },
    checkMask(layer, mask, shape) {
      requireMask(layer, mask, ['batch', 'steps'], shape.slice(0, 2))
    },
    readsMask: () => true,
    maskTrail: (bidirectional, _inputs, masks) => (bidirectional.layer.returnSequences ? (masks[0] ?? null) : null),
    makesMask: (bidirectional) => bidirectional.layer.returnSequences,
  }
  override readonly supportsMasking = true
  declare readonly backwardLayer: RecurrentLayer

  protected override checkOptions(): void {
    const { layer, backwardLayer } = this
    const wrapper = this as { layer: RecurrentLayer; backwardLayer: RecurrentLayer }
    wrapper.layer = copyOf(layer, { name: prefixed('forward_', layer) })
    wrapper.backwardLayer = backwardLayer ?? copyOf(layer, { name: prefixed('backward_', layer), goBackwards: true })
    this.requireOpposite()
    for (const each of [this.layer, this.backwardLayer])
      Object.assign(each, { zeroOutputForMask: layer.returnSequences })
  }

  private requireOpposite(): void {
    const { layer, backwardLayer } = this
    if (layer.goBackwards === backwardLayer.goBackwards) {
      throw new ArgumentError(
        `${this}: layer and backwardLayer must go in opposite directions, received goBackwards ${layer.goBackwards} for both`,
      )
    }
    for (const name of ['stateful', 'returnSequences', 'returnState'] as const) {
      if (layer[name] === backwardLayer[name]) continue
      throw new ArgumentError(
        `${this}: ${name} of layer and backwardLayer must be the same, received ${layer[name]} and ${backwardLayer[name]}`,
      )
    }
  }

  /** The layer that runs forwards. */
  get forwardLayer(): RecurrentLayer {
    return this.layer
  }

  /** Whether the outputs of all steps are returned. */
  get returnSequences(): boolean {
    return this.layer.returnSequences
  }

  /** Whether the last states are returned, too. */
  get returnState(): boolean {
    return this.layer.returnState
  }

  /** Whether each batch continues the one before. */
  get stateful(): boolean {
    return this.layer.stateful
  }

  /** The states of stateful layers after the last batch: those of the way forwards, then the others; null before. */
  get states(): readonly Variable[] | null {
    const states = this.both.flatMap((layer) => layer.states ?? [])
    return states.length === 0 ? null : states
  }

  /** The same as `resetState`. Keras 2: `reset_states`. */
  resetStates(): void {
    this.resetState()
  }

  private get both(): readonly [forward: RecurrentLayer, backward: RecurrentLayer] {
    return [this.layer, this.backwardLayer]
  }

  /** Calls the layer. The initial states are an option, or the second argument, as in Keras. */
  override apply(input: InputsOf<Tensor>, options?: ApplyOptions | CallContext): Tensor
  override apply(
    input: InputsOf<Tensor>,
    initialState: Tree<TensorLike> | null,
    options?: ApplyOptions | CallContext,
  ): Tensor
  override apply(...args: readonly unknown[]): Tensor {
    return this.applyTo(withStates(args))
  }

  override build(inputShape: BatchShape): void {
    requireRank(this, inputShape, ['batch', 'steps', 'features'])
    for (const layer of this.both) layer.ensureBuilt(inputShape)
  }

  call(x: Tensor, context: CallContext): Tensor
  call(x: Tensor, { mask, initialState }: CallContext): Tensor | readonly Tensor[] {
    const initial = this.statesOfEach(initialState)
    const results = this.both.map((layer, i) =>
      firstAndRest(flatten<Tensor>(layer.apply(x, { mask, initialState: initial[i]! }))),
    )
    const [[y, states], [reversed, others]] = exactly(results, 2)
    const z = this.layer.returnSequences ? flip(reversed, 1) : reversed
    const outputs = this.mergeMode === null ? [y, z] : [merges[this.mergeMode](y, z)]
    return listed([...outputs, ...states, ...others])
  }

  /** The initial states of the forward and of the backward layer. */
  private statesOfEach(initialState: Tree<Tensor> | null): readonly (readonly Tensor[] | null)[] {
    if (initialState === null) return [null, null]
    const states = flatten(initialState)
    const [forward, other] = [this.layer.cell.stateSizes.length, this.backwardLayer.cell.stateSizes.length]
    if (states.length === forward + other) return [states.slice(0, forward), states.slice(forward)]
    throw new ArgumentError(
      `${this}: initialState must be ${forward + other} tensors, first those of the way forwards, received ${states.length}: ${states.map(({ shape }) => formatShape(shape)).join(' and ') || 'none'}`,
    )
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape
  override computeOutputShape(inputShape: BatchShape): BatchShape | readonly BatchShape[] {
    const results = this.both.map((layer) =>
      firstAndRest(flatten(specsFrom(layer.computeOutputShape(inputShape))).map(({ shape }) => shape)),
    )
    const [[y, states], [z, others]] = exactly(results, 2)
    return listed([...this.mergedShapes(y, z), ...states, ...others])
  }

  private mergedShapes(y: BatchShape, z: BatchShape): readonly BatchShape[] {
    if (this.mergeMode === null) return [y, z]
    return [this.mergeMode === 'concat' ? [...y.slice(0, -1), y.at(-1)! + z.at(-1)!] : y]
  }

  override computeMask(x: Tensor, mask: Tree<Tensor | null>): Tree<Tensor | null> {
    const ofOutput = this.layer.returnSequences ? (flatten(mask)[0] ?? maskOf(x)) : null
    const states = this.layer.returnState ? this.both.flatMap(({ cell }) => cell.stateSizes.map(() => null)) : []
    return [...(this.mergeMode === null ? [ofOutput, ofOutput] : [ofOutput]), ...states]
  }

  /** Resets the states of stateful layers for the next batch. */
  resetState(): void {
    for (const layer of this.both) layer.resetState()
  }

  /** The result of a layer with returnState or with mergeMode null, with types: the outputs, then each state. */
  applyWithState(x: InputsOf<Tensor>, options: ApplyOptions = {}): readonly [output: Tensor, ...others: Tensor[]] {
    if (this.layer.returnState || this.mergeMode === null) return outputAndStates(this.apply(x, options))
    throw new ArgumentError(`${this}: applyWithState needs a layer with returnState: true`)
  }
}

/** A recurrent layer of the same class, with other options. @throws ArgumentError for a class that makes no recurrent layer */
function copyOf(layer: RecurrentLayer, changed: object): RecurrentLayer {
  const made = remade(layer, changed)
  if (made instanceof RecurrentLayer) return made
  throw new ArgumentError(`${layer} cannot be made again from its getConfig()`)
}

/** One result, or a list of several. */
function listed<Result>(results: readonly Result[]): Result | readonly Result[] {
  return results.length === 1 ? results[0]! : results
}

/** The name of a layer with a prefix, which is not repeated. */
function prefixed(prefix: string, { name }: { readonly name: string }): string {
  return name.startsWith(prefix) ? name : `${prefix}${name}`
}
