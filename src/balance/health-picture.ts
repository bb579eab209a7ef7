// Draws health records: shares of units and changes of weights over the epochs.

import { drawPanels, saySeries, type Panel } from '../plot/drawing/panels'
import type { Drawing } from '../plot/drawing/picture'
import { HEAD, label, picture } from '../plot/drawing/svg'
import type { HealthRecord, LayerHealth } from './health-record'

export const HEALTH_TITLE = 'Health of units'
/** The width of the picture and the height of one panel. */
export const HEALTH_SIZE = { width: 720, height: 240 } as const

const MEASURES: readonly (readonly [title: string, of: (layer: LayerHealth) => number | null, isShare: boolean])[] = [
  ['dormant units', ({ dormant }) => dormant, true],
  ['dead units', ({ dead }) => dead, true],
  ['saturated units', ({ saturated }) => saturated, true],
  ['weight change per step', ({ updateRatio }) => updateRatio, false],
]

/** A panel for each measure, with a curve for each layer over the epochs. Without records, a sentence that says so. */
export function drawHealth(
  records: readonly HealthRecord[],
  { width, height }: { readonly width: number; readonly height: number } = HEALTH_SIZE,
  text: { readonly title: string; readonly description: string | null } = { title: HEALTH_TITLE, description: null },
): Drawing {
  if (records.length === 0) {
    const message = 'no epoch is recorded yet'
    return picture({ width, height: HEAD + 40 }, text, message, label(message, 'soft', { x: 16, y: HEAD + 16 }))
  }
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
  return picture({ width, height: drawn.height }, text, words.join(' '), drawn.body)
}
