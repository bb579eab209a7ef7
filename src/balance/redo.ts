// ReDo: reinitializes dormant units.

import { configured, count, number, option, type OptionInputs } from '../core/options'
import { layersOption } from '../layers/kinds'
import type { CallbackState, TrainedModel } from '../training/callbacks'
import { Callback } from '../training/callbacks/callback'
import type { Probe } from '../training/probes'
import { hiddenUnits, type HiddenUnits } from './hidden-units'
import { ActivityProbe, type ActivityListener } from './mean-activity'
import { PerModel } from './per-model'
import { Renewal } from './renewal'

const reDoOptions = () => ({
  /** The largest score of a dormant unit, τ. Default 0.025. */
  threshold: option(number({ min: 0, max: 1 }), 0.025),
  /** The number of steps between two checks. Default 1000. */
  every: option(count, 1000),
  /** The layers, or their names, whose units are replaced. Default null: all hidden units. */
  layers: layersOption(),
})
export type ReDoOptions = OptionInputs<ReturnType<typeof reDoOptions>>

/** mean|h_i| / (mean over the units k of mean|h_k| + 1e-9) */
export function dormancyScores(activity: ArrayLike<number>): Float64Array {
  const values = Float64Array.from(activity)
  const average = values.reduce((sum, value) => sum + value, 0) / values.length
  return values.map((value) => value / (average + 1e-9))
}

/** The units of one group. */
class Watch implements ActivityListener {
  readonly renewal: Renewal
  replaced = 0

  constructor(
    readonly units: HiddenUnits,
    model: TrainedModel,
    private readonly threshold: number,
  ) {
    this.renewal = new Renewal(model, units)
  }

  onActivity(activity: Float64Array): void {
    const dormant = [...dormancyScores(activity)].flatMap((score, unit) => (score <= this.threshold ? [unit] : []))
    this.renewal.renew(dormant)
    this.replaced += dormant.length
  }

  getState() {
    return { replaced: this.replaced, renewal: this.renewal.getState() }
  }

  setState({ replaced, renewal }: ReturnType<Watch['getState']>): void {
    this.replaced = replaced
    this.renewal.setState(renewal)
  }
}

const ReDoBase = configured(Callback, reDoOptions)

/**
 * Recycling dormant neurons: every `every` steps, dormant units get new w_in and w_out = 0. Unit i is dormant if
 *
 *     mean|h_i| / (mean_k mean|h_k| + 1e-9) ≤ τ
 *
 * where the means run over all steps since the last check. The optimizer's slots of these weights become 0.
 *
 * ```ts
 * import { ReDo } from 'myelin/balance'
 * await model.fit(x, y, { callbacks: [new ReDo({ threshold: 0.025, every: 1000 })] })
 * ```
 *
 * Steps are counted across fits. Works for the same layers as ContinualBackprop.
 *
 * Sokar et al., The dormant neuron phenomenon in deep reinforcement learning, 2023; the authors use a single batch.
 * @throws ArgumentError when training begins, as ContinualBackprop does
 */
export class ReDo extends ReDoBase {
  static readonly className = 'ReDo'
  private readonly state = new PerModel((model) => {
    const watches = hiddenUnits('ReDo', model, this.layers).map((units) => new Watch(units, model, this.threshold))
    return { watches, probes: [new ActivityProbe(watches, this.every)] }
  })

  override get probes(): readonly Probe[] {
    return this.state.of(this.model).probes
  }

  /** The number of units replaced so far, by the name of the layer. */
  get replaced(): Readonly<Record<string, number>> {
    return Object.fromEntries((this.state.last?.watches ?? []).map(({ units, replaced }) => [units.name, replaced]))
  }

  private states() {
    const { watches = [], probes = [] } = this.state.last ?? {}
    return { watches: watches.map((each) => each.getState()), probes: probes.map((each) => each.getState()) }
  }

  override getState(): CallbackState {
    return this.states()
  }

  override setState({ watches, probes }: ReturnType<ReDo['states']>): void {
    watches.forEach((state, i) => this.state.last?.watches[i]?.setState(state))
    probes.forEach((state, i) => this.state.last?.probes[i]?.setState(state))
  }
}
