// What a callback keeps for the model that it is trained with, from one fit to the next.

import type { Runtime } from '../runtime/runtime'
import type { TrainedModel } from '../training/callbacks'

/** Makes something once for a model, and anew for another one or when the model's layers changed. */
export class PerModel<Kept> {
  private known: { readonly graph: object | null; readonly runtime: Runtime | undefined; readonly kept: Kept } | null = null

  constructor(private readonly make: (model: TrainedModel) => Kept) {}

  of(model: TrainedModel): Kept {
    const { graph, weights: [weight] } = model
    const runtime = weight?.runtime
    if (this.known === null || this.known.graph !== graph || this.known.runtime !== runtime) this.known = { graph, runtime, kept: this.make(model) }
    return this.known.kept
  }

  /** What was made last; null before. */
  get last(): Kept | null {
    return this.known?.kept ?? null
  }
}
