// plotProjection: rows of activations in the plane of their two principal components.

import { merged } from '../core/merged'
import { requireArguments } from '../core/arguments'
import { DataError, ShapeError, formatShape } from '../core/errors'
import { count, listOf, nullable, option, readOptions } from '../core/options'
import { toTensor, type TensorLike } from '../ops/convert'
import { Axes } from './drawing/axes'
import { drawLegend } from './drawing/lines'
import { Picture } from './drawing/picture'
import { principalComponents } from './principal'
import { rangeOf } from './drawing/scales'
import { chosenRows, classEntries, drawPoints, readClasses } from './scatter'
import { HEAD, dataOption, picture, pictureTable, short, words, type PictureOptions } from './drawing/svg'

export interface PlotProjectionOptions extends PictureOptions {
  /** The classes of the rows, which choose the colours: class numbers or one-hot rows. Default none. */
  readonly labels?: TensorLike | null
  /** The names of the classes. Default: their numbers. */
  readonly names?: readonly string[] | null
  /** How many rows are shown, evenly chosen. Default 2000. */
  readonly most?: number
  /** Default 560. */
  readonly width?: number
  /** Default 460. */
  readonly height?: number
}

const table = () =>
  merged(pictureTable('Principal components'), {
    labels: dataOption,
    names: option(nullable(listOf(words)), null),
    most: option(count, 2000),
    width: option(count, 560),
    height: option(count, 460),
  })

/**
 * Rows in the plane of their largest variance (principal component analysis), in the colours of their classes. Classes that a layer
 * separates appear as separate groups.
 *
 *   const hidden = new Model({ inputs: model.inputs, outputs: model.getLayer('hidden').output })
 *   plotProjection(await hidden.predict(x), { labels: y })
 *
 * The directions are found from at most 2000 rows.
 * @param activations [rows, …]; further axes are joined
 * @throws ShapeError for less than two axes or another number of labels; DataError for NaN
 */
export function plotProjection(activations: TensorLike, options: PlotProjectionOptions = {}): Picture {
  requireArguments('plotProjection', arguments, 2)
  const { labels, names, most, width, height, ...text } = readOptions('plotProjection', table(), options)
  const { data, shape, size } = toTensor(activations, 'plotProjection', 'float32')
  const [rows = 0] = shape
  if (shape.length < 2 || size === 0)
    throw new ShapeError(`plotProjection: needs rows of numbers, [rows, features], received ${formatShape(shape)}`)
  const columns = size / rows
  const wrong = data.findIndex((each: number) => !Number.isFinite(each))
  if (wrong >= 0)
    throw new DataError(
      `plotProjection: activations must be finite, received ${data[wrong]} in row ${Math.floor(wrong / columns)}`,
    )
  const classes = readClasses('plotProjection', labels, names, rows)
  const { scores, shares } = principalComponents(data, rows, columns, chosenRows(rows, 2000))
  const shown = chosenRows(rows, most)
  const legend = drawLegend(classEntries(classes), 16, HEAD + 12, width - 32)
  const top = HEAD + 6 + legend.height
  const axes = new Axes(
    { left: 64, top, width: width - 84, height: Math.max(80, height - top - 48) },
    rangeOf(shown.map((row) => scores[2 * row]!)),
    rangeOf(shown.map((row) => scores[2 * row + 1]!)),
  )
  const percents = shares.map((share) => `${short(100 * share)} % of the variance`)
  const body = [
    legend.svg,
    axes.draw(`component 1 (${percents[0]})`, `component 2 (${percents[1]})`),
    drawPoints(axes, (row) => [scores[2 * row]!, scores[2 * row + 1]!], shown, classes),
  ].join('')
  const content = `${shown.length} of ${rows} rows with ${columns} numbers in two dimensions: ${percents.join(' and ')}.`
  return new Picture(picture({ width, height: top + Math.max(80, height - top - 48) + 48 }, text, content, body))
}
