// plotHealth: the state of a model's units over the epochs.

import { requireArguments } from '../core/arguments'
import { ArgumentError, DataError, quoted } from '../core/errors'
import { count, option } from '../core/options'
import type { HealthRecord, LayerHealth } from '../balance/health-record'
import { readTyped } from '../ops/arguments'
import type { Panel } from './panels'
import { drawPanels, saySeries } from './panels'
import { Picture } from './picture'
import type { PictureOptions } from './svg'
import { picture, pictureTable } from './svg'

/** UnitHealth, its records, or the history of a run with it. */
export type HealthLike =
  | readonly HealthRecord[]
  | {
      /** A record for each epoch. */
      readonly records: readonly HealthRecord[]
    }
  | {
      /** Those of the callbacks of a run. */
      readonly reports: { readonly health?: readonly HealthRecord[] }
    }

export interface PlotHealthOptions extends PictureOptions {
  /** Default 720. */
  readonly width?: number
  /** The height of one panel. Default 240. */
  readonly height?: number
}

const table = () => ({
  ...pictureTable('Health of units'),
  width: option(count, 720),
  height: option(count, 240),
})

const MEASURES: readonly (readonly [title: string, of: (layer: LayerHealth) => number | null, isShare: boolean])[] = [
  ['dormant units', ({ dormant }) => dormant, true],
  ['dead units', ({ dead }) => dead, true],
  ['saturated units', ({ saturated }) => saturated, true],
  ['weight change per step', ({ updateRatio }) => updateRatio, false],
]

function recordsOf(given: HealthLike): readonly HealthRecord[] {
  const found = ((): unknown => {
    if (typeof given !== 'object' || given === null) return undefined
    if ('reports' in given) return given.reports.health
    return 'records' in given ? given.records : given
  })()
  if (!Array.isArray(found) || found.some((each) => !Array.isArray(each?.layers)))
    throw new ArgumentError(
      `plotHealth: needs UnitHealth, its records, or the history of a run with it, received ${quoted(given)}`,
    )
  if (found.length === 0) throw new DataError('plotHealth: no epoch is recorded yet')
  return found as readonly HealthRecord[]
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
  const { width, height, ...text } = readTyped('plotHealth', table(), options)
  const records = recordsOf(health)
  const names = [...new Set(records.flatMap(({ layers }) => layers.map(({ layer }) => layer)))]
  const panels = MEASURES.map(([title, of, isShare]): Panel => {
    const series = names.map((name, colour) => ({
      name,
      colour,
      dashed: colour >= 8,
      points: records.map(({ layers }, i) => {
        const layer = layers.find((each) => each.layer === name)
        return [i + 1, (layer === undefined ? null : of(layer)) ?? NaN] as const
      }),
    }))
    const measured = series.filter(({ points }) => points.some(([, y]) => Number.isFinite(y)))
    // A curve along the edge of a panel is hard to see.
    return { title, series: measured, log: !isShare, ...(isShare ? { range: { low: -0.03, high: 1.03 } } : {}) }
  }).filter(({ series }) => series.length > 0)
  const legend = names.map((name, colour) => ({ name, colour, dashed: colour >= 8, points: [] }))
  const drawn = drawPanels(panels, 'epoch', legend, { width, height })
  const words = panels.flatMap(({ title, series }) =>
    series.map((each) => saySeries(`${each.name}, ${title}`, each, 'epoch')),
  )
  return new Picture(picture({ width, height: drawn.height }, text, words.join(' '), drawn.body))
}
