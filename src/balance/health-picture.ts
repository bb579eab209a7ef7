// Displays health records: a table as text, a picture as SVG.

import { asciiXml } from '../core/text'
import { ENOUGH_ROWS } from './health-record'
import type { HealthRecord, LayerHealth } from './health-record'

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

const [WIDTH, HEIGHT] = [640, 300]
const FRAME = { left: 56, right: 190, top: 36, bottom: 44 }
/** Okabe & Ito 2008: distinguishable with colour blindness, readable on light and on dark backgrounds. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9']

const escaped = (text: string): string => text.replace(/[&<>"]/g, (each) => `&#${each.charCodeAt(0)};`)

/** One line per layer over the epochs: the share of dormant units, including dead ones. */
export function healthPicture(records: readonly HealthRecord[]): string {
  const names = [...new Set(records.flatMap(({ layers }) => layers.map(({ layer }) => layer)))]
  const [width, height] = [WIDTH - FRAME.left - FRAME.right, HEIGHT - FRAME.top - FRAME.bottom]
  const x = (i: number): string =>
    (FRAME.left + (records.length < 2 ? 0 : (width * i) / (records.length - 1))).toFixed(1)
  const y = (share: number): string => (FRAME.top + height * (1 - share)).toFixed(1)
  const shareOf = (name: string, { layers }: HealthRecord): number | undefined =>
    layers.find(({ layer }) => layer === name)?.dormant
  const lines = names.map((name, i) => {
    const points = records.flatMap((record, at) => {
      const share = shareOf(name, record)
      return share === undefined ? [] : [`${x(at)},${y(share)}`]
    })
    const colour = COLOURS[i % COLOURS.length]!
    const last =
      records
        .map((record) => shareOf(name, record))
        .filter((share) => share !== undefined)
        .at(-1) ?? null
    const label = `<text x="${FRAME.left + width + 32}" y="${FRAME.top + 14 + 18 * i}" fill="currentColor">${escaped(name)} ${percent(last)}</text>`
    const key = `<line x1="${FRAME.left + width + 10}" x2="${FRAME.left + width + 26}" y1="${FRAME.top + 10 + 18 * i}" y2="${FRAME.top + 10 + 18 * i}" stroke="${colour}" stroke-width="3"/>`
    const marks =
      points.length === 1
        ? `<circle cx="${points[0]!.split(',')[0]}" cy="${points[0]!.split(',')[1]}" r="3" fill="${colour}"/>`
        : ''
    return `<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>${marks}${key}${label}`
  })
  const grid = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const line = `<line x1="${FRAME.left}" x2="${FRAME.left + width}" y1="${y(share)}" y2="${y(share)}" stroke="currentColor" stroke-opacity="0.2"/>`
    return `${line}<text x="${FRAME.left - 8}" y="${Number(y(share)) + 4}" text-anchor="end" fill="currentColor">${percent(share)}</text>`
  })
  const summary = names
    .map((name) => `${name}: ${records.map((record) => percent(shareOf(name, record) ?? null)).at(-1)}`)
    .join(', ')
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" font-family="system-ui, sans-serif" font-size="12" color="#777">`,
    '<title>Dormant units by epoch</title>',
    `<desc>The share of dormant units in each layer over ${records.length} epochs. Last epoch: ${escaped(summary)}.</desc>`,
    `<text x="${FRAME.left}" y="20" font-size="14" fill="currentColor">Dormant units</text>`,
    ...grid,
    `<text x="${FRAME.left}" y="${HEIGHT - 16}" fill="currentColor">${records.length === 0 ? 'no epoch yet' : 'epoch 1'}</text>`,
    `<text x="${FRAME.left + width}" y="${HEIGHT - 16}" text-anchor="end" fill="currentColor">${records.length < 2 ? '' : records.length}</text>`,
    ...lines,
    '</svg>',
  ]
  return asciiXml(parts.join('\n'))
}
