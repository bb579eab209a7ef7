// plotConfusionMatrix: how often each true class was predicted as each class.

import { merged } from '../core/merged'
import { requireArguments } from '../core/arguments'
import { listOf, nullable, option } from '../core/options'
import { readTyped } from '../ops/arguments'
import type { TensorLike } from '../ops/convert'
import { accuracyOf, confusionOf, sumOf } from './confusion'
import { widthOf } from './drawing/lines'
import { Picture } from './drawing/picture'
import { HEAD, element, label, picture, pictureTable, short, words, type PictureOptions } from './drawing/svg'

export interface PlotConfusionMatrixOptions extends PictureOptions {
  /** The names of the classes. Default: their numbers. */
  readonly names?: readonly string[] | null
}

const percent = (share: number): string => `${Math.round(100 * share)} %`

const table = () =>
  merged(pictureTable('Confusion matrix'), {
    names: option(nullable(listOf(words)), null),
  })

/**
 * A confusion matrix: a row for each true class, a column for each predicted one. Right answers are blue, errors orange; a
 * larger share of the row has a stronger colour.
 *
 *   const confusion = new metrics.ConfusionMatrix({ numClasses: 3 })
 *   model.compile({ loss: 'crossentropy', metrics: [confusion] })
 *   await model.evaluate(x, y)
 *   plotConfusionMatrix(confusion.result(), { names: ['Adelie', 'Chinstrap', 'Gentoo'] })
 *
 * @param matrix [classes, classes], numbers of samples or shares
 * @throws ShapeError for another shape; DataError for negative numbers and NaN; ArgumentError for another number of names
 */
export function plotConfusionMatrix(matrix: TensorLike, options: PlotConfusionMatrixOptions = {}): Picture {
  requireArguments('plotConfusionMatrix', arguments, 2)
  const { names: given, ...text } = readTyped('plotConfusionMatrix', table(), options)
  const confusion = confusionOf('plotConfusionMatrix', matrix, given)
  const { names, rows, isShare } = confusion
  const side = Math.max(4, Math.min(76, Math.floor(480 / names.length)))
  const size = side * names.length
  const room = Math.min(130, Math.max(...names.map((name) => widthOf(name.slice(0, 18)))))
  const [left, top] = [48 + room, HEAD + 12]
  // Names that would overlap are left out, or turned where they are longer than a cell.
  const every = Math.ceil(13 / side)
  const isTurned = Math.min(130, room) > side - 4
  const cells = rows.flatMap((row, i) => {
    const all = sumOf(row)
    return row.map((value, j) => {
      const share = all === 0 ? 0 : value / all
      const [x, y] = [left + j * side, top + i * side]
      const gap = side > 12 ? 1 : 0
      const box = { x: x + gap, y: y + gap, width: side - 2 * gap, height: side - 2 * gap, rx: side > 24 ? 4 : 0 }
      const middle = { x: x + side / 2, 'text-anchor': 'middle' }
      return [
        side > 12 ? element('rect', 'card', box) : '',
        share > 0 ? element('rect', i === j ? 'fill0' : 'fill1', { ...box, 'fill-opacity': 0.08 + 0.52 * share }) : '',
        side < 26 || value === 0
          ? ''
          : label(isShare ? percent(value) : short(value), 'ink', {
              ...middle,
              y: y + side / 2 + (side >= 44 && !isShare ? -1 : 4),
              'font-weight': i === j ? 600 : 400,
            }),
        side < 44 || isShare || value === 0
          ? ''
          : label(percent(share), 'ink', { ...middle, y: y + side / 2 + 15, 'font-size': 10 }),
      ].join('')
    })
  })
  const named = names.map((name, i) => {
    if (i % every !== 0) return ''
    const x = left + (i + 0.5) * side
    const turned = { x, y: top + size + 12, 'text-anchor': 'end', transform: `rotate(-45 ${x} ${top + size + 12})` }
    return [
      label(name, 'soft', { x: left - 8, y: top + (i + 0.5) * side + 4, 'text-anchor': 'end' }, 18),
      label(name, 'soft', isTurned ? turned : { x, y: top + size + 17, 'text-anchor': 'middle' }, 18),
    ].join('')
  })
  const foot = top + size + (isTurned ? 14 + room * 0.71 : 18)
  const accuracy = accuracyOf(confusion)
  const said = accuracy === null ? 'no samples' : `${percent(accuracy)} are right`
  const width = Math.max(260, left + size + 24)
  const body = [
    side > 12 ? '' : element('rect', 'card', { x: left, y: top, width: size, height: size }),
    ...cells,
    ...named,
    label('true class', 'ink', {
      x: -(top + size / 2),
      y: 22,
      'text-anchor': 'middle',
      transform: 'rotate(-90)',
    }),
    label(`predicted class (${said})`, 'ink', { x: left + size / 2, y: foot + 20, 'text-anchor': 'middle' }),
  ].join('')
  const numbers = rows.map((row, i) => {
    const of = row.flatMap((value, j) => (value === 0 ? [] : [`${short(value)} as ${names[j]}`]))
    return `${names[i]}: ${of.join(', ') || 'no samples'}`
  })
  return new Picture(picture({ width, height: foot + 36 }, text, `${said}. ${numbers.join('; ')}.`, body))
}
