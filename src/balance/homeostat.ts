// Homeostat: watches a training, and renews units and shrinks weights when the data change.

import { configured, option, type OptionInputs } from '../core/options'
import { count } from '../core/table'
import { propertyOf, put } from '../core/tree'
import { layersOption } from '../layers/kinds'
import { add, multiply, square } from '../ops/numpy/elementwise'
import { concatenate, reshape } from '../ops/numpy/shape'
import { Tensor } from '../ops/tensor'
import { Variable } from '../ops/variable'
import type { CallbackState, Reports, TrainedModel } from '../training/callbacks'
import { Callback } from '../training/callbacks/callback'
import { verbosity } from '../training/callbacks/monitor'
import type { Probe, ProbedStep } from '../training/probes'
import { ChangeDetector, type Change, type LossWindow } from './change-detector'
import { hiddenUnits, visibleUnits, type HiddenUnits } from './hidden-units'
import { actText, type HomeostatAct } from './homeostat-log'
import { ActivitySums } from './mean-activity'
import { PerModel } from './per-model'
import { dormancyScores } from './redo'
import { Renewal } from './renewal'

const homeostatOptions = () => ({
  /** 1 prints each act when it happens. Default 0. */
  verbose: option(verbosity, 0),
  /** The layers, or their names, whose units are watched. Default null: all hidden units. */
  layers: layersOption(),
})
export type HomeostatOptions = OptionInputs<ReturnType<typeof homeostatOptions>>

/** The number of steps from one look at the loss to the next. */
const WINDOW = 32
/** The number of steps between two checks of the units. */
const BETWEEN_CHECKS = 1000
/** The fewest steps from which the activity of units is judged. */
const FEWEST = 128
/** λ of the decay. */
const STRENGTH = 1e-3
/** The largest score of a dormant unit while the data change. */
const DORMANT = 0.1
/** A unit whose mean |h| is below this never fired. */
const SILENT = 1e-6
/** The share of dead units from which a layer is repaired even if the data stay the same. */
const MOSTLY_DEAD = 0.5
/** The data stay the same if they did not change for this many times the longest time between two changes. */
const PATIENCE = 4

const short = (value: number): string => value.toPrecision(3)

/** A reason to renew units of a group: those whose score (see ReDo) and mean |h| are at most these limits. */
interface Reason {
  readonly score: number
  readonly activity: number
  /** The least share of the group from which they are renewed. */
  readonly share: number
  readonly reason: string
}

const WHILE_CHANGING: Reason = {
  score: DORMANT,
  activity: Infinity,
  share: 0,
  reason: `the data keep changing, and their activity is at most ${DORMANT} of the mean of their layer`,
}
const AT_REST: Reason = {
  score: 1,
  activity: SILENT,
  share: MOSTLY_DEAD,
  reason: `half of the layer or more never fired in ${BETWEEN_CHECKS} steps`,
}

/** Σ loss, Σ loss² and the number of steps. */
class LossSums {
  private readonly sums = new Variable([3], { name: 'homeostat/loss', trainable: false })

  trace({ loss }: ProbedStep): void {
    const each = reshape(loss, [1])
    const one = new Tensor(Float32Array.of(1), [1], 'float32')
    this.sums.assign(add(this.sums.value, concatenate([each, square(each), one], 0)))
  }

  /** The window since the last one that was taken; null while it is too short. */
  take(fewest: number): LossWindow | null {
    const { view } = this.sums
    const [sum, squares, steps] = [view[0]!, view[1]!, view[2]!]
    if (steps < fewest) return null
    view.fill(0)
    const mean = sum / steps
    return { mean, variance: Math.max(0, squares / steps - mean ** 2), steps }
  }

  getState(): Tensor {
    return this.sums.value
  }

  setState(sums: Tensor): void {
    this.sums.assign(sums)
  }
}

/** The steps at which data changed. */
interface Changes {
  readonly last: number
  /** The longest time without a change before the last one. */
  readonly gap: number
}

/** Observes the steps of one model, and acts between them. */
class Regulator {
  private readonly detector = new ChangeDetector()
  private readonly losses = new LossSums()
  private readonly activity: ActivitySums
  private readonly renewals: readonly Renewal[]
  private readonly shrunk: ReadonlySet<Variable>
  private step = 0
  private lastCheck = 0
  /** null while the data stay the same. */
  private changes: Changes | null = null
  /** By group, the units that did not fire before the last check; empty while the data change. */
  private idle: readonly (readonly number[])[] = []
  readonly probes: readonly Probe[]

  constructor(
    model: TrainedModel,
    private readonly groups: readonly HiddenUnits[],
    private readonly onAct: (act: HomeostatAct) => void,
  ) {
    this.activity = new ActivitySums(groups)
    this.renewals = groups.map((units) => new Renewal(model, units))
    const ofNorms = new Set(
      visibleUnits('Homeostat', model, null)
        .flatMap(({ along }) => along)
        .map(({ weight }) => weight),
    )
    this.shrunk = new Set(model.trainableWeights.filter((weight) => !ofNorms.has(weight)))
    const isChanging = (): boolean => this.changes !== null
    this.probes = [
      {
        trace: (step) => {
          this.losses.trace(step)
          this.activity.trace(step)
        },
      },
      // ∂ λ‖w‖² / ∂w = 2 λ w
      {
        get isActive() {
          return isChanging()
        },
        pull: (weight) => (this.shrunk.has(weight) ? multiply(weight.value, 2 * STRENGTH) : null),
      },
      { every: WINDOW, afterStep: () => this.look() },
    ]
  }

  private look(): void {
    const window = this.losses.take(WINDOW)
    if (window === null) return
    this.step += window.steps
    // An optimizer may skip steps that are not finite.
    const change = Number.isFinite(window.variance) ? this.detector.see(window) : null
    if (change !== null) this.onChange(change)
    const { changes, step, lastCheck } = this
    if (changes !== null && step - changes.last > PATIENCE * changes.gap) this.rest(changes)
    if (step - lastCheck >= BETWEEN_CHECKS) this.check()
  }

  /** A fit often brings new data, and new units disturb least before the first step. */
  begin(): void {
    if (this.changes !== null && this.step - this.lastCheck >= FEWEST) this.check()
  }

  private onChange({ before, after }: Change): void {
    const { changes, step } = this
    this.changes = { last: step, gap: Math.max(changes?.gap ?? 0, step - (changes?.last ?? 0)) }
    if (changes !== null) return
    const reason = `the data changed: the loss rose from ${short(before)} to ${short(after)}. λ = ${STRENGTH}`
    this.act('decay', null, [], reason)
  }

  private rest({ last, gap }: Changes): void {
    this.changes = null
    const reason = `the data did not change in ${count(this.step - last)} steps, ${PATIENCE} times the longest time between two changes`
    this.act('rest', null, [], `${reason} (${count(gap)})`)
  }

  /** Renews the units for which there is a reason. */
  private check(): void {
    const { score, activity: most, share, reason } = this.changes === null ? AT_REST : WHILE_CHANGING
    const activities = this.activity.take(this.step - this.lastCheck)
    this.lastCheck = this.step
    const found = activities.map((activity) => {
      const scores = dormancyScores(activity)
      return [...activity.keys()].filter((unit) => scores[unit]! <= score && activity[unit]! <= most)
    })
    this.idle = this.changes === null ? found : []
    this.groups.forEach(({ name, count: all }, i) => {
      const units = found[i]!
      if (units.length === 0 || units.length < share * all) return
      this.renewals[i]!.renew(units)
      this.act('renew', name, units, reason)
      this.idle = this.idle.map((each, group) => (group === i ? [] : each))
    })
  }

  /** Names the units that a smaller model does not need. */
  advise(): void {
    this.idle.forEach((units, i) => {
      if (units.length === 0) return
      const reason = `they never fired in the last ${count(BETWEEN_CHECKS)} steps that were checked. pruneUnits(model, { dead: true, x }) of myelin/thrift can remove them`
      this.act('prune', this.groups[i]!.name, units, reason)
    })
    this.idle = []
  }

  private act(act: HomeostatAct['act'], layer: string | null, units: readonly number[], reason: string): void {
    this.onAct({ step: this.step, act, layer, units, reason })
  }

  getState() {
    const { detector, losses, activity, renewals, step, lastCheck, changes, idle } = this
    return {
      detector: { ...detector.getState() },
      losses: losses.getState(),
      activity: activity.getState(),
      renewals: renewals.map((each) => each.getState()),
      step,
      lastCheck,
      changes: changes === null ? null : { ...changes },
      idle,
    }
  }

  setState({ detector, losses, activity, renewals, ...rest }: ReturnType<Regulator['getState']>): void {
    Object.assign(this, rest)
    this.detector.setState(detector)
    this.losses.setState(losses)
    this.activity.setState(activity)
    renewals.forEach((state, i) => this.renewals[i]?.setState(state))
  }
}

const HomeostatBase = configured(Callback, homeostatOptions)

/**
 * Keeps a network able to learn, without options: it watches the loss and the activity of the units, and acts when there
 * is a reason. While the data stay the same it changes nothing, and training ends with the same weights, bit by bit.
 *
 * The data changed if the loss of 32 steps and that of the next 32 are above
 *
 *     m + max(4 s, (l₀ − m) / 10)   and   m + max(4 s, (l₀ − m) / 20)
 *
 * with its running mean m and standard error s, and the loss l₀ of the first 32 steps.
 *
 * | act | when | what |
 * |---|---|---|
 * | `decay` | the data changed | 2 λ w is added to the gradients of all weights except those of normalisation, as L2 with λ = 0.001 does; the loss does not contain it |
 * | `renew` | then, every 1000 steps and when a fit begins | units with mean\|h\| ≤ 0.1 of their layer's get new w_in and w_out = 0, as with ReDo |
 * | `rest` | no change for four times the longest time between two | the decay ends |
 * | `renew` | the data stay the same, and half of a layer or more never fired in 1000 steps | these units |
 * | `prune` | training ends, and units never fired | names them; `pruneUnits` can remove them |
 *
 * ```ts
 * import { Homeostat } from 'myelin/balance'
 * const homeostat = new Homeostat()
 * for (const [x, y] of tasks) await model.fit(x, y, { callbacks: [homeostat] })
 * homeostat.log        // [{ step: 1280, act: 'decay', layer: null, units: [], reason: 'the data changed: …' }, …]
 * homeostat.toString() // a line for each act
 * ```
 *
 * Its observations continue from one fit to the next. `history.reports.homeostat` has the acts of one fit. Works for the
 * same layers as ContinualBackprop. A change that does not raise the loss is not seen. Add no `L2` or `L2Init` to the
 * model: both would shrink the weights.
 *
 * Sokar et al., The dormant neuron phenomenon in deep reinforcement learning, 2023, for the renewal.
 * @throws ArgumentError when training begins, as ContinualBackprop does
 */
export class Homeostat extends HomeostatBase {
  static readonly className = 'Homeostat'
  /** All acts, over all fits, the oldest first. */
  readonly log: HomeostatAct[] = []
  private first = 0
  private readonly state = new PerModel(
    (model: TrainedModel) =>
      new Regulator(model, hiddenUnits('Homeostat', model, this.layers), (act) => {
        this.log.push(act)
        if (this.verbose > 0) console.log(`Homeostat: ${actText(act)}`)
      }),
  )

  override get probes(): readonly Probe[] {
    return this.state.of(this.model).probes
  }

  override get reports(): Reports {
    return { homeostat: this.log.slice(this.first) }
  }

  /** The number of units renewed so far, by the name of the layer. */
  get replaced(): Readonly<Record<string, number>> {
    const total: Record<string, number> = {}
    for (const { act, layer, units } of this.log)
      if (act === 'renew') put(total, layer!, (propertyOf(total, layer!) ?? 0) + units.length)
    return total
  }

  override onTrainBegin(): void {
    this.first = this.log.length
    this.state.last?.begin()
  }

  override onTrainEnd(): void {
    this.state.last?.advise()
  }

  /** A line for each act. */
  override toString(): string {
    return this.log.map(actText).join('\n')
  }

  private states() {
    const log = this.log.slice(this.first).map((act) => ({ ...act }))
    return { log, regulator: this.state.last?.getState() ?? null }
  }

  override getState(): CallbackState {
    return this.states()
  }

  override setState({ log, regulator }: ReturnType<Homeostat['states']>): void {
    this.log.splice(this.first, Infinity, ...log)
    if (regulator !== null) this.state.last?.setState(regulator)
  }
}
