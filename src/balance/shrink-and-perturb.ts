// ShrinkAndPerturb: shrinks all weights and adds a small random initialization.

import { configured, count, number, option, type OptionInputs } from '../core/options'
import { Callback } from '../training/callbacks/callback'
import type { Probe } from '../training/probes'
import { redraw } from '../layers/weight-lists'

const shrinkAndPerturbOptions = () => ({
  /** The factor of the weights, λ in 0 … 1. Default 0.8. */
  shrink: option(number({ min: 0, max: 1 }), 0.8),
  /** The factor of newly drawn weights, in 0 … 1. Default 0.1. */
  noise: option(number({ min: 0, max: 1 }), 0.1),
  /** The number of steps between two applications. Default 1000. */
  every: option(count, 1000),
})
export type ShrinkAndPerturbOptions = OptionInputs<ReturnType<typeof shrinkAndPerturbOptions>>

const ShrinkAndPerturbBase = configured(Callback, shrinkAndPerturbOptions)

/**
 * Every `every` steps, for each trained weight, including biases and scales:
 *
 *     θ ← shrink · θ + noise · (new θ of its initializer)
 *
 * ```ts
 * import { ShrinkAndPerturb } from 'myelin/balance'
 * await model.fit(x, y, { callbacks: [new ShrinkAndPerturb({ shrink: 0.8, noise: 0.1, every: 1000 })] })
 * ```
 *
 * Steps are counted across fits. The optimizer's slots are kept. Meant for the arrival of new data: a model that
 * continues from weights trained on the old data generalises worse than one trained from scratch; with shrunk and
 * perturbed weights it does not.
 *
 * Ash & Adams, On warm-starting neural network training, 2020.
 * @throws ArgumentError for a weight that was not made by addWeight: its initializer is unknown
 */
export class ShrinkAndPerturb extends ShrinkAndPerturbBase {
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

  /** Shrinks and perturbs once. */
  private apply(): void {
    const { model, shrink, noise } = this
    for (const weight of model.trainableWeights) {
      const { data } = redraw(model, weight)
      const { view } = weight
      for (let i = 0; i < view.length; i++) view[i] = shrink * view[i]! + noise * data[i]!
    }
  }
}
