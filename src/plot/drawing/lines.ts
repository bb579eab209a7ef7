// Curves of series: gaps where a number is missing, thinned where points are denser than pixels, and their legend.

import type { Axes, Point } from './axes'
import type { Colour } from './colours'
import { element, label } from './svg'

export interface Series {
  readonly name: string
  readonly points: readonly Point[]
  /** The number of the colour. */
  readonly colour: number
  readonly dashed?: boolean
  /** An area around the curve: its lower and its upper edge. */
  readonly band?: { readonly low: readonly Point[]; readonly high: readonly Point[] }
}

/** The parts of a curve between NaN and ±Infinity. */
function segmentsOf(points: readonly Point[]): Point[][] {
  const segments: Point[][] = [[]]
  for (const point of points) {
    if (point.every(Number.isFinite)) segments.at(-1)!.push(point)
    else if (segments.at(-1)!.length > 0) segments.push([])
  }
  return segments.filter(({ length }) => length > 0)
}

/** The first, the lowest, the highest and the last of each group of neighbours, so that no spike is lost. */
export function thinned(points: readonly Point[], most: number): readonly Point[] {
  if (points.length <= most) return points
  const groups = Math.max(1, Math.floor(most / 4))
  return Array.from({ length: groups }, (_, group) => {
    const start = Math.floor((group * points.length) / groups)
    const end = Math.floor(((group + 1) * points.length) / groups)
    let [low, high] = [start, start]
    for (let i = start; i < end; i++) {
      if (points[i]![1] < points[low]![1]) low = i
      if (points[i]![1] > points[high]![1]) high = i
    }
    const kept = [...new Set([start, low, high, end - 1])].sort((a, b) => a - b)
    return kept.map((i) => points[i]!)
  }).flat()
}

/** The area of a series. */
export function drawBand(axes: Axes, { colour, band }: Series): string {
  if (band === undefined) return ''
  const [low, high] = [band.low, band.high].map((edge) => edge.filter((point) => point.every(Number.isFinite)))
  if (low!.length < 2) return ''
  const d = `${axes.line([...high!, ...low!.toReversed()])}Z`
  return element('path', fill(colour), { d, 'fill-opacity': 0.16 })
}

/** The curve of a series; a part of one point is a dot. */
export function drawSeries(axes: Axes, { points, colour, dashed = false }: Series): string {
  return segmentsOf(points)
    .map((segment) => {
      const [x, y] = segment[0]!
      if (segment.length === 1) return element('circle', fill(colour), { cx: axes.placeX(x), cy: axes.placeY(y), r: 3 })
      return element('path', line(colour), {
        d: axes.line(thinned(segment, 4 * Math.ceil(axes.box.width))),
        fill: 'none',
        'stroke-width': 2,
        'stroke-linejoin': 'round',
        ...(dashed ? { 'stroke-dasharray': '5 3' } : {}),
      })
    })
    .join('')
}

export const fill = (colour: number): Colour => `fill${colour % 8}`
export const line = (colour: number): Colour => `line${colour % 8}`

/** The approximate width of a text in pixels. */
export const widthOf = (text: string, size = 12): number => Array.from(text).length * size * 0.56

export interface LegendEntry {
  readonly name: string
  /** The key, drawn around (x, y), 20 wide. */
  key(x: number, y: number): string
}

/** Entries in lines of at most a width. */
export function drawLegend(
  entries: readonly LegendEntry[],
  left: number,
  top: number,
  width: number,
): { readonly svg: string; readonly height: number } {
  const MOST = 28
  let [x, y] = [left, top]
  const parts = entries.map(({ name, key }) => {
    const wide = 28 + widthOf(name.slice(0, MOST)) + 14
    if (x > left && x + wide > left + width) [x, y] = [left, y + 20]
    const part = key(x + 10, y - 4) + label(name, 'ink', { x: x + 26, y }, MOST)
    x += wide
    return part
  })
  return { svg: parts.join(''), height: entries.length === 0 ? 0 : y - top + 20 }
}

export function seriesEntry({ name, colour, dashed = false }: Series): LegendEntry {
  return {
    name,
    key: (x, y) =>
      element('path', line(colour), {
        d: `M${x - 10} ${y}h20`,
        fill: 'none',
        'stroke-width': 3,
        ...(dashed ? { 'stroke-dasharray': '5 3' } : {}),
      }),
  }
}
