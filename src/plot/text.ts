// Pictures for terminals: sparklines, curves of dots, confusion matrices. The SVGs are in the other files.

import { requireArguments } from '../core/arguments'
import { ArgumentError, DataError, quoted } from '../core/errors'
import { boolean, count, integer, listOf, nullable, option } from '../core/options'
import { readTyped } from '../ops/arguments'
import type { TensorLike } from '../ops/convert'
import { nodeProcess } from '../runtime/platform'
import { accuracyOf, confusionOf, sumOf } from './confusion-matrix'
import type { HistoryLike } from './history'
import { curvesOf } from './history'
import { rangeOf } from './scales'
import { short, words } from './svg'

/** Whether the terminal shows colours: not if NO_COLOR is set (https://no-color.org), nor in files and pipes. */
function hasColours(): boolean {
  const { env = {}, stdout } = nodeProcess() ?? {}
  if ((env['NO_COLOR'] ?? '') !== '') return false
  if ((env['FORCE_COLOR'] ?? '0') !== '0') return true
  return stdout?.isTTY === true && env['TERM'] !== 'dumb'
}

const ESCAPE = '\u001b['
/** Cyan, yellow, green, magenta, blue, red. */
const CODES = [36, 33, 32, 35, 34, 31]
const painted = (text: string, code: number, colours: boolean): string =>
  colours && text.trim() !== '' ? `${ESCAPE}${code}m${text}${ESCAPE}0m` : text

const colourTable = { colours: option(nullable(boolean), null) }
const BARS = '▁▂▃▄▅▆▇█'

/** The mean of each of at most `most` groups of neighbours; NaN where a group has no number. */
function averaged(values: readonly number[], most: number): number[] {
  if (values.length <= most) return [...values]
  return Array.from({ length: most }, (_, i) => {
    const from = Math.floor((i * values.length) / most)
    const group = values.slice(from, Math.floor(((i + 1) * values.length) / most)).filter(Number.isFinite)
    return group.length === 0 ? NaN : group.reduce((sum, each) => sum + each / group.length, 0)
  })
}

/**
 * Numbers as a line of bars, from the lowest to the highest: `█▆▄▃▂▁`. A missing number is a blank, and numbers that are all
 * equal are bars of half the height.
 *
 *   sparkline(history.history.loss)
 *
 * @param options width: the most characters; more numbers are averaged. Default 40
 */
export function sparkline(values: ArrayLike<number>, options: { readonly width?: number } = {}): string {
  requireArguments('sparkline', arguments, 2)
  const { width } = readTyped('sparkline', { width: option(count, 40) }, options)
  if (typeof values !== 'object' || values === null || typeof values.length !== 'number')
    throw new ArgumentError(`sparkline: needs a list of numbers, received ${quoted(values)}`)
  const shown = averaged(Array.from(values, Number), width)
  const { low, high } = rangeOf(shown, 0)
  const isFlat = !shown.some((each) => Number.isFinite(each) && each !== shown.find(Number.isFinite))
  return shown
    .map((each) => {
      if (!Number.isFinite(each)) return ' '
      return isFlat ? BARS[3] : BARS[Math.min(7, Math.floor(((each / 2 - low / 2) / (high / 2 - low / 2)) * 8))]
    })
    .join('')
}

export interface TextCurveOptions {
  /** The names that are shown. Default: `loss` and `valLoss`, or all if there are none. */
  readonly names?: readonly string[] | null
  /** Characters in a line of dots. Default 60. */
  readonly width?: number
  /** Lines. Default 10. */
  readonly height?: number
  /** Default null: if the terminal has them and NO_COLOR is not set. */
  readonly colours?: boolean | null
}

/** The bits of a Braille character, by line and column of its dots. */
const DOTS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const
/** Without colours, the second and later curves. */
const MARKS = ['', '·', '+', '×', '°', '*']

/**
 * Curves of a training run for a terminal, drawn with the dots of Braille characters.
 *
 *   console.log(textCurve(history))
 *
 * @throws ArgumentError for what is no history or has no such name; DataError for an empty one
 */
export function textCurve(history: HistoryLike | readonly number[], options: TextCurveOptions = {}): string {
  requireArguments('textCurve', arguments, 2)
  const table = {
    ...colourTable,
    names: option(nullable(listOf(words)), null),
    width: option(integer({ min: 8, max: 1000 }), 60),
    height: option(integer({ min: 2, max: 200 }), 10),
  }
  const { names, width, height, colours: wanted } = readTyped('textCurve', table, options)
  const colours = wanted ?? hasColours()
  const curves = curvesOf('textCurve', Array.isArray(history) ? { values: history } : (history as HistoryLike))
  const known = [...curves.keys()]
  const unknown = names?.find((name) => !curves.has(name))
  if (unknown !== undefined)
    throw new ArgumentError(`textCurve: the history has no '${unknown}'. It has: ${known.join(', ')}`)
  const losses = known.filter((name) => /^(val_?)?loss$/i.test(name))
  const shown = names ?? (losses.length > 0 ? losses : known)
  const series = shown.map((name) => curves.get(name)!)
  const all = series.flatMap(({ values }) => values)
  if (!all.some(Number.isFinite)) throw new DataError('textCurve: no number is finite')
  const [rangeX, rangeY] = [
    rangeOf(
      series.flatMap(({ xs }) => xs),
      0,
    ),
    rangeOf(all, 0),
  ]
  const cells = Array.from({ length: height }, () => Array.from({ length: width }, () => ({ bits: 0, owner: 0 })))
  series.forEach(({ xs, values }, owner) => {
    const place = (i: number): [number, number] => [
      Math.round(((xs[i]! - rangeX.low) / (rangeX.high - rangeX.low)) * (2 * width - 1)),
      Math.round((1 - (values[i]! / 2 - rangeY.low / 2) / (rangeY.high / 2 - rangeY.low / 2)) * (4 * height - 1)),
    ]
    const dot = (x: number, y: number): void => {
      const cell = cells[Math.floor(y / 4)]![Math.floor(x / 2)]!
      if (cell.bits === 0) cell.owner = owner
      cell.bits |= DOTS[y % 4]![x % 2]!
    }
    values.forEach((value, i) => {
      if (!Number.isFinite(value)) return
      const [x, y] = place(i)
      dot(x, y)
      if (i === 0 || !Number.isFinite(values[i - 1]!)) return
      const [fromX, fromY] = place(i - 1)
      const steps = Math.max(Math.abs(x - fromX), Math.abs(y - fromY))
      for (let s = 1; s < steps; s++)
        dot(Math.round(fromX + ((x - fromX) * s) / steps), Math.round(fromY + ((y - fromY) * s) / steps))
    })
  })
  const character = ({ bits, owner }: { bits: number; owner: number }): string => {
    if (bits === 0) return ' '
    const text = !colours && owner > 0 ? MARKS[owner % MARKS.length]! || '·' : String.fromCharCode(0x2800 + bits)
    return painted(text, CODES[owner % CODES.length]!, colours)
  }
  const [most, least] = [short(rangeY.high), short(rangeY.low)]
  const room = Math.max(most.length, least.length)
  const lines = cells.map((line, i) => {
    const number = i === 0 ? most : i === height - 1 ? least : ''
    return `${number.padStart(room)} ┤${line.map(character).join('').replace(/ +$/, '')}`
  })
  const foot = `${' '.repeat(room)} └${'─'.repeat(width)}`
  const ends = `${short(rangeX.low)}${'epoch'.padStart(width / 2 + 1).padEnd(width - 1 - short(rangeX.high).length)}${short(rangeX.high)}`
  const key = shown.map((name, i) => {
    const mark = colours || i === 0 ? '⠤⠤' : `${MARKS[i % MARKS.length] || '·'}`.repeat(2)
    return `${painted(mark, CODES[i % CODES.length]!, colours)} ${name} ${short(curves.get(name)!.values.at(-1)!)}`
  })
  return [...lines, foot, `${' '.repeat(room + 2)}${ends}`, `${' '.repeat(room + 2)}${key.join('   ')}`].join('\n')
}

export interface TextConfusionMatrixOptions {
  /** Of the classes. Default their numbers. */
  readonly names?: readonly string[] | null
  /** Default null: if the terminal has them and NO_COLOR is not set. */
  readonly colours?: boolean | null
}

/**
 * A confusion matrix for a terminal: a line for each true class, a column for each predicted one.
 *
 *   console.log(textConfusionMatrix(confusion.result(), { names: ['Adelie', 'Chinstrap', 'Gentoo'] }))
 *
 * @param matrix [classes, classes], numbers of samples or shares
 * @throws ShapeError for another shape; DataError for negative numbers and NaN; ArgumentError for another number of names
 */
export function textConfusionMatrix(matrix: TensorLike, options: TextConfusionMatrixOptions = {}): string {
  requireArguments('textConfusionMatrix', arguments, 2)
  const table = { ...colourTable, names: option(nullable(listOf(words)), null) }
  const { names: given, colours: wanted } = readTyped('textConfusionMatrix', table, options)
  const colours = wanted ?? hasColours()
  const confusion = confusionOf('textConfusionMatrix', matrix, given)
  const names = confusion.names.map((name) => (name.length > 16 ? `${name.slice(0, 15)}…` : name))
  const cells = confusion.rows.map((row) => row.map((each) => (each === 0 ? '·' : short(each))))
  const widths = names.map((name, j) => Math.max(name.length, ...cells.map((row) => row[j]!.length)))
  const room = Math.max('true'.length, ...names.map(({ length }) => length))
  const lines = cells.map((row, i) => {
    const [all, right] = [sumOf(confusion.rows[i]!), confusion.rows[i]![i]!]
    const numbers = row.map((text, j) =>
      painted(text.padStart(widths[j]! + 2), text === '·' ? 90 : i === j ? 32 : 33, colours),
    )
    return `${names[i]!.padStart(room)} │${numbers.join('')}  │ ${all === 0 ? '–' : `${Math.round((100 * right) / all)} %`.padStart(5)}`
  })
  const accuracy = accuracyOf(confusion)
  return [
    `${'true'.padStart(room)} │${names.map((name, j) => name.padStart(widths[j]! + 2)).join('')}  │ right`,
    `${'─'.repeat(room + 1)}┼${'─'.repeat(widths.reduce((sum, each) => sum + each + 2, 2))}┼──────`,
    ...lines,
    `${' '.repeat(room)}   columns: predicted${accuracy === null ? '' : `; ${Math.round(1000 * accuracy) / 10} % of all are right`}`,
  ].join('\n')
}
