// What a callback keeps for the model that it is trained with, from one fit to the next.

import type { Runtime } from '../runtime/runtime'
import type { Variable } from '../ops/variable'
import type { TrainedModel } from '../training/callbacks'

/** Makes something once for a model, and anew for another one, when the model's layers changed, or others of them are trained. */
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

  /** What was made last; null before. */
  get last(): Kept | null {
    return this.known?.kept ?? null
  }
}
