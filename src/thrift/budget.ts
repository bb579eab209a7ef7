// Callbacks that end training when it has cost enough: when a budget is used up, or when what it still gains is not worth its
// price.

import { ArgumentError, quoted } from '../core/errors'
import type { InputsOf } from '../core/options'
import { configured, custom, integer, nullable, option } from '../core/options'
import { Callback } from '../training/callbacks'
import type { CallbackState, Logs, NextStep, TrainedModel } from '../training/callbacks'
import { Monitor, monitorOptions } from '../training/callbacks/monitor'
import { carbonOptions } from './emissions'
import type { Totals } from './footprint'
import { Measurement, costOfRun, prefixed } from './footprint'

/** A number above 0, of any size: more FLOPs than a float32 can hold are no reason to refuse. */
const positive = custom<number>(
  (value, where) => {
    if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value
    throw new ArgumentError(`${where} must be a finite number above 0, received ${quoted(value)}`)
  },
  (value) => value,
)

const budgetOptions = () => ({
  /** Floating-point operations, evaluations included. */
  flops: option(nullable(positive), null),
  /** Seconds since fit began, by the clock. */
  seconds: option(nullable(positive), null),
  /** Measured where there is a counter, else estimated: see EmissionsTracker. */
  joules: option(nullable(positive), null),
  /** g CO₂e. */
  gCO2e: option(nullable(positive), null),
  ...carbonOptions(),
})
export type BudgetOptions = InputsOf<ReturnType<typeof budgetOptions>>

type Resource = 'flops' | 'seconds' | 'joules' | 'gCO2e'
const UNITS: Readonly<Record<Resource, string>> = { flops: 'FLOP', seconds: 's', joules: 'J', gCO2e: 'g CO2e' }

/** What ended training. */
export interface Spent {
  readonly resource: Resource
  readonly budget: number
  readonly spent: number
  /** Steps of this fit. */
  readonly steps: number
}

/**
 * Ends training with the last step that a budget still allows; with several, that of the first that is used up. At least one step
 * is taken. Steps are whole, so the weights are those of an ordinary step.
 *
 *   await model.fit(x, y, { epochs: 1000, callbacks: [new Budget({ joules: 500 })] })
 *
 * @throws ArgumentError without a budget, and for one that is not above 0
 */
export class Budget extends configured(Callback, budgetOptions) {
  private measurement: Measurement | null = null
  /** The number of the step before which it need not be asked again. */
  private askedUntil = 0
  /** What ended training; null where nothing did. */
  ended: Spent | null = null
  private readonly limits = this.readLimits()

  private readLimits(): readonly (readonly [Resource, number])[] {
    const limits = (Object.keys(UNITS) as Resource[]).flatMap((resource) => {
      const budget = this[resource]
      return budget === null ? [] : [[resource, budget] as const]
    })
    if (limits.length > 0) return limits
    throw new ArgumentError(
      'Budget: needs a budget, for example new Budget({ joules: 500 }). There are: flops, seconds, joules, gCO2e',
    )
  }

  override setModel(model: TrainedModel): void {
    super.setModel(model)
    this.ended = null
    this.askedUntil = 0
    this.measurement?.close()
    this.measurement = new Measurement({ intensity: this.intensity, pue: this.pue, embodied: 0 })
  }

  private spent(resource: Resource): number {
    const { measurement } = this
    if (measurement === null) return 0
    switch (resource) {
      case 'flops':
        return measurement.computed().flops
      case 'seconds':
        return measurement.seconds()
      case 'joules':
        return measurement.joules()
      case 'gCO2e':
        return measurement.gramsOf(measurement.joules())
    }
  }

  override getState(): CallbackState {
    return this.measurement?.totals() ?? null
  }

  override setState(totals: Totals): void {
    this.measurement?.goOn(totals)
  }

  override onEpochBegin(): void {
    // What was evaluated since cost something, too.
    this.askedUntil = 0
  }

  override stepsAhead({ graph, done }: NextStep): number {
    if (done > 0 && done < this.askedUntil) return this.askedUntil - done
    let ahead = Infinity
    for (const [resource, budget] of this.limits) {
      const spent = this.spent(resource)
      // What a step takes: known of FLOPs; of the others the mean so far, with all that came before the first.
      const each = resource === 'flops' ? costOfRun(graph).flops : spent / done
      // By a clock, the last step may begin as long as something is left.
      const steps =
        done === 0 ? 1 : resource === 'flops' ? Math.floor((budget - spent) / each) : Math.ceil((budget - spent) / each)
      if (steps < 1) {
        this.ended ??= { resource, budget, spent, steps: done }
        return 0
      }
      ahead = Math.min(ahead, steps)
    }
    // Steps may take longer than those before, so not all are taken at once; few questions are asked all the same.
    ahead = Math.max(1, Math.floor(ahead / 4))
    this.askedUntil = done + ahead
    return ahead
  }

  override onTrainEnd(): void {
    this.measurement?.close()
    this.measurement = null
    if (this.ended === null) return
    const { resource, budget, spent, steps } = this.ended
    const amount = (value: number): string => `${prefixed(value)}${UNITS[resource]}`
    if ((this.params?.verbose ?? 1) > 0)
      console.log(`Budget: training ended after ${steps} steps, ${amount(spent)} of ${amount(budget)}`)
  }
}

const economyOptions = () => ({
  ...monitorOptions(),
  /** The least improvement for each joule that is worth it. Either this or perFlop. */
  perJoule: option(nullable(positive), null),
  /** The least improvement for each floating-point operation that is worth it. */
  perFlop: option(nullable(positive), null),
  /** Epochs in a row that are not worth it, after which training ends. Default 1. */
  patience: option(integer({ min: 1 }), 1),
})
export type StopWhenUneconomicOptions = InputsOf<ReturnType<typeof economyOptions>>

/** What an epoch gained, and for what. */
export interface EpochEconomy {
  readonly epoch: number
  /** How far the monitored log got beyond its best before; 0 where it did not. */
  readonly gain: number
  /** Joules or FLOPs since the epoch before. */
  readonly cost: number
}

/**
 * Ends training when an epoch improves the monitored log by less than `perJoule` for each joule it took, or `perFlop` for each
 * FLOP, `patience` times in a row. An improvement is what goes beyond the best so far.
 *
 *   new StopWhenUneconomic({ monitor: 'valAccuracy', perJoule: 1e-4, patience: 2 })
 *
 * @throws ArgumentError unless exactly one of perJoule and perFlop is given, and for one that is not above 0
 */
export class StopWhenUneconomic extends configured(Callback, economyOptions) {
  private measurement: Measurement | null = null
  private readonly watched = new Monitor('StopWhenUneconomic', this)
  private best: number | null = null
  private costBefore = 0
  private wait = 0
  /** Every epoch but the first, which has none to be compared with. */
  epochs: EpochEconomy[] = []
  /** The epoch after which training ended; null where it did not. */
  stoppedEpoch: number | null = null

  protected override checkOptions(): void {
    if ((this.perJoule === null) !== (this.perFlop === null)) return
    throw new ArgumentError(
      'StopWhenUneconomic: needs either perJoule or perFlop, for example new StopWhenUneconomic({ perJoule: 1e-4 })',
    )
  }

  override setModel(model: TrainedModel): void {
    super.setModel(model)
    Object.assign(this, { best: null, costBefore: 0, wait: 0, epochs: [], stoppedEpoch: null })
    this.watched.begin()
    this.measurement?.close()
    this.measurement = new Measurement({ intensity: 0, pue: 1, embodied: 0 })
  }

  override onEpochEnd(epoch: number, logs: Logs): void {
    const { watched, measurement, best } = this
    if (measurement === null) return
    const value = watched.valueIn(logs)
    if (value === undefined) return
    const total = this.perJoule === null ? measurement.computed().flops : measurement.joules()
    const cost = total - this.costBefore
    this.costBefore = total
    this.best = best === null ? value : watched.rises ? Math.max(best, value) : Math.min(best, value)
    if (best === null) return
    const gain = Math.abs(this.best - best)
    this.epochs.push({ epoch, gain, cost })
    this.wait = gain < (this.perJoule ?? this.perFlop!) * cost ? this.wait + 1 : 0
    if (this.wait < this.patience) return
    this.stoppedEpoch = epoch
    this.model.stopTraining = true
  }

  override getState(): CallbackState {
    const { best, costBefore, wait, epochs, stoppedEpoch, measurement } = this
    return {
      best,
      costBefore,
      wait,
      epochs: epochs.map((each) => ({ ...each })),
      stoppedEpoch,
      totals: measurement?.totals() ?? null,
    }
  }

  override setState({ totals, ...state }: { readonly totals: Totals | null }): void {
    Object.assign(this, state)
    if (totals !== null) this.measurement?.goOn(totals)
  }

  override onTrainEnd(): void {
    this.measurement?.close()
    this.measurement = null
    if (this.stoppedEpoch === null || (this.params?.verbose ?? 1) === 0) return
    const { gain, cost } = this.epochs.at(-1)!
    const unit = this.perJoule === null ? 'FLOP' : 'J'
    console.log(
      `StopWhenUneconomic: training ended after epoch ${this.stoppedEpoch + 1}, which improved ${this.monitor} by ${gain.toPrecision(3)} for ${prefixed(cost)}${unit}`,
    )
  }
}
