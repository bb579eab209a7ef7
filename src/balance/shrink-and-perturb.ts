// ShrinkAndPerturb: all weights a step back towards a fresh start.

import { configured, count, number, option } from '../core/options'
import type { InputsOf } from '../core/options'
import { Callback } from '../training/callbacks/callback'
import type { Probe } from '../training/probes'

const shrinkAndPerturbOptions = () => ({
  /** What is left of the weights, λ in 0 … 1. Default 0.8. */
  shrink: option(number({ min: 0, max: 1 }), 0.8),
  /** How much of freshly drawn weights is added, in 0 … 1. Default 0.1. */
  noise: option(number({ min: 0, max: 1 }), 0.1),
  /** After how many steps. Default 1000. */
  every: option(count, 1000),
})
export type ShrinkAndPerturbOptions = InputsOf<ReturnType<typeof shrinkAndPerturbOptions>>

/**
 * Every so many steps, for each weight that is trained, its bias and scale among them:
 *
 *     θ ← shrink · θ + noise · (θ drawn anew by its initializer)
 *
 * ```ts
 * import { ShrinkAndPerturb } from 'myelin/balance'
 * await model.fit(x, y, { callbacks: [new ShrinkAndPerturb({ shrink: 0.8, noise: 0.1, every: 1000 })] })
 * ```
 *
 * Steps are counted from one fit to the next. What the optimizer keeps stays. Meant for the moment at which new data come: a
 * model that goes on with the weights of the old ones generalises worse than one that begins anew, and with weights that were
 * shrunk and perturbed it does not.
 *
 * Ash & Adams, On warm-starting neural network training, 2020.
 * @throws ArgumentError for a weight that no layer made by addWeight: nobody knows how it would be drawn
 */
export class ShrinkAndPerturb extends configured(Callback, shrinkAndPerturbOptions) {
  static readonly className = 'ShrinkAndPerturb'
  private steps = 0
  override readonly probes: readonly Probe[] = [
    {
      afterStep: () => {
        if (++this.steps < this.every) return
        this.steps = 0
        this.apply()
      },
    },
  ]

  override getState(): number {
    return this.steps
  }

  override setState(steps: number): void {
    this.steps = steps
  }

  /** Does it now. */
  private apply(): void {
    const { model, shrink, noise } = this
    for (const weight of model.trainableWeights) {
      const { data } = model.drawAnew(weight)
      const { view } = weight
      for (let i = 0; i < view.length; i++) view[i] = shrink * view[i]! + noise * data[i]!
    }
  }
}
