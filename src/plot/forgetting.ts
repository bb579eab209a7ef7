// plotForgetting: what remains of earlier tasks after each later one.

import { merged } from '../core/merged'
import { requireArguments } from '../core/arguments'
import { ArgumentError, DataError, quoted } from '../core/errors'
import { listOf, nullable, option, readOptions } from '../core/options'
import { isList } from './curves'
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
 * The accuracies as a table: row i shows those that were measured after training on task i, and column j those on task j. Higher
 * accuracies are darker. Below: the mean of the last row, and the mean forgetting, Σ_j (max_i a_ij − a_nj) / (n − 1) over the tasks
 * before the last.
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
  const { names: taskNames, ...text } = readOptions(where, table(), options)
  const rows = readAccuracies(where, accuracies)
  const tasks = rows.length
  if (taskNames !== null && taskNames.length !== tasks)
    throw new ArgumentError(`${where}: needs a name for each of ${tasks} tasks, received ${taskNames.length}`)
  const names = taskNames ?? rows.map((_, i) => String(i + 1))
  const side = Math.max(30, Math.min(76, Math.floor(480 / tasks)))
  const room = Math.min(130, Math.max(...names.map((name) => widthOf(name.slice(0, 18)))))
  const grid = { left: 48 + room, top: HEAD + 12, side }
  const { left, top } = grid
  const size = side * tasks
  const sums = summaryOf(rows)
  const foot = top + size + 38
  const width = Math.max(300, left + size + 24)
  const body = [
    ...rows.flatMap((row, i) => names.map((_, j) => drawCell(row[j], i, j, grid))),
    ...names.map((name, i) => drawName(name, i, tasks, grid)),
    label('after the task', 'ink', {
      x: -(top + size / 2),
      y: 22,
      'text-anchor': 'middle',
      transform: 'rotate(-90)',
    }),
    label('accuracy on the task', 'ink', { x: left + size / 2, 'text-anchor': 'middle', y: foot }),
    label(sums, 'soft', { x: width / 2, 'text-anchor': 'middle', y: foot + 20 }),
  ].join('')
  const sentences = rows.map(
    (row, i) => `After ${names[i]}: ${row.map((value, j) => `${names[j]} ${percent(value)}`).join(', ')}.`,
  )
  return new Picture(picture({ width, height: foot + 34 }, text, `${sums}. ${sentences.join(' ')}`, body))
}

/** Where the cells of the table lie. */
interface Grid {
  readonly left: number
  readonly top: number
  readonly side: number
}

/** The cell for the accuracy on task j after task i; undefined: it was not measured. */
function drawCell(value: number | undefined, i: number, j: number, { left, top, side }: Grid): string {
  const [x, y] = [left + j * side, top + i * side]
  const box = { x: x + 1, y: y + 1, width: side - 2, height: side - 2, rx: 4 }
  const card = element('rect', 'card', box)
  if (value === undefined) return card
  const text = side < 44 ? (100 * value).toFixed(0) : percent(value)
  return [
    card,
    element('rect', 'fill0', { ...box, 'fill-opacity': 0.55 * value }),
    label(text, j > i ? 'soft' : 'ink', {
      x: x + side / 2,
      y: y + side / 2 + 4,
      'text-anchor': 'middle',
      'font-weight': i === j ? 600 : 400,
    }),
  ].join('')
}

/** The name of a task beside its row and below its column. */
function drawName(name: string, i: number, tasks: number, { left, top, side }: Grid): string {
  const at = (i + 0.5) * side
  const below = { x: left + at, y: top + tasks * side + 17, 'text-anchor': 'middle' }
  return (
    label(name, 'soft', { x: left - 8, y: top + at + 4, 'text-anchor': 'end' }, 18) +
    label(name, 'soft', below, Math.max(3, Math.floor(side / 7)))
  )
}

/** The mean accuracy at the end, and the mean forgetting. */
function summaryOf(rows: readonly (readonly number[])[]): string {
  const tasks = rows.length
  const last = rows.at(-1)!.slice(0, tasks)
  const mean = last.reduce((sum, value) => sum + value, 0) / tasks
  const lost = last.slice(0, -1).map((value, j) => Math.max(...rows.slice(j, -1).map((row) => row[j]!)) - value)
  const forgotten = lost.reduce((sum, value) => sum + value, 0) / Math.max(1, lost.length)
  return `at the end ${percent(mean)} on average${tasks < 2 ? '' : `, ${(100 * forgotten).toFixed(0)} points forgotten`}`
}

function readAccuracies(where: string, accuracies: unknown): readonly (readonly number[])[] {
  if (!Array.isArray(accuracies) || accuracies.length === 0)
    throw new ArgumentError(`${where}: needs a list of accuracies for each task, received ${quoted(accuracies)}`)
  return accuracies.map((row: unknown, i) => {
    if (!isList(row)) throw new ArgumentError(`${where}: row ${i} must be a list of numbers, received ${quoted(row)}`)
    if (row.length !== i + 1 && row.length !== accuracies.length)
      throw new DataError(
        `${where}: row ${i} must have the accuracies on ${i + 1} or all ${accuracies.length} tasks, received ${row.length}`,
      )
    const values = Array.from(row, Number)
    const wrong = values.findIndex((value) => !(value >= 0 && value <= 1))
    if (wrong >= 0)
      throw new DataError(`${where}: accuracies must lie in 0 … 1, received ${quoted(row[wrong])} in row ${i}`)
    return values
  })
}
