// EmissionsTracker: what training, or anything else, took. Nothing is asked of single steps: programs count their runs.

import type { InputsOf } from '../core/options'
import { configured, number, option } from '../core/options'
import { Callback } from '../training/callbacks'
import type { CallbackState, TrainedModel } from '../training/callbacks'
import type { Footprint } from '../training/callbacks/footprint'
import type { Totals } from './footprint'
import { Measurement } from './footprint'

export const carbonOptions = () => ({
  /** g CO₂e for each kWh of your electricity. Default 475, the world's average in the International Energy Agency's count for 2018. */
  intensity: option(number({ min: 0 }), 475),
  /** What a data centre uses in all, for each joule that its computers use. Default 1. */
  pue: option(number({ min: 1 }), 1),
})

const trackerOptions = () => ({
  ...carbonOptions(),
  /** g CO₂e of making the hardware: the share of what is tracked, for the software carbon intensity. Default 0. */
  embodied: option(number({ min: 0 }), 0),
})
export type EmissionsTrackerOptions = InputsOf<ReturnType<typeof trackerOptions>>

/** What `track` gives. */
export interface Tracked<Result> {
  readonly result: Result
  readonly footprint: Footprint
}

/**
 * Tells what training took, in steps, FLOPs, bytes, CPU seconds, joules and g CO₂e, each with what it is known from. Joules are read
 * from the processor's counter (RAPL) where Linux lets us, else estimated as Green Algorithms does: 12 W for each busy core and
 * 0.3725 W for each GB. Whatever runs in this thread meanwhile counts: evaluations, other models.
 *
 *   const history = await model.fit(x, y, { callbacks: [new EmissionsTracker()] })
 *   history.footprint.joules                      // { value, unit, how, from }
 *
 *   const tracker = new EmissionsTracker({ intensity: 30 })
 *   const { result, footprint } = await tracker.track(() => model.predict(x))
 *
 * CodeCarbon: `EmissionsTracker`; Green Algorithms: Lannelongue, Grealey and Inouye 2021; software carbon intensity: ISO/IEC 21031.
 */
export class EmissionsTracker extends configured(Callback, trackerOptions) {
  private measurement: Measurement | null = null
  private stepsBefore = 0
  private lastFootprint: Footprint | null = null

  /** Of what was tracked last; null before it is over. */
  override get footprint(): Footprint | null {
    return this.lastFootprint
  }

  override setModel(model: TrainedModel): void {
    super.setModel(model)
    this.lastFootprint = null
    // A run that failed did not close its own.
    this.measurement?.close()
    this.measurement = new Measurement(this)
    this.stepsBefore = stepsOf(model)
  }

  override getState(): CallbackState {
    return this.measurement === null
      ? null
      : { ...this.measurement.totals(), updates: stepsOf(this.model) - this.stepsBefore }
  }

  override setState({ updates, ...totals }: Totals & { readonly updates: number }): void {
    this.measurement?.goOn(totals)
    this.stepsBefore = stepsOf(this.model) - updates
  }

  override onTrainEnd(): void {
    const { measurement, model } = this
    if (measurement === null) return
    this.lastFootprint = measurement.footprint(stepsOf(model) - this.stepsBefore)
    measurement.close()
    this.measurement = null
    if (this.params !== null && this.params.verbose > 0) console.log(String(this.lastFootprint))
  }

  /** Runs `body`, and tells what was computed until it was done. */
  async track<Result>(body: () => Result | Promise<Result>): Promise<Tracked<Result>> {
    const measurement = new Measurement(this)
    try {
      const result = await body()
      this.lastFootprint = measurement.footprint(null)
      return { result, footprint: this.lastFootprint }
    } finally {
      measurement.close()
    }
  }
}

function stepsOf({ optimizer }: TrainedModel): number {
  return optimizer.iterations.value.item()
}
