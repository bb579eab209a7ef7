// Points of classes: their colours, marks and legend.

import { ArgumentError, DataError, ShapeError, formatShape } from '../core/errors'
import { toTensor } from '../ops/convert'
import type { Axes, Point } from './drawing/axes'
import { fill, type LegendEntry } from './drawing/lines'
import { coordinate, element } from './drawing/svg'

/** The class of each row, and the name of each class. */
export interface Classes {
  readonly of: ArrayLike<number>
  readonly names: readonly string[]
}

/**
 * @param labels class numbers [rows] or [rows, 1], or one-hot rows; null: all rows are of one class
 * @param plain the number of the colour without labels
 * @throws ShapeError for another number of rows; DataError for labels that are not class numbers; ArgumentError for too few names
 */
export function readClasses(
  where: string,
  labels: unknown,
  names: readonly string[] | null,
  rows: number,
  plain = 0,
): Classes {
  if (labels === null) return { of: new Int32Array(rows).fill(plain), names: [''] }
  const { data, shape } = toTensor(labels, `${where}: labels`)
  const [count, width = 1] = shape
  if (count !== rows || shape.length > 2)
    throw new ShapeError(
      `${where}: labels must be [${rows}] or one-hot rows [${rows}, classes], received ${formatShape(shape)}`,
    )
  const classOf = (row: number): number => {
    if (width === 1) return data[row]!
    let best = 0
    for (let i = 1; i < width; i++) if (data[row * width + i]! > data[row * width + best]!) best = i
    return best
  }
  const of = Array.from({ length: rows }, (_, row) => classOf(row))
  const wrong = of.findIndex((each) => !(Number.isInteger(each) && each >= 0 && each < 1000))
  if (wrong >= 0)
    throw new DataError(`${where}: labels must be class numbers from 0 on, received ${of[wrong]} in row ${wrong}`)
  const classes = Math.max(width, of.reduce((most, each) => Math.max(most, each), 0) + 1)
  if (names !== null && names.length < classes)
    throw new ArgumentError(`${where}: needs a name for each of ${classes} classes, received ${names.length}`)
  return { of, names: Array.from({ length: classes }, (_, i) => names?.[i] ?? String(i)) }
}

/** A circle for the first eight classes, which have eight colours, then a square, a triangle and a diamond. */
function markOf(index: number, x: number, y: number, r: number): string {
  const shapes = [
    `M${coordinate(x - r)} ${coordinate(y - r)}h${2 * r}v${2 * r}h${-2 * r}z`,
    `M${coordinate(x - r)} ${coordinate(y + r)}h${2 * r}l${-r} ${-2 * r}z`,
    `M${coordinate(x)} ${coordinate(y - r)}l${r} ${r}l${-r} ${r}l${-r} ${-r}z`,
  ]
  const shape = Math.floor(index / 8) % 4
  if (shape === 0) return element('circle', null, { cx: x, cy: y, r })
  return element('path', null, { d: shapes[shape - 1]! })
}

/** At most `most` rows, evenly chosen. */
export function chosenRows(rows: number, most: number): number[] {
  const count = Math.min(rows, most)
  return Array.from({ length: count }, (_, i) => Math.floor((i * rows) / count))
}

/** The points of some rows with an edge in the colour of the paper, class by class. */
export function drawPoints(
  axes: Axes,
  pointOf: (row: number) => Point,
  rows: readonly number[],
  { of }: Classes,
): string {
  const radius = rows.length > 600 ? 2.5 : 4
  const byClass = new Map<number, string[]>()
  for (const row of rows) {
    const [x, y] = pointOf(row)
    if (!Number.isFinite(x) || !Number.isFinite(y)) continue
    const marks = byClass.get(of[row]!) ?? []
    marks.push(markOf(of[row]!, axes.placeX(x), axes.placeY(y), radius))
    byClass.set(of[row]!, marks)
  }
  const groups = [...byClass].sort(([a], [b]) => a - b)
  const drawn = groups.map(([index, marks]) => element('g', fill(index), {}, marks.join('')))
  return element('g', 'edge', { 'stroke-width': 1 }, drawn.join(''))
}

export function classEntries({ names }: Classes): readonly LegendEntry[] {
  if (names.length === 1 && names[0] === '') return []
  return names.slice(0, 24).map((name, index) => ({
    name,
    key: (x, y) => element('g', fill(index), {}, markOf(index, x + 4, y, 5)),
  }))
}
