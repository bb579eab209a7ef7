// WeightOwner: the part of a layer to which its weights belong, and the other state: random streams, regularizers, metrics. How a
// layer is built and called is in layer.ts, how weights and inner layers are found in weight-lists.ts.

import { requireArguments } from '../core/arguments'
import { boolean, Configured } from '../core/options'
import type { Metric } from '../metrics/metric'
import type { TensorLike } from '../ops/convert'
import { assignAll } from '../ops/stateless'
import type { Tensor } from '../ops/tensor'
import { withScope } from '../ops/trace'
import type { Variable } from '../ops/variable'
import { penaltyOf } from '../parts/regularizers/penalty'
import { metricsIn, type OwnVariables } from './members'
import {
  addWeightTo,
  listsOf,
  ownState,
  ownWeightsOf,
  partsChanged,
  partsOf,
  regularizedOf,
  requireBuilt,
  setWeightsOf,
  stateOf,
  stateVariablesOf,
  type WeightOptions,
} from './weight-lists'

/** An object with weights, those of its inner layers included: the base of Layer. */
export abstract class WeightOwner extends Configured {
  abstract readonly name: string

  /** Creates a variable that belongs to the layer; trainable by default. */
  protected addWeight(options: WeightOptions): Variable {
    return addWeightTo(this, options)
  }

  /** The same as `addWeight`. Keras: `Layer.add_variable`. */
  protected addVariable(options: WeightOptions): Variable {
    return this.addWeight(options)
  }

  /** Whether optimizers may change the weights. Setting it also sets it for all inner layers. */
  get trainable(): boolean {
    return stateOf(this).trainable
  }

  set trainable(trainable: boolean) {
    const state = stateOf(this)
    state.trainable = boolean.read(trainable, `${this}: trainable`)
    partsChanged(this)
    // Within the constructor there are no inner layers yet.
    if (state.parts !== null || state.builtFor !== null)
      for (const layer of partsOf(this).sublayers) layer.trainable = trainable
  }

  /** @throws StateError before the layer is built */
  protected requireBuilt<T>(value: T | null | undefined): T {
    return requireBuilt(this, value)
  }

  /**
   * The weights of this layer without those of its sublayers, in the order of creation: first those created as
   * trainable, then the others.
   */
  get ownWeights(): readonly Variable[] {
    return ownWeightsOf(this)
  }

  /** All variables that are learnt or saved as weights: the layer's own, then its sublayers', in Keras's order. */
  get weights(): readonly Variable[] {
    return listsOf(this).weights
  }

  get trainableWeights(): readonly Variable[] {
    return listsOf(this).trainableWeights
  }

  get nonTrainableWeights(): readonly Variable[] {
    return without(this.weights, this.trainableWeights)
  }

  /**
   * Weights and all other state: for each layer its weights, then the states of its random streams, then those of its
   * sublayers. Variables of the optimizer and of metrics are not included. Keras: `Layer.variables`.
   */
  get variables(): readonly Variable[] {
    return [...new Set(listsOf(this).layers.flatMap((layer) => [...ownWeightsOf(layer), ...ownState(layer)]))]
  }

  /** The same as `trainableWeights`: other state is never trained. */
  get trainableVariables(): readonly Variable[] {
    return this.trainableWeights
  }

  /** The variables that no optimizer changes: weights, and the states of random streams. */
  get nonTrainableVariables(): readonly Variable[] {
    return without(this.variables, this.trainableWeights)
  }

  /**
   * State that is saved with the model but is not a weight: positions of random streams, and the state of regularizers.
   */
  get stateVariables(): readonly Variable[] {
    return stateVariablesOf(this)
  }

  /** The penalties of regularized trainable weights; traced. */
  regularizationLosses(): Tensor[] {
    return regularizedOf(this).map(({ layer, weight, regularizer, kept }) =>
      withScope(layer.name, () => penaltyOf(`${layer}: ${weight.name}`, regularizer, weight.value, kept)),
    )
  }

  /** The metrics in properties of this layer and of its inner layers. Keras: `Layer.metrics`. */
  get metrics(): readonly Metric[] {
    return metricsIn(listsOf(this).layers)
  }

  /** The variables of `metrics`. */
  get metricsVariables(): readonly Variable[] {
    return this.metrics.flatMap(({ variables }) => variables)
  }

  /**
   * The names of the models and layers in which this one was built, and its own, `sequential/dense`: what the paths of its weights begin
   * with. null before the layer is built. Keras: `Layer.path`.
   */
  get path(): string | null {
    return stateOf(this).path
  }

  /** The number of elements of all weights. */
  countParams(): number {
    requireArguments('countParams', arguments, 0)
    return this.weights.reduce((total, weight) => total + weight.size, 0)
  }

  /** Copies of all weights. */
  getWeights(): Tensor[] {
    requireArguments('getWeights', arguments, 0)
    return this.weights.map((weight) => weight.value)
  }

  /**
   * Replaces all weights, or none.
   * @param weights in the order of getWeights()
   * @throws ShapeError naming the first tensor that does not fit
   */
  setWeights(weights: readonly TensorLike[]): void {
    requireArguments('setWeights', arguments, 1)
    setWeightsOf(this, weights)
  }

  /**
   * Puts the arrays of this layer alone, without inner layers, into a record by their names in `.keras` files: '0', '1', …
   * Override it together with `loadOwnVariables` to write others.
   *
   *   saveOwnVariables(store) { super.saveOwnVariables(store); store.table = this.table }
   */
  saveOwnVariables(store: OwnVariables): void {
    this.ownWeights.forEach(({ value }, i) => (store[i] = value))
  }

  /** Takes the arrays that `saveOwnVariables` put into a record. */
  loadOwnVariables(store: Readonly<OwnVariables>): void {
    assignAll(`${this}: variables`, this.ownWeights, Object.values(store))
  }
}

const without = (all: readonly Variable[], some: readonly Variable[]): readonly Variable[] => {
  const left = new Set(some)
  return all.filter((each) => !left.has(each))
}
