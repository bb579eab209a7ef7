// EmissionsTracker: the resources used by training or any other function. Programs count their runs, so single steps
// are not slowed down.

import type { OptionInputs } from '../core/options'
import { configured, number, option } from '../core/options'
import { Callback } from '../training/callbacks'
import type { CallbackState, Reports, TrainedModel } from '../training/callbacks'
import type { Footprint } from './figures'
import type { Totals } from './footprint'
import { Measurement } from './footprint'

export const carbonOptions = () => ({
  /** g CO₂e per kWh of electricity. Default 475, the world average of the International Energy Agency for 2018. */
  intensity: option(number({ min: 0 }), 475),
  /** Power usage effectiveness: the energy of the whole data centre per unit of energy of its computers. Default 1. */
  pue: option(number({ min: 1 }), 1),
})

const trackerOptions = () => ({
  ...carbonOptions(),
  /**
   * g CO₂e of manufacturing the hardware, as the share of the tracked work, for the software carbon intensity. Default
   * 0.
   */
  embodied: option(number({ min: 0 }), 0),
})
export type EmissionsTrackerOptions = OptionInputs<ReturnType<typeof trackerOptions>>

/** The result of `track`. */
export interface Tracked<Result> {
  readonly result: Result
  readonly footprint: Footprint
}

/**
 * Reports what training used: steps, FLOPs, bytes, CPU seconds, joules and g CO₂e, each with its source. Joules are
 * read from the processor's counter (RAPL) where Linux allows it, else estimated by the method of Green Algorithms: 12
 * W per busy core and 0.3725 W per GB. Everything else that runs in this thread during training is included:
 * evaluations, other models.
 *
 *   const history = await model.fit(x, y, { callbacks: [new EmissionsTracker()] })
 *   history.reports.footprint.joules              // { value, unit, how, from }
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

  /** The footprint of the last tracked run; null before it ends. */
  get footprint(): Footprint | null {
    return this.lastFootprint
  }

  override get reports(): Reports {
    return this.lastFootprint === null ? {} : { footprint: this.lastFootprint }
  }

  override setModel(model: TrainedModel): void {
    super.setModel(model)
    this.lastFootprint = null
    // A failed run does not close its measurement.
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

  /** Runs `body`, and returns its result with the footprint of everything computed while it ran. */
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
