// ContinualBackprop: continually reinitializes a small fraction of the hidden units, those of least utility.

import { configured, integer, number, option, type OptionInputs } from '../core/options'
import { layersOption } from '../layers/kinds'
import { multiply } from '../ops/numpy/elementwise'
import { Variable } from '../ops/variable'
import type { CallbackState, TrainedModel } from '../training/callbacks'
import { Callback } from '../training/callbacks/callback'
import type { Probe, ProbedStep } from '../training/probes'
import { blend, hiddenUnits, meanActivity, outgoingStrength, type HiddenUnits } from './hidden-units'
import { PerModel } from './per-model'
import { Renewal } from './renewal'

const continualBackpropOptions = () => ({
  /** The fraction of the mature units replaced in each step, ρ in 0 … 1. Default 1e-4. */
  replacementRate: option(number({ min: 0, max: 1 }), 1e-4),
  /** The decay rate of the utility's running average, η in 0 … 1. Default 0.99. */
  decayRate: option(number({ min: 0, below: 1 }), 0.99),
  /** The number of steps before a new unit can be replaced, m. Default 100. */
  maturity: option(integer({ min: 0 }), 100),
  /** The layers, or their names, whose units are replaced. Default null: all hidden units. */
  layers: layersOption(),
})
export type ContinualBackpropOptions = OptionInputs<ReturnType<typeof continualBackpropOptions>>

/** The units of one group, with their utilities and ages. */
class Population {
  /** u, not bias-corrected. */
  readonly utility: Variable
  replaced = 0
  private readonly births: Float64Array
  /** The immature units, the oldest first. */
  private readonly young: number[]
  private readonly renewal: Renewal
  private now = 0
  private credit = 0

  constructor(
    readonly units: HiddenUnits,
    model: TrainedModel,
    private readonly options: ContinualBackprop,
  ) {
    const { count, name } = units
    this.utility = new Variable([count], { name: `${name}/utility`, trainable: false })
    this.births = new Float64Array(count)
    this.young = Array.from({ length: count }, (_, unit) => unit)
    this.renewal = new Renewal(model, units)
  }

  /** u ← η u + (1 − η) · mean|h| · Σ|w_out|. Traced. */
  observe(step: ProbedStep): void {
    const contribution = multiply(meanActivity(step, this.units), outgoingStrength(step, this.units))
    this.utility.assign(blend(this.options.decayRate, this.utility.value, contribution))
  }

  /** Advances the ages by one step, and replaces units that are due. */
  age(): void {
    const { replacementRate, maturity } = this.options
    const {
      young,
      births,
      units: { count },
    } = this
    this.now++
    while (young.length > 0 && this.now - births[young[0]!]! > maturity) young.shift()
    const mature = count - young.length
    this.credit += replacementRate * mature
    if (this.credit < 1 || mature === 0) return
    const due = Math.min(Math.floor(this.credit), mature)
    this.credit -= due
    this.replace(due)
  }

  private replace(due: number): void {
    const {
      births,
      now,
      utility: { view },
      units: { count },
      options: { maturity },
    } = this
    const values = this.corrected()
    const mature = Array.from({ length: count }, (_, unit) => unit).filter((unit) => now - births[unit]! > maturity)
    const chosen = mature.sort((a, b) => values[a]! - values[b]!).slice(0, due)
    this.renewal.renew(chosen)
    for (const unit of chosen) {
      view[unit] = 0
      births[unit] = now
      this.young.push(unit)
    }
    this.replaced += due
  }

  getState() {
    const { utility, replaced, births, young, now, credit, renewal } = this
    return {
      utility: utility.value,
      replaced,
      births: [...births],
      young: [...young],
      now,
      credit,
      renewal: renewal.getState(),
    }
  }

  setState({ utility, births, young, renewal, ...numbers }: ReturnType<Population['getState']>): void {
    Object.assign(this, numbers)
    this.utility.assign(utility)
    this.births.set(births)
    this.young.splice(0, Infinity, ...young)
    this.renewal.setState(renewal)
  }

  /** The bias-corrected utility, u / (1 − ηᵃᵍᵉ). */
  corrected(): Float32Array {
    const {
      births,
      now,
      utility: { view },
      options: { decayRate },
    } = this
    return Float32Array.from(view, (value, unit) =>
      now === births[unit] ? 0 : value / (1 - decayRate ** (now - births[unit]!)),
    )
  }
}

const ContinualBackpropBase = configured(Callback, continualBackpropOptions)

/**
 * Continual backpropagation: under continual learning, networks lose plasticity, because more and more units become
 * useless and never recover. After each step, for the hidden units of each layer:
 *
 *     u ← η u + (1 − η) · mean|h| · Σ|w_out|      the utility; compared as u / (1 − ηᵃᵍᵉ)
 *     c ← c + ρ · (number of units older than m steps)
 *     while c ≥ 1: the unit of least utility among those is reinitialized, c ← c − 1
 *
 * A new unit gets w_in from the initializer and w_out = 0, so that it does not change the output; u, its age and the
 * optimizer's slots of these weights become 0. mean|h| is taken over the batch and, for images and sequences, over
 * places and steps.
 *
 * ```ts
 * import { ContinualBackprop } from 'myelin/balance'
 * const renewal = new ContinualBackprop({ replacementRate: 1e-4 })
 * for (const [x, y] of tasks) await model.fit(x, y, { callbacks: [renewal] })
 * renewal.replaced // { dense: 12 }
 * ```
 *
 * Adam counts the updates of all weights together, so the bias correction of a new unit's slots is that of old ones, and its
 * weights take steps of up to 6.6 times the rate at first. The authors' AdamGnT counts for each unit, so that no step
 * exceeds the rate; with it, permuted digits are learnt less well, by 0.2 points with this method and by 0.4 with ReDo.
 * `examples/permuted-digits` contains such an Adam.
 *
 * Utilities and ages continue from one fit to the next. Works for Dense, convolutional and recurrent layers and
 * embeddings, also within TimeDistributed and Bidirectional, where unit j of both directions counts as one; followed by
 * normalisation, activations, pooling and Flatten, also where Add joins layers. Useful for data that change; for
 * stationary data it is meant to do no harm.
 *
 * Dohare et al., Loss of plasticity in deep continual learning, Nature 632:768, 2024.
 * @throws ArgumentError when training begins, for a model without hidden units or without a known graph, and for layers
 * whose units cannot be replaced
 */
export class ContinualBackprop extends ContinualBackpropBase {
  static readonly className = 'ContinualBackprop'
  private readonly state = new PerModel((model) => {
    const populations = hiddenUnits('ContinualBackprop', model, this.layers).map(
      (units) => new Population(units, model, this),
    )
    const probe: Probe = {
      trace: (step) => populations.forEach((each) => each.observe(step)),
      afterStep: () => populations.forEach((each) => each.age()),
    }
    return { populations, probes: [probe] }
  })

  override get probes(): readonly Probe[] {
    return this.state.of(this.model).probes
  }

  /** The number of units replaced so far, by the name of the layer. */
  get replaced(): Readonly<Record<string, number>> {
    return this.byLayer(({ replaced }) => replaced)
  }

  /** The bias-corrected utility of each unit, by the name of the layer. */
  get utilities(): Readonly<Record<string, Float32Array>> {
    return this.byLayer((population) => population.corrected())
  }

  override getState(): CallbackState {
    return (this.state.last?.populations ?? []).map((each) => each.getState())
  }

  override setState(states: readonly ReturnType<Population['getState']>[]): void {
    states.forEach((state, i) => this.state.last?.populations[i]?.setState(state))
  }

  private byLayer<Value>(valueOf: (population: Population) => Value): Record<string, Value> {
    return Object.fromEntries((this.state.last?.populations ?? []).map((each) => [each.units.name, valueOf(each)]))
  }
}
