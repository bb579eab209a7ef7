// UnitHealth: measures the health of a model's units in each epoch, without changing anything.

import { limitsOf, type ActivationFunction } from '../parts/activations'
import { configured, count, integer, nullable, number, option, type OptionInputs } from '../core/options'
import { layersOption } from '../layers/kinds'
import { abs, add, cast, greater, maximum, multiply, square, subtract } from '../ops/numpy/elementwise'
import { svd } from '../ops/linalg/factorization'
import { max, mean, sum } from '../ops/numpy/reduce'
import { concatenate, reshape, slice } from '../ops/numpy/shape'
import { Tensor } from '../ops/tensor'
import { Variable } from '../ops/variable'
import type { CallbackState, Reports, TrainedModel } from '../training/callbacks'
import { Callback } from '../training/callbacks/callback'
import type { Probe, ProbedStep } from '../training/probes'
import { ENOUGH_ROWS, type HealthRecord, type LayerHealth } from './health-record'
import { adviceOn } from './health-advice'
import { drawHealth } from './health-picture'
import { healthTable } from './health-table'
import { activityOf, leftOut, outgoingStrength, visibleUnits, type HiddenUnits } from './hidden-units'
import { PerModel } from './per-model'
import { dormancyScores } from './redo'

const unitHealthOptions = () => ({
  /** The number of steps between two measurements; at most the steps of an epoch. Default 50. */
  every: option(count, 50),
  /** The largest score of a dormant unit, τ; see ReDo. Default 0.025. */
  tau: option(number({ min: 0, max: 1 }), 0.025),
  /**
   * The most rows of activity kept for the effective rank; 0 disables it. Default null: four for each unit of a layer, at
   * least 64 and at most 1024.
   */
  samples: option(nullable(integer({ min: 0 })), null),
  /** The layers, or their names, whose units are measured. Default null: all except output units. */
  layers: layersOption(),
})
export type UnitHealthOptions = OptionInputs<ReturnType<typeof unitHealthOptions>>

/** A unit whose |h| stays below this is dead. */
const SILENT = 1e-6
/** An output closer to a limit than this is saturated, for limits of −1 and 1. */
const MARGIN = 0.1
/** A saturated unit is near a limit in at least this share of its rows. */
const MOSTLY = 0.9
/** The share of the sum of singular values that defines the effective rank. */
const RANK_SHARE = 0.99

const isActivation = (value: unknown): value is ActivationFunction => typeof value === 'function'

/** Maps the limits of an activation to −1 and 1; null for an activation without limits. */
function towardsLimits({ output, made }: HiddenUnits): ((h: Tensor) => Tensor) | null {
  // An activation layer has its function as an option.
  const activation: unknown = made.has(output) ? made.get(output)!.activation : Reflect.get(output, 'activation')
  const limits = isActivation(activation) ? limitsOf(activation) : null
  if (limits === null) return null
  const [lower, upper] = limits
  const [scale, shift] = [2 / (upper - lower), (upper + lower) / (upper - lower)]
  return (h) => (shift === 0 && scale === 1 ? h : subtract(multiply(h, scale), shift))
}

/** The measurements of one group over an epoch. */
class Watch {
  /** The number of measurements. */
  private readonly looks: Variable
  /** Sums over measurements: mean|h| of each unit, mean|h| · Σ|w_out|, and the share of its rows near a limit. */
  private readonly activity: Variable
  private readonly utility: Variable | null
  private readonly saturation: Variable | null
  /** The largest |h| of each unit. */
  private readonly peak: Variable
  /** Sums over measurements of ‖w‖², ‖g‖², ‖Δw‖². */
  private readonly norms: Variable
  /** The last rows of activity, [samples, units], and how many rows came in this epoch. */
  private readonly rows: Variable | null
  private readonly seen: Variable
  private readonly weights: readonly Variable[]
  private readonly limits: ReturnType<typeof towardsLimits>
  private hasGradient = false

  constructor(
    private readonly units: HiddenUnits,
    private readonly options: UnitHealth,
    trained: ReadonlySet<Variable>,
  ) {
    const { count, name, incoming, outgoing } = units
    const make = (kind: string, ...shape: number[]): Variable =>
      new Variable(shape, { name: `${name}/${kind}`, trainable: false })
    this.limits = towardsLimits(units)
    this.weights = [...new Set(incoming.map(({ weight }) => weight))]
    this.hasGradient = this.weights.some((weight) => trained.has(weight))
    this.looks = make('looks')
    this.activity = make('activity', count)
    this.utility = outgoing.length === 0 ? null : make('utility', count)
    this.saturation = this.limits === null ? null : make('saturation', count)
    this.peak = make('peak', count)
    this.norms = make('norms', 3)
    const samples = options.samples ?? Math.min(1024, Math.max(64, ENOUGH_ROWS * count))
    this.rows = samples === 0 ? null : make('rows', samples, count)
    this.seen = make('seen')
  }

  /** Traced. */
  observe(step: ProbedStep): void {
    const h = activityOf(step, this.units)
    const size = abs(h)
    this.looks.assign(add(this.looks.value, 1))
    const activity = mean(size, 0)
    this.activity.assign(add(this.activity.value, activity))
    this.utility?.assign(add(this.utility.value, multiply(activity, outgoingStrength(step, this.units))))
    this.peak.assign(maximum(this.peak.value, max(size, 0)))
    if (this.limits !== null) {
      const near = cast(greater(abs(this.limits(h)), 1 - MARGIN), 'float32')
      this.saturation!.assign(add(this.saturation!.value, mean(near, 0)))
    }
    this.norms.assign(add(this.norms.value, this.squares(step)))
    if (this.rows === null) return
    this.rows.assign(lastRows(this.rows.value, h))
    this.seen.assign(add(this.seen.value, h.shape[0]!))
  }

  private squares(step: ProbedStep): Tensor {
    const total = (each: (weight: Variable) => Tensor | null): Tensor => {
      const terms = this.weights
        .map(each)
        .filter((value) => value !== null)
        .map((value) => reshape(sum(square(value)), [1]))
      return terms.length === 0 ? new Tensor(new Float32Array(1), [1], 'float32') : terms.reduce((a, b) => add(a, b))
    }
    return concatenate(
      [
        total((weight) => step.after(weight)),
        total((weight) => step.gradient(weight)),
        total((weight) => subtract(step.after(weight), step.before(weight))),
      ],
      0,
    )
  }

  /** The health since the last call; null without measurements. */
  take(): LayerHealth | null {
    const {
      units: { name, count },
      looks,
      activity,
      utility,
      saturation,
      peak,
      norms,
      rows,
      seen,
      options,
    } = this
    const times = looks.view[0]!
    if (times === 0) return null
    const share = (values: ArrayLike<number>, isCounted: (value: number) => boolean): number =>
      Array.from(values).filter(isCounted).length / count
    const activities = Float64Array.from(activity.view, (total) => total / times)
    const [average, spread] = meanAndSpread(activities)
    const [worth, worthSpread] =
      utility === null ? [null, null] : meanAndSpread(Float64Array.from(utility.view, (total) => total / times))
    const normOf = (at: number): number => Math.sqrt(norms.view[at]! / times)
    const [weightNorm, gradientNorm, updateNorm] = [normOf(0), normOf(1), normOf(2)]
    const health = withRank(
      {
        layer: name,
        units: count,
        dead: share(peak.view, (value) => value < SILENT),
        saturated: saturation === null ? null : share(saturation.view, (total) => total / times >= MOSTLY),
        dormant: share(dormancyScores(activities), (score) => score <= options.tau),
        activity: average,
        spread,
        utility: worth,
        utilitySpread: worthSpread,
        weightNorm,
        gradientNorm: this.hasGradient ? gradientNorm : null,
        updateNorm,
        updateRatio: weightNorm === 0 ? 0 : updateNorm / weightNorm,
      },
      rows === null ? null : lastOf(rows.value, seen.view[0]!),
    )
    this.reset()
    return health
  }

  reset(): void {
    for (const each of this.sums) each.view.fill(0)
  }

  private get sums(): readonly Variable[] {
    return [
      this.looks,
      this.seen,
      this.activity,
      this.peak,
      this.norms,
      ...[this.utility, this.saturation].filter((each) => each !== null),
    ]
  }

  private get kept(): readonly Variable[] {
    return [...this.sums, ...(this.rows === null ? [] : [this.rows])]
  }

  getState(): readonly Tensor[] {
    return this.kept.map((variable) => variable.value)
  }

  setState(kept: readonly Tensor[]): void {
    this.kept.forEach((variable, i) => variable.assign(kept[i]!))
  }
}

/** The mean of some values and their standard deviation. */
function meanAndSpread(values: Float64Array): readonly [mean: number, spread: number] {
  const average = values.reduce((total, value) => total + value, 0) / values.length
  return [average, Math.sqrt(values.reduce((total, value) => total + (value - average) ** 2, 0) / values.length)]
}

/** The last rows of `sample` followed by h, as many as `sample` has. If h has more, evenly spaced rows of h. */
function lastRows(sample: Tensor, h: Tensor): Tensor {
  const [size, units] = [sample.shape[0]!, sample.shape[1]!]
  const count = h.shape[0]!
  if (count < size) return concatenate([slice(sample, [count, 0], [size - count, units]), h], 0)
  const apart = Math.floor(count / size)
  const chosen = reshape(slice(h, [0, 0], [size * apart, units]), [size, apart, units])
  return reshape(slice(chosen, [0, 0, 0], [size, 1, units]), [size, units])
}

/** At most `count` last rows of [rows, units]. */
function lastOf(rows: Tensor, count: number): Tensor {
  const [size, units] = [rows.shape[0]!, rows.shape[1]!]
  const kept = Math.min(size, count)
  return slice(rows, [size - kept, 0], [kept, units])
}

/** Computes the rank on first access, because it takes as long as many steps. */
function withRank(health: Omit<LayerHealth, 'rank' | 'rankRows'>, rows: Tensor | null): LayerHealth {
  let sample = rows
  let rank: number | null = null
  return {
    ...health,
    rankRows: rows?.shape[0] ?? 0,
    get rank() {
      if (sample !== null) rank = effectiveRank(sample)
      sample = null
      return rank
    },
  }
}

/** The number of largest singular values of rows [m, n] that make up 99 % of their sum. */
export function effectiveRank(rows: Tensor): number {
  const values = Float64Array.from(svd(rows, false, false).data)
  const total = values.reduce((a, b) => a + b, 0)
  let part = 0
  // Rounding may leave the running sum below the total.
  const found = values.findIndex((value) => (part += value) >= RANK_SHARE * total)
  return total === 0 ? 0 : found + 1
}

const UnitHealthBase = configured(Callback, unitHealthOptions)

/**
 * Measures the health of a model's units. It measures every `every` steps and summarises each epoch: the share of dead,
 * saturated and dormant units of each layer, their activity and utility, the effective rank of their outputs, and the norms of
 * weights, gradients and updates.
 *
 * ```ts
 * import { UnitHealth } from 'myelin/balance'
 * const health = new UnitHealth({ every: 50 })
 * const history = await model.fit(x, y, { epochs: 10, callbacks: [health] })
 * history.reports.health.at(-1).layers[0].dead // 0.02
 * console.log(health.table())          // the last epoch, with advice
 * health.leftOut                       // { out: 'they are an output of the model' }
 * writeFileSync('health.svg', health.toSVG())
 * ```
 *
 * Steps without a measurement run the same program as without this callback. With `every: 50` it costs 3 % of training
 * 784→128→10, and 12 % of a network as small as 20→5→1, because every measurement ends a run of steps in WebAssembly. Each
 * epoch has at least one: in epochs of ten steps of such a network it takes as long as training (`bench/balance.mjs`).
 *
 * Dormant: Sokar et al. 2023. Effective rank: Yang et al. 2020, with 99 %.
 * @throws ArgumentError when training begins, for a model without hidden units or without a known graph, and for layers
 * that make no hidden units
 */
export class UnitHealth extends UnitHealthBase {
  static readonly className = 'UnitHealth'
  /** One record per epoch, over all fits. */
  readonly records: HealthRecord[] = []
  private first = 0
  private readonly state = new PerModel((model: TrainedModel) => {
    const trained = new Set(model.trainableWeights)
    const seen = visibleUnits('UnitHealth', model, this.layers)
    const watches = seen.map((units) => new Watch(units, this, trained))
    const every = (): number => Math.min(this.every, this.params?.steps ?? Infinity)
    const probe: Probe = {
      // At least once per epoch, however short.
      get every() {
        return every()
      },
      trace: (step) => watches.forEach((each) => each.observe(step)),
    }
    return { watches, probes: [probe], leftOut: leftOut('UnitHealth', model, seen) }
  })

  override get probes(): readonly Probe[] {
    return this.state.of(this.model).probes
  }

  /** The records of the last fit, the same as in the History it returned. */
  get health(): readonly HealthRecord[] {
    return this.records.slice(this.first)
  }

  override get reports(): Reports {
    return { health: this.health }
  }

  override onTrainBegin(): void {
    this.first = this.records.length
    this.state.last?.watches.forEach((each) => each.reset())
  }

  override onEpochEnd(epoch: number): void {
    const layers = (this.state.last?.watches ?? []).map((each) => each.take()).filter((each) => each !== null)
    if (layers.length > 0) this.records.push({ epoch, layers })
  }

  private states() {
    const health = this.health.map(({ epoch, layers }) => ({ epoch, layers: layers.map((each) => ({ ...each })) }))
    return { health, watches: (this.state.last?.watches ?? []).map((each) => each.getState()) }
  }

  override getState(): CallbackState {
    return this.states()
  }

  override setState({ health, watches }: ReturnType<UnitHealth['states']>): void {
    this.records.splice(this.first, Infinity, ...health)
    watches.forEach((state, i) => this.state.last?.watches[i]?.setState(state))
  }

  /** Findings of the last epoch with advice, one text each; empty for healthy units. */
  get advice(): readonly string[] {
    return adviceOn(this.records.at(-1))
  }

  /**
   * The layers with weights that are not measured, by path, with the reason: output layers, and layers that do not
   * declare their units.
   */
  get leftOut(): Readonly<Record<string, string>> {
    return this.state.last?.leftOut ?? {}
  }

  /** The last epoch as text: one line per layer, the advice, and the layers left out. */
  table(): string {
    return healthTable(this.records.at(-1), this.advice, this.leftOut)
  }

  /** The picture of `plotHealth` of `myelin/plot`: the units of each layer over the epochs, as SVG. */
  toSVG(): string {
    return drawHealth(this.records).svg
  }
}
