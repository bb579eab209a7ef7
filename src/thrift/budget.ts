// Callbacks that end training because of its cost: when a budget is spent, or when the improvement is not worth the
// cost.

import { merged } from '../core/merged'
import { counted } from '../core/table'
import { ArgumentError, quoted } from '../core/errors'
import { configured, custom, integer, nullable, option, type OptionInputs } from '../core/options'
import {
  Callback,
  type CallbackState,
  type Logs,
  type NextStep,
  type NextTest,
  type TrainedModel,
} from '../training/callbacks'
import { Monitor, monitorOptions } from '../training/callbacks/monitor'
import { carbonOptions } from './emissions'
import { Measurement, costOfRun, prefixed, type Totals } from './footprint'

/** A finite number above 0. Not limited to float32, because FLOPs exceed its range. */
const positive = custom<number>(
  (value, where) => {
    if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value
    throw new ArgumentError(`${where} must be a finite number above 0, received ${quoted(value)}`)
  },
  (value) => value,
)

const budgetOptions = () =>
  merged(
    {
      /** Floating-point operations, including those of evaluations. */
      flops: option(nullable(positive), null),
      /** Wall-clock seconds since fit began. */
      seconds: option(nullable(positive), null),
      /** Measured where the processor has an energy counter, else estimated: see EmissionsTracker. */
      joules: option(nullable(positive), null),
      /** g CO₂e. */
      gCO2e: option(nullable(positive), null),
    },
    carbonOptions(),
  )
export type BudgetOptions = OptionInputs<ReturnType<typeof budgetOptions>>

const RESOURCES = ['flops', 'seconds', 'joules', 'gCO2e'] as const
type Resource = (typeof RESOURCES)[number]
const UNITS: Readonly<Record<Resource, string>> = { flops: 'FLOP', seconds: 's', joules: 'J', gCO2e: 'g CO2e' }

/** The budget that ended training. */
export interface Spent {
  readonly resource: Resource
  readonly budget: number
  readonly spent: number
  /** Steps of this fit. */
  readonly steps: number
}

const BudgetBase = configured(Callback, budgetOptions)

/**
 * Ends training after the last step within a budget; with several budgets, within the first that is spent. At least one
 * step runs, and every step runs completely. A validation that `flops` does not allow as a whole does not begin, and
 * ends training. Only the first validation of a stream, whose length is not known, may exceed them.
 *
 *   await model.fit(x, y, { epochs: 1000, callbacks: [new Budget({ joules: 500 })] })
 *
 * @throws ArgumentError without a budget, or for one that is not above 0
 */
export class Budget extends BudgetBase {
  private measurement: Measurement | null = null
  /** The number of the step before which the budgets need not be checked again. */
  private checkedUntil = 0
  /** The budget that ended training; null if none did. */
  ended: Spent | null = null
  private readonly limits = this.readLimits()

  private readLimits(): readonly (readonly [Resource, number])[] {
    const limits = RESOURCES.flatMap((resource) => {
      const budget = this[resource]
      return budget === null ? [] : [[resource, budget] as const]
    })
    if (limits.length > 0) return limits
    throw new ArgumentError(
      'Budget: needs a budget, for example new Budget({ joules: 500 }). The budgets are: flops, seconds, joules, gCO2e',
    )
  }

  override setModel(model: TrainedModel): void {
    super.setModel(model)
    this.ended = null
    this.checkedUntil = 0
    this.measurement?.close()
    this.measurement = new Measurement({ intensity: this.intensity, country: this.country, pue: this.pue, embodied: 0 })
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
    // Evaluations since the last check have a cost, too.
    this.checkedUntil = 0
  }

  override onTestEnd(): void {
    this.checkedUntil = 0
  }

  override allowsTest({ graph, steps, done }: NextTest): boolean {
    const { flops: budget } = this
    if (budget === null) return true
    const spent = this.spent('flops')
    if (spent + (steps ?? 1) * costOfRun(graph).flops <= budget) return true
    this.ended ??= { resource: 'flops', budget, spent, steps: done }
    return false
  }

  override stepsAhead({ graph, done }: NextStep): number {
    if (done > 0 && done < this.checkedUntil) return this.checkedUntil - done
    let ahead = Infinity
    for (const [resource, budget] of this.limits) {
      const spent = this.spent(resource)
      const steps = done === 0 ? 1 : stepsFor(resource, budget - spent, { graph, done, spent })
      if (steps < 1) {
        this.ended ??= { resource, budget, spent, steps: done }
        return 0
      }
      ahead = Math.min(ahead, steps)
    }
    // Later steps may cost more, so only a quarter of the remaining steps runs before the next check.
    ahead = Math.max(1, Math.floor(ahead / 4))
    this.checkedUntil = done + ahead
    return ahead
  }

  override onTrainEnd(): void {
    this.measurement?.close()
    this.measurement = null
    if (this.ended === null) return
    const { resource, budget, spent, steps } = this.ended
    const amount = (value: number): string => `${prefixed(value)}${UNITS[resource]}`
    if ((this.params?.verbose ?? 1) > 0)
      console.log(`Budget: training ended after ${counted(steps, 'step')}, ${amount(spent)} of ${amount(budget)}`)
  }
}

/** The number of steps for which the rest of a budget suffices. */
function stepsFor(
  resource: Resource,
  rest: number,
  { graph, done, spent }: NextStep & { readonly spent: number },
): number {
  if (resource === 'flops') return Math.floor(rest / costOfRun(graph).flops)
  // The cost of a step is the mean so far, including all time before the first step. The last step may begin as long as
  // some of the budget is left.
  return Math.ceil(rest / (spent / done))
}

const economyOptions = () =>
  merged(monitorOptions(), {
    /** The smallest improvement per joule that is worth the cost. Exclusive with perFlop. */
    perJoule: option(nullable(positive), null),
    /** The smallest improvement per floating-point operation that is worth the cost. */
    perFlop: option(nullable(positive), null),
    /** The number of consecutive uneconomic epochs after which training ends. Default 1. */
    patience: option(integer({ min: 1 }), 1),
  })
export type StopWhenUneconomicOptions = OptionInputs<ReturnType<typeof economyOptions>>

/** The gain and the cost of an epoch. */
export interface EpochEconomy {
  readonly epoch: number
  /** The improvement over the best value before; 0 if there was none. */
  readonly gain: number
  /** Joules or FLOPs since the previous epoch. */
  readonly cost: number
}

const StopWhenUneconomicBase = configured(Callback, economyOptions)

/**
 * Ends training when an epoch improves the monitored log by less than `perJoule` per joule, or `perFlop` per FLOP,
 * `patience` times in a row. Improvements are measured against the best value so far.
 *
 *   new StopWhenUneconomic({ monitor: 'valAccuracy', perJoule: 1e-4, patience: 2 })
 *
 * @throws ArgumentError unless exactly one of perJoule and perFlop is set, and it is above 0
 */
export class StopWhenUneconomic extends StopWhenUneconomicBase {
  private measurement: Measurement | null = null
  private readonly watched = new Monitor('StopWhenUneconomic', this)
  private best: number | null = null
  private costBefore = 0
  private wait = 0
  /** All epochs except the first, which has no predecessor. */
  epochs: EpochEconomy[] = []
  /** The epoch after which training ended; null if it ran to the end. */
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
    this.measurement = new Measurement({ intensity: 0, country: null, pue: 1, embodied: 0 })
  }

  override onEpochEnd(epoch: number, logs: Logs): void {
    const { watched, measurement, best } = this
    if (measurement === null) return
    const value = watched.valueIn(logs)
    if (value === undefined) return
    const total = this.perJoule === null ? measurement.computed().flops : measurement.joules()
    const cost = total - this.costBefore
    this.costBefore = total
    if (best === null) {
      this.best = value
      return
    }
    this.best = watched.rises ? Math.max(best, value) : Math.min(best, value)
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
