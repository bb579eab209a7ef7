// Several plots of curves side by side, such as metrics over epochs.

import { Axes, type Point } from './axes'
import { drawBand, drawLegend, drawSeries, seriesEntry, widthOf, type Series } from './lines'
import { logRangeOf, rangeOf } from './scales'
import { HEAD, compact, label, short } from './svg'

export interface Panel {
  readonly title: string
  readonly series: readonly Series[]
  readonly log?: boolean
  /** Writes the last numbers at the upper right. */
  readonly showsLast?: boolean
  /** The lowest and the highest number of the y axis. Default: from the numbers. */
  readonly range?: { readonly low: number; readonly high: number }
}

const MARGIN = { left: 56, right: 16, head: 24, foot: 48 }

/**
 * Panels with one x axis, two or three in a line, below a legend of all series.
 * @param height of one panel
 */
export function drawPanels(
  panels: readonly Panel[],
  nameX: string,
  legend: readonly Series[],
  { width, height }: { readonly width: number; readonly height: number },
): { readonly body: string; readonly height: number } {
  const key = drawLegend(legend.map(seriesEntry), 16, HEAD + 12, width - 32)
  const columns = panels.length === 3 && width >= 660 ? 3 : Math.min(2, panels.length)
  const wide = width / columns
  const top = HEAD + key.height
  const xs = rangeOf(
    panels.flatMap(({ series }) => series.flatMap(({ points }) => points.map(([x]) => x))),
    0,
  )
  const drawn = panels.map(({ title, series, log = false, range, showsLast = false }, i) => {
    const box = {
      left: (i % columns) * wide + MARGIN.left,
      top: top + Math.floor(i / columns) * height + MARGIN.head,
      width: wide - MARGIN.left - MARGIN.right,
      height: height - MARGIN.head - MARGIN.foot,
    }
    const numbers = series.flatMap(({ points, band }) =>
      [points, band?.low ?? [], band?.high ?? []].flat().map(([, y]) => y),
    )
    const logRange = log ? logRangeOf(numbers) : null
    const axes = new Axes(box, xs, range ?? logRange ?? rangeOf(numbers), { log: logRange !== null, whole: true })
    const positive = (points: readonly Point[]): readonly Point[] => points.map(([x, y]) => [x, y > 0 ? y : NaN])
    const shown = series.map((each): Series => {
      const { points, band } = each
      if (logRange === null) return each
      const around = band && { low: positive(band.low), high: positive(band.high) }
      return { ...each, points: positive(points), ...(around === undefined ? {} : { band: around }) }
    })
    const last = series.map(({ points }) => points.findLast(([, y]) => Number.isFinite(y))?.[1])
    const all = last.map((y) => (y === undefined ? '–' : compact(y))).join(' / ')
    const ends = showsLast && widthOf(title, 14) + widthOf(all) < box.width ? all : ''
    return [
      ends === '' ? '' : label(ends, 'soft', { x: box.left + box.width, y: box.top - 9, 'text-anchor': 'end' }),
      label(title, 'ink', { x: box.left, y: box.top - 9, 'font-weight': 600 }, Math.floor(box.width / 7)),
      axes.draw(nameX, null),
      ...shown.map((each) => drawBand(axes, each)),
      ...shown.map((each) => drawSeries(axes, each)),
    ].join('')
  })
  return {
    body: key.svg + drawn.join(''),
    height: top + Math.ceil(panels.length / columns) * height + 4,
  }
}

/** The numbers of a series for screen readers: at most eleven, evenly chosen, with the last. */
export function saySeries(name: string, { points }: Series, x: string): string {
  const MOST = 10
  const every = Math.max(1, Math.ceil(points.length / MOST))
  const chosen = points.filter((_, i) => i % every === 0 || i === points.length - 1)
  return `${name}: ${chosen.map(([at, y]) => `${x} ${short(at)} ${Number.isFinite(y) ? short(y) : 'missing'}`).join(', ')}.`
}
