// EmissionsTracker: the resources used by training or any other function. Programs count their runs, so single steps
// are not slowed down.

import { merged } from '../core/merged'
import { ArgumentError, quoted } from '../core/errors'
import { configured, custom, nullable, number, option, text, type OptionInputs } from '../core/options'
import { Callback, type CallbackState, type Reports, type TrainedModel } from '../training/callbacks'
import { logFootprint } from './emissions-log'
import type { Footprint } from './figures'
import { Measurement, type Totals } from './footprint'
import { intensityOf } from './intensities'

const country = custom<string>(
  (value, where) => {
    if (typeof value === 'string' && intensityOf(value) !== null) return value
    throw new ArgumentError(
      `${where} must be a code of ISO 3166-1 with three letters, such as 'FRA', received ${quoted(value)}. For a place that is not in the list, give intensity.`,
    )
  },
  (value) => value,
)

const carbonRows = () => ({
  /**
   * g CO₂e per kWh of electricity. Default null: that of `country`, or 475, the world average of the International Energy Agency
   * for 2018.
   */
  intensity: option(nullable(number({ min: 0 })), null),
  /**
   * The country whose electricity is used, by its ISO 3166-1 code of three letters, as 'FRA': 211 countries, from
   * global_energy_mix.json of CodeCarbon 3.3.2, with numbers for 2021 to 2023. Default null.
   */
  country: option(nullable(country), null),
  /** Power usage effectiveness: the energy of the whole data centre per unit of energy of its computers. Default 1. */
  pue: option(number({ min: 1 }), 1),
})
type CarbonRows = ReturnType<typeof carbonRows>
export type CarbonTable = { [Name in keyof CarbonRows]: CarbonRows[Name] }
export const carbonOptions: () => CarbonTable = carbonRows

const trackerOptions = () =>
  merged(carbonOptions(), {
    /**
     * g CO₂e of manufacturing the hardware, as the share of the tracked work, for the software carbon intensity. Default
     * 0.
     */
    embodied: option(number({ min: 0 }), 0),
    /**
     * The path of a log (Node): each tracked run adds a line, with the columns of CodeCarbon's emissions.csv. Missing folders are
     * created. Default null.
     */
    log: option(nullable(text), null),
    /** The project_name in the log. Default 'myelin'. */
    project: option(text, 'myelin'),
  })
export type EmissionsTrackerOptions = OptionInputs<ReturnType<typeof trackerOptions>>

/** The result of `track`. */
export interface Tracked<Result> {
  readonly result: Result
  readonly footprint: Footprint
}

const EmissionsTrackerBase = configured(Callback, trackerOptions)

/**
 * Reports what training used: steps, FLOPs, bytes, CPU seconds, joules and g CO₂e, each with its source. Joules are
 * read from the processor's counter (RAPL) where Linux allows it, else estimated by the method of Green Algorithms: 12
 * W per busy core and 0.3725 W per GB. Everything else that runs in this thread during training is included:
 * evaluations, other models.
 *
 *   const history = await model.fit(x, y, { callbacks: [new EmissionsTracker()] })
 *   history.reports.footprint.joules              // { value, unit, how, from }
 *
 *   const tracker = new EmissionsTracker({ country: 'FRA', log: 'emissions.csv' })
 *   const { result, footprint } = await tracker.track(() => model.predict(x))
 *
 * @throws ArgumentError, when a run begins, for an intensity beside a country; StateError for a log that cannot be written, or a file
 *   with other columns
 *
 * CodeCarbon: `EmissionsTracker`; Green Algorithms: Lannelongue, Grealey and Inouye 2021; software carbon intensity: ISO/IEC 21031.
 */
export class EmissionsTracker extends EmissionsTrackerBase {
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

  override async onTrainEnd(): Promise<void> {
    const { measurement, model } = this
    if (measurement === null) return
    this.lastFootprint = measurement.footprint(stepsOf(model) - this.stepsBefore)
    measurement.close()
    this.measurement = null
    if (this.params !== null && this.params.verbose > 0) console.log(String(this.lastFootprint))
    await this.logged(this.lastFootprint)
  }

  /** Runs `body`, and returns its result with the footprint of everything computed while it ran. */
  async track<Result>(body: () => Result | Promise<Result>): Promise<Tracked<Result>> {
    const measurement = new Measurement(this)
    try {
      const result = await body()
      const footprint = measurement.footprint(null)
      this.lastFootprint = footprint
      await this.logged(footprint)
      return { result, footprint }
    } finally {
      measurement.close()
    }
  }

  private async logged(footprint: Footprint): Promise<void> {
    const { log, project, country, pue } = this
    if (log !== null) await logFootprint(log, footprint, { project, country, pue })
  }
}

function stepsOf({ optimizer }: TrainedModel): number {
  return optimizer.iterations.value.item()
}
