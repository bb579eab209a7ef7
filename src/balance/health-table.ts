// Health records as a table of text. health-picture.ts draws them.

import { ENOUGH_ROWS, type HealthRecord, type LayerHealth } from './health-record'

const percent = (share: number | null): string => (share === null ? '–' : `${(100 * share).toFixed(0)} %`)

function short(value: number | null): string {
  if (value === null) return '–'
  return value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(1) : value.toPrecision(3)
}

/** `≥` marks a lower bound: more rows could show a larger rank. */
function rankText({ rank, rankRows, units }: LayerHealth): string {
  if (rank === null) return '–'
  return rankRows < ENOUGH_ROWS * units && rank < units ? `≥ ${rank}` : String(rank)
}

const COLUMNS: readonly (readonly [title: string, of: (layer: LayerHealth) => string])[] = [
  ['layer', ({ layer }) => layer],
  ['units', ({ units }) => String(units)],
  ['dead', ({ dead }) => percent(dead)],
  ['saturated', ({ saturated }) => percent(saturated)],
  ['dormant', ({ dormant }) => percent(dormant)],
  ['mean |h|', ({ activity, spread }) => `${short(activity)} ± ${short(spread)}`],
  ['utility', ({ utility, utilitySpread }) => (utility === null ? '–' : `${short(utility)} ± ${short(utilitySpread)}`)],
  ['rank', rankText],
  ['‖w‖', ({ weightNorm }) => short(weightNorm)],
  ['‖g‖', ({ gradientNorm }) => short(gradientNorm)],
  ['‖Δw‖/‖w‖', ({ updateRatio }) => short(updateRatio)],
]

/** One line per layer, then the advice, then the layers that are left out. */
export function healthTable(
  record: HealthRecord | undefined,
  advice: readonly string[],
  leftOut: Readonly<Record<string, string>>,
): string {
  if (record === undefined) return 'No health recorded yet.'
  const rows = [COLUMNS.map(([title]) => title), ...record.layers.map((layer) => COLUMNS.map(([, of]) => of(layer)))]
  const widths = COLUMNS.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)))
  const lines = rows.map((row) =>
    row
      .map((text, i) => (i === 0 ? text.padEnd(widths[i]!) : text.padStart(widths[i]!)))
      .join('  ')
      .trimEnd(),
  )
  const others = Object.entries(leftOut).map(([layer, why]) => `Left out: ${layer} (${why})`)
  return [lines, advice, others]
    .filter((part) => part.length > 0)
    .map((part) => part.join('\n'))
    .join('\n\n')
}
