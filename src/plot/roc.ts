// plotRoc: true against false positives over all thresholds.

import { merged } from '../core/merged'
import { requireArguments } from '../core/arguments'
import { ArgumentError, DataError, ShapeError, formatShape } from '../core/errors'
import { count, listOf, nullable, option, readOptions } from '../core/options'
import { classesOf } from '../explain/labels'
import { toTensor, type TensorLike } from '../ops/convert'
import { Axes, type Point } from './drawing/axes'
import { drawLegend, drawSeries, seriesEntry, type Series } from './drawing/lines'
import { Picture } from './drawing/picture'
import { HEAD, element, picture, pictureTable, short, words, type PictureOptions } from './drawing/svg'

export interface PlotRocOptions extends PictureOptions {
  /** The names of the classes. Default: their numbers. */
  readonly names?: readonly string[] | null
  /** The side of the square of the curves. Default 340. */
  readonly width?: number
}

const table = () =>
  merged(pictureTable('ROC curve'), {
    names: option(nullable(listOf(words)), null),
    width: option(count, 340),
  })

/**
 * The curve of a score that is higher for positives, and the area below it: the share of pairs of a positive and a negative
 * whose scores are in the right order; equal scores count half.
 */
export function rocOf(scores: readonly number[], isPositive: readonly boolean[]): { points: Point[]; area: number } {
  const order = scores.map((_, i) => i).sort((a, b) => scores[b]! - scores[a]!)
  const positives = isPositive.filter(Boolean).length
  const negatives = scores.length - positives
  const points: Point[] = [[0, 0]]
  let [right, wrong, area] = [0, 0, 0]
  order.forEach((row, at) => {
    if (isPositive[row]!) right++
    else wrong++
    // Equal scores have no order: one straight line for all of them.
    if (at + 1 < order.length && scores[order[at + 1]!] === scores[row]) return
    const [x, y] = points.at(-1)!
    const point: Point = [wrong / negatives, right / positives]
    area += ((point[0] - x) * (point[1] + y)) / 2
    points.push(point)
  })
  return { points, area }
}

/** Leaves out the points within straight steps, then keeps every n-th point and the last: the curve only rises. */
function fewer(points: readonly Point[], most: number): readonly Point[] {
  const isWithin = (i: number): boolean =>
    i > 0 &&
    [0, 1].some((axis) => points[i - 1]![axis] === points[i]![axis] && points[i]![axis] === points[i + 1]?.[axis])
  const corners = points.filter((_, i) => !isWithin(i))
  const every = Math.ceil(corners.length / most)
  return corners.filter((_, i) => i % every === 0 || i === corners.length - 1)
}

/**
 * The ROC curve of a classifier, and the area below it. For several classes: a curve for each class against all others.
 *
 *   plotRoc(await model.predict(x), y)
 *
 * @param probabilities [rows, classes], or scores of class 1 [rows] or [rows, 1]; any scores that are higher for the class
 * @param labels class numbers [rows], or one-hot rows
 * @throws DataError for labels of one class, and for scores that are NaN; ShapeError for shapes that do not fit
 */
export function plotRoc(probabilities: TensorLike, labels: TensorLike, options: PlotRocOptions = {}): Picture {
  requireArguments('plotRoc', arguments, 3)
  const { names, width: side, ...text } = readOptions('plotRoc', table(), options)
  const scores = toTensor(probabilities, 'plotRoc: probabilities', 'float32')
  const [rows = 0, columns = 1] = scores.shape
  if (scores.rank < 1 || scores.rank > 2 || scores.size === 0)
    throw new ShapeError(
      `plotRoc: probabilities must be [rows] or [rows, classes], received ${formatShape(scores.shape)}`,
    )
  const wrong = scores.data.findIndex((each: number) => Number.isNaN(each))
  if (wrong >= 0) throw new DataError(`plotRoc: a score is NaN in row ${Math.floor(wrong / columns)}`)
  const classes = classesOf('plotRoc', labels, scores)
  const count = Math.max(2, columns)
  if (names !== null && names.length !== count)
    throw new ArgumentError(`plotRoc: needs a name for each of ${count} classes, received ${names.length}`)
  if (new Set(classes).size < 2)
    throw new DataError('plotRoc: all labels are of one class. The curve needs samples of at least two classes.')
  // With two classes, the curve of class 1 is enough.
  const shown = count === 2 ? [1] : [...new Set(classes)].sort((a, b) => a - b)
  const curves = shown.map((index) => {
    const column = columns === 1 ? 0 : index
    const scoresOfClass = Array.from({ length: rows }, (_, row) => scores.data[row * columns + column]!)
    return {
      index,
      ...rocOf(
        scoresOfClass,
        Array.from(classes, (each) => each === index),
      ),
    }
  })
  const series = curves.map(({ index, area, points }, i): Series => {
    const name = names?.[index] ?? (count === 2 ? 'class 1' : String(index))
    return { name: `${name}: area ${short(area)}`, colour: i, dashed: i >= 8, points: fewer(points, 4 * side) }
  })
  const width = side + 80
  const legend = drawLegend(series.map(seriesEntry), 16, HEAD + 12, width - 32)
  const box = { left: 56, top: HEAD + 8 + legend.height, width: side, height: side }
  const axes = new Axes(box, { low: 0, high: 1 }, { low: 0, high: 1 })
  const diagonal: Point[] = [
    [0, 0],
    [1, 1],
  ]
  const body = [
    legend.svg,
    axes.draw('false positives', 'true positives'),
    element('path', 'axis', { d: axes.line(diagonal), fill: 'none', 'stroke-dasharray': '5 4' }),
    ...series.map((each) => drawSeries(axes, each)),
  ].join('')
  const content = `Area below the curve, from 0.5 for chance to 1. ${series.map(({ name }) => name).join('; ')}. ${rows} samples.`
  return new Picture(picture({ width, height: box.top + side + 48 }, text, content, body))
}
