// The state of a callback for the model it is trained with, kept from one fit to the next.

import type { Runtime } from '../engine/runtime/runtime'
import type { Variable } from '../ops/variable'
import type { TrainedModel } from '../training/callbacks'

/**
 * Makes a state once per model, and again for another model or when the model's layers or its trained weights change.
 */
export class PerModel<Kept> {
  private known: {
    readonly graph: object | null
    readonly runtime: Runtime | undefined
    readonly trained: readonly Variable[]
    readonly kept: Kept
  } | null = null

  constructor(private readonly make: (model: TrainedModel) => Kept) {}

  of(model: TrainedModel): Kept {
    const {
      graph,
      weights: [weight],
      trainableWeights: trained,
    } = model
    const runtime = weight?.runtime
    const { known } = this
    const isSame =
      known !== null &&
      known.graph === graph &&
      known.runtime === runtime &&
      known.trained.length === trained.length &&
      known.trained.every((each, i) => each === trained[i])
    if (isSame) return known.kept
    this.known = { graph, runtime, trained, kept: this.make(model) }
    return this.known.kept
  }

  /** The latest state; null before the first. */
  get last(): Kept | null {
    return this.known?.kept ?? null
  }
}
