// plotForgetting: what remains of earlier tasks after each later one.

import { merged } from '../core/merged'
import { requireArguments } from '../core/arguments'
import { ArgumentError, DataError, quoted } from '../core/errors'
import { listOf, nullable, option } from '../core/options'
import { readTyped } from '../ops/arguments'
import { widthOf } from './drawing/lines'
import { Picture } from './drawing/picture'
import { HEAD, element, label, picture, pictureTable, words, type PictureOptions } from './drawing/svg'

export interface PlotForgettingOptions extends PictureOptions {
  /** The names of the tasks. Default: 1, 2, … */
  readonly names?: readonly string[] | null
}

const table = () =>
  merged(pictureTable('What is remembered'), {
    names: option(nullable(listOf(words)), null),
  })

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`

/**
 * A row for each task after which was measured, a column for each task on which: the darker, the better. Below: the mean of the
 * last row, and the mean forgetting, Σ_j (max_i a_ij − a_nj) / (n − 1) over the tasks before the last.
 *
 *   plotForgetting([[0.99], [0.31, 0.98], [0.12, 0.44, 0.99]], { names: ['0/1', '2/3', '4/5'] })
 *
 * @param accuracies for each task i, the accuracies 0 … 1 on tasks 0 … i, or on all
 * @throws ArgumentError for values that are not lists of numbers, and another number of names; DataError for numbers outside of
 *   0 … 1 and rows that are too short
 * Chaudhry et al. 2018, "Riemannian walk for incremental learning".
 */
export function plotForgetting(
  accuracies: readonly (readonly number[])[],
  options: PlotForgettingOptions = {},
): Picture {
  const where = 'plotForgetting'
  requireArguments(where, arguments, 2)
  const { names: given, ...text } = readTyped(where, table(), options)
  const rows = readAccuracies(where, accuracies)
  const tasks = rows.length
  if (given !== null && given.length !== tasks)
    throw new ArgumentError(`${where}: needs a name for each of ${tasks} tasks, received ${given.length}`)
  const names = given ?? rows.map((_, i) => String(i + 1))
  const side = Math.max(30, Math.min(76, Math.floor(480 / tasks)))
  const room = Math.min(130, Math.max(...names.map((name) => widthOf(name.slice(0, 18)))))
  const [left, top, size] = [48 + room, HEAD + 12, side * tasks]
  const cells = rows.flatMap((row, i) =>
    names.map((_, j) => {
      const value = row[j]
      const [x, y] = [left + j * side, top + i * side]
      const box = { x: x + 1, y: y + 1, width: side - 2, height: side - 2, rx: 4 }
      return [
        element('rect', 'card', box),
        value === undefined ? '' : element('rect', 'fill0', { ...box, 'fill-opacity': 0.55 * value }),
        value === undefined
          ? ''
          : label(side < 44 ? (100 * value).toFixed(0) : percent(value), j > i ? 'soft' : 'ink', {
              x: x + side / 2,
              y: y + side / 2 + 4,
              'text-anchor': 'middle',
              'font-weight': i === j ? 600 : 400,
            }),
      ].join('')
    }),
  )
  const named = names.map((name, i) => {
    const at = (i + 0.5) * side
    const below = { x: left + at, y: top + size + 17, 'text-anchor': 'middle' }
    return (
      label(name, 'soft', { x: left - 8, y: top + at + 4, 'text-anchor': 'end' }, 18) +
      label(name, 'soft', below, Math.max(3, Math.floor(side / 7)))
    )
  })
  const last = rows.at(-1)!.slice(0, tasks)
  const mean = last.reduce((sum, value) => sum + value, 0) / tasks
  const lost = last.slice(0, -1).map((value, j) => Math.max(...rows.slice(j, -1).map((row) => row[j]!)) - value)
  const forgotten = lost.reduce((sum, value) => sum + value, 0) / Math.max(1, lost.length)
  const sums = `at the end ${percent(mean)} on average${tasks < 2 ? '' : `, ${(100 * forgotten).toFixed(0)} points forgotten`}`
  const foot = top + size + 38
  const middle = { x: left + size / 2, 'text-anchor': 'middle' }
  const width = Math.max(300, left + size + 24)
  const body = [
    ...cells,
    ...named,
    label('after the task', 'ink', {
      x: -(top + size / 2),
      y: 22,
      'text-anchor': 'middle',
      transform: 'rotate(-90)',
    }),
    label('accuracy on the task', 'ink', { ...middle, y: foot }),
    label(sums, 'soft', { x: width / 2, 'text-anchor': 'middle', y: foot + 20 }),
  ].join('')
  const said = rows.map(
    (row, i) => `After ${names[i]}: ${row.map((value, j) => `${names[j]} ${percent(value)}`).join(', ')}.`,
  )
  return new Picture(picture({ width, height: foot + 34 }, text, `${sums}. ${said.join(' ')}`, body))
}

function readAccuracies(where: string, given: unknown): readonly (readonly number[])[] {
  if (!Array.isArray(given) || given.length === 0)
    throw new ArgumentError(`${where}: needs a list of accuracies for each task, received ${quoted(given)}`)
  return given.map((row: unknown, i) => {
    const isList = Array.isArray(row) || (ArrayBuffer.isView(row) && 'length' in row)
    if (!isList) throw new ArgumentError(`${where}: row ${i} must be a list of numbers, received ${quoted(row)}`)
    const values = Array.from(row as ArrayLike<number>)
    if (values.length !== i + 1 && values.length !== given.length)
      throw new DataError(
        `${where}: row ${i} must have the accuracies on ${i + 1} or all ${given.length} tasks, received ${values.length}`,
      )
    const wrong = values.find((value) => !(value >= 0 && value <= 1))
    if (wrong !== undefined)
      throw new DataError(`${where}: accuracies must lie in 0 … 1, received ${quoted(wrong)} in row ${i}`)
    return values
  })
}
