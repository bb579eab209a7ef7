// plotHealth: the state of a model's units over the epochs.

import { merged } from '../core/merged'
import { requireArguments } from '../core/arguments'
import { ArgumentError, DataError, quoted } from '../core/errors'
import { count, option, readOptions } from '../core/options'
import { HEALTH_SIZE, HEALTH_TITLE, drawHealth } from '../balance/health-picture'
import type { HealthRecord } from '../balance/health-record'
import { Picture } from './drawing/picture'
import { pictureTable, type PictureOptions } from './drawing/svg'

/** A UnitHealth, its records, or the history of a run with it. */
export type HealthLike =
  | readonly HealthRecord[]
  | {
      /** A record for each epoch. */
      readonly records: readonly HealthRecord[]
    }
  | {
      /** The reports of the callbacks of a run. */
      readonly reports: { readonly health?: readonly HealthRecord[] }
    }

export interface PlotHealthOptions extends PictureOptions {
  /** Default 720. */
  readonly width?: number
  /** The height of one panel. Default 240. */
  readonly height?: number
}

const table = () =>
  merged(pictureTable(HEALTH_TITLE), {
    width: option(count, HEALTH_SIZE.width),
    height: option(count, HEALTH_SIZE.height),
  })

function recordsOf(health: HealthLike): readonly HealthRecord[] {
  const records = recordsIn(health)
  if (!Array.isArray(records) || records.some((each) => !Array.isArray(each?.layers)))
    throw new ArgumentError(
      `plotHealth: needs UnitHealth, its records, or the history of a run with it, received ${quoted(health)}`,
    )
  if (records.length === 0) throw new DataError('plotHealth: no epoch is recorded yet')
  return records
}

function recordsIn(health: HealthLike): readonly HealthRecord[] | undefined {
  if (typeof health !== 'object' || health === null) return undefined
  if ('reports' in health) return health.reports.health
  return 'records' in health ? health.records : health
}

/**
 * The units of each layer over the epochs: the shares of dormant, dead and saturated ones, and the relative change of
 * weights in a step.
 *
 *   const health = new UnitHealth()
 *   await model.fit(x, y, { callbacks: [health] })
 *   plotHealth(health)
 *
 * @throws ArgumentError for values that are not the health of units; DataError before the first epoch
 */
export function plotHealth(health: HealthLike, options: PlotHealthOptions = {}): Picture {
  requireArguments('plotHealth', arguments, 2)
  const { width, height, ...text } = readOptions('plotHealth', table(), options)
  return new Picture(drawHealth(recordsOf(health), { width, height }, text))
}
