// plotDecision: the predictions of a model of two features, everywhere in the plane.

import { merged } from '../core/merged'
import { requireArguments } from '../core/arguments'
import { ArgumentError, ShapeError, formatShape, quoted } from '../core/errors'
import { count, integer, listOf, nullable, option, readOptions } from '../core/options'
import { Model } from '../models/model'
import { tensor, toTensor, type TensorLike } from '../ops/convert'
import { Tensor } from '../ops/tensor'
import { Axes } from './drawing/axes'
import { drawLegend, fill, type LegendEntry } from './drawing/lines'
import { Picture } from './drawing/picture'
import { pngUri } from './png'
import { rangeOf, type Range } from './drawing/scales'
import { chosenRows, classEntries, drawPoints, readClasses } from './scatter'
import { sharesOf, surface } from './surface'
import { HEAD, dataOption, element, picture, pictureTable, short, words, type PictureOptions } from './drawing/svg'

export interface PlotDecisionOptions extends PictureOptions {
  /** The classes of the rows, which choose the colours: class numbers or one-hot rows. Default none. */
  readonly labels?: TensorLike | null
  /** The names of the classes. Default: their numbers. */
  readonly names?: readonly string[] | null
  /** The names of the two columns. */
  readonly columns?: readonly string[]
  /** How many rows are shown, evenly chosen. Default 1000. */
  readonly most?: number
  /** The number of predictions along an axis, at most 512. Default 96. */
  readonly resolution?: number
  /** Default 480. */
  readonly width?: number
  /** Default 440. */
  readonly height?: number
}

const table = () =>
  merged(pictureTable('Decisions'), {
    labels: dataOption,
    names: option(nullable(listOf(words)), null),
    columns: option(listOf(words, 2), ['column 0', 'column 1']),
    most: option(count, 1000),
    resolution: option(integer({ min: 2, max: 512 }), 96),
    width: option(count, 480),
    height: option(count, 440),
  })

/** The number of the colour of points without labels. */
const GREY = 6
/** The surface is paler than the points on it. */
const OPACITY = 0.45

/** The colour of the lowest or the highest number. */
const numberEntry = (value: number, colour: number): LegendEntry => ({
  name: `answer ${short(value)}`,
  key: (x, y) =>
    element('rect', fill(colour), { x: x - 4, y: y - 6, width: 16, height: 12, rx: 2, 'fill-opacity': OPACITY }),
})

/**
 * The answers of a model with two input columns, as colours in the plane, with rows of data as points.
 *
 *   const picture = await plotDecision(model, x, { labels: y, columns: ['bill', 'flipper'] })
 *
 * The model answers [rows, classes], or one number per row: a probability of class 1, or any number.
 * @param x [rows, 2], which also determines the range of the axes
 * @throws ArgumentError for values that are not a model; ShapeError for another number of columns or labels
 */
export async function plotDecision(model: Model, x: TensorLike, options: PlotDecisionOptions = {}): Promise<Picture> {
  requireArguments('plotDecision', arguments, 3)
  const { labels, names, columns, most, resolution, width, height, ...text } = readOptions(
    'plotDecision',
    table(),
    options,
  )
  if (!(model instanceof Model)) throw new ArgumentError(`plotDecision: needs a model, received ${quoted(model)}`)
  const { data, shape } = toTensor(x, 'plotDecision: x', 'float32')
  const [rows = 0] = shape
  if (shape.length !== 2 || shape[1] !== 2 || rows === 0)
    throw new ShapeError(`plotDecision: x must be [rows, 2], received ${formatShape(shape)}`)
  const classes = readClasses('plotDecision', labels, names, rows, GREY)
  const rangeOfColumn = (column: number): Range =>
    rangeOf(
      Array.from({ length: rows }, (_, row) => data[2 * row + column]!),
      0.08,
    )
  const [rangeX, rangeY] = [rangeOfColumn(0), rangeOfColumn(1)]
  // The centres of the pixels, row by row from the top.
  const middle = (i: number, { low, high }: Range): number => low + ((i + 0.5) / resolution) * (high - low)
  const grid = Array.from({ length: resolution ** 2 }, (_, i) => [
    middle(i % resolution, rangeX),
    middle(resolution - 1 - Math.floor(i / resolution), rangeY),
  ])
  const answers: unknown = await model.predict(tensor(grid), { verbose: 0 })
  if (!(answers instanceof Tensor) || answers.rank > 2)
    throw new ShapeError('plotDecision: the model must answer [rows, classes] or a number per row')
  const shares = sharesOf(answers.data, answers.size / resolution ** 2)
  const numbers = shares.range === null ? [] : [shares.range.low, shares.range.high].map(numberEntry)
  const legend = drawLegend([...classEntries(classes), ...numbers], 16, HEAD + 12, width - 32)
  const top = HEAD + 6 + legend.height
  const box = { left: 64, top, width: width - 84, height: Math.max(80, height - top - 48) }
  const axes = new Axes(box, rangeX, rangeY)
  const shown = chosenRows(rows, most)
  const body = [
    legend.svg,
    element('image', null, {
      x: box.left,
      y: box.top,
      width: box.width,
      height: box.height,
      href: pngUri(surface(shares, resolution ** 2), resolution, resolution),
      preserveAspectRatio: 'none',
      opacity: OPACITY,
    }),
    axes.draw(columns[0]!, columns[1]!),
    drawPoints(axes, (row) => [data[2 * row]!, data[2 * row + 1]!], shown, classes),
  ].join('')
  const content = `The answers of ${model.name} for ${columns[0]} from ${short(rangeX.low)} to ${short(rangeX.high)} and ${columns[1]} from ${short(rangeY.low)} to ${short(rangeY.high)}, with ${shown.length} of ${rows} rows.`
  return new Picture(picture({ width, height: top + box.height + 48 }, text, content, body))
}
