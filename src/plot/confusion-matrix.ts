// plotConfusionMatrix: how often each true class was predicted as each class.

import { merged } from '../core/merged'
import { requireArguments } from '../core/arguments'
import { listOf, nullable, option, readOptions } from '../core/options'
import type { TensorLike } from '../ops/convert'
import { accuracyOf, confusionOf, sumOf, type Confusion } from './confusion'
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
  const { names: classNames, ...text } = readOptions('plotConfusionMatrix', table(), options)
  const confusion = confusionOf('plotConfusionMatrix', matrix, classNames)
  const { names, rows } = confusion
  const grid = gridOf(names)
  const { left, top, side, size } = grid
  const foot = top + size + (grid.isTurned ? 14 + grid.room * 0.71 : 18)
  const accuracy = accuracyOf(confusion)
  const share = accuracy === null ? 'no samples' : `${percent(accuracy)} are right`
  const body = [
    side > 12 ? '' : element('rect', 'card', { x: left, y: top, width: size, height: size }),
    ...rows.flatMap((row, i) => drawRow(row, i, confusion, grid)),
    ...names.map((name, i) => drawName(name, i, grid)),
    label('true class', 'ink', {
      x: -(top + size / 2),
      y: 22,
      'text-anchor': 'middle',
      transform: 'rotate(-90)',
    }),
    label(`predicted class (${share})`, 'ink', { x: left + size / 2, y: foot + 20, 'text-anchor': 'middle' }),
  ].join('')
  const numbers = rows.map((row, i) => {
    const predicted = row.flatMap((value, j) => (value === 0 ? [] : [`${short(value)} as ${names[j]}`]))
    return `${names[i]}: ${predicted.join(', ') || 'no samples'}`
  })
  const extent = { width: Math.max(260, left + size + 24), height: foot + 36 }
  return new Picture(picture(extent, text, `${share}. ${numbers.join('; ')}.`, body))
}

/** Where the cells and the names of the classes lie. */
interface Grid {
  readonly left: number
  readonly top: number
  /** Of a cell, and of the whole matrix. */
  readonly side: number
  readonly size: number
  /** The width of the names. */
  readonly room: number
  /** Names below that are longer than a cell are turned. */
  readonly isTurned: boolean
}

function gridOf(names: readonly string[]): Grid {
  const side = Math.max(4, Math.min(76, Math.floor(480 / names.length)))
  const room = Math.min(130, Math.max(...names.map((name) => widthOf(name.slice(0, 18)))))
  return { left: 48 + room, top: HEAD + 12, side, size: side * names.length, room, isTurned: room > side - 4 }
}

/** The cells of true class i. */
function drawRow(row: readonly number[], i: number, { isShare }: Confusion, { left, top, side }: Grid): string[] {
  const all = sumOf(row)
  const y = top + i * side
  return row.map((value, j) => {
    const share = all === 0 ? 0 : value / all
    const x = left + j * side
    const gap = side > 12 ? 1 : 0
    const box = { x: x + gap, y: y + gap, width: side - 2 * gap, height: side - 2 * gap, rx: side > 24 ? 4 : 0 }
    const middle = { x: x + side / 2, 'text-anchor': 'middle' }
    const hasShare = side >= 44 && !isShare
    return [
      side > 12 ? element('rect', 'card', box) : '',
      share > 0 ? element('rect', i === j ? 'fill0' : 'fill1', { ...box, 'fill-opacity': 0.08 + 0.52 * share }) : '',
      side < 26 || value === 0
        ? ''
        : label(isShare ? percent(value) : short(value), 'ink', {
            ...middle,
            y: y + side / 2 + (hasShare ? -1 : 4),
            'font-weight': i === j ? 600 : 400,
          }),
      hasShare && value !== 0 ? label(percent(share), 'ink', { ...middle, y: y + side / 2 + 15, 'font-size': 10 }) : '',
    ].join('')
  })
}

/** The name of a class beside its row and below its column; names that would overlap are left out. */
function drawName(name: string, i: number, { left, top, side, size, isTurned }: Grid): string {
  if (i % Math.ceil(13 / side) !== 0) return ''
  const [x, bottom] = [left + (i + 0.5) * side, top + size]
  const turned = { x, y: bottom + 12, 'text-anchor': 'end', transform: `rotate(-45 ${x} ${bottom + 12})` }
  return [
    label(name, 'soft', { x: left - 8, y: top + (i + 0.5) * side + 4, 'text-anchor': 'end' }, 18),
    label(name, 'soft', isTurned ? turned : { x, y: bottom + 17, 'text-anchor': 'middle' }, 18),
  ].join('')
}
