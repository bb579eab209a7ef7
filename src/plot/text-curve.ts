// textCurve: the curves of a training run for terminals.

import { merged } from '../core/merged'
import { requireArguments } from '../core/arguments'
import { ArgumentError, DataError } from '../core/errors'
import { integer, listOf, nullable, option, readOptions } from '../core/options'
import { curvesOf, type HistoryLike } from './curves'
import { rangeOf, type Range } from './drawing/scales'
import { short, words } from './drawing/svg'
import { CODES, colourTable, hasColours, painted } from './terminal'

export interface TextCurveOptions {
  /** The names that are shown. Default: `loss` and `valLoss`, or all if there are none. */
  readonly names?: readonly string[] | null
  /** Characters in a line of dots. Default 60. */
  readonly width?: number
  /** Lines. Default 10. */
  readonly height?: number
  /** Whether the text has colours. Default null: if the terminal has them and NO_COLOR is not set. */
  readonly colours?: boolean | null
}

/** The bits of a Braille character, by line and column of its dots. */
const DOTS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const
/** The marks of the curves without colours; the first one has dots instead. */
const MARKS = ['', '·', '+', '×', '°', '*']

/**
 * Curves of a training run for a terminal, drawn with the dots of Braille characters.
 *
 *   console.log(textCurve(history))
 *
 * @throws ArgumentError for values that are not a history, and for a name that the history does not have; DataError for an empty one
 */
export function textCurve(history: HistoryLike | readonly number[], options: TextCurveOptions = {}): string {
  requireArguments('textCurve', arguments, 2)
  const table = merged(colourTable, {
    names: option(nullable(listOf(words)), null),
    width: option(integer({ min: 8, max: 1000 }), 60),
    height: option(integer({ min: 2, max: 200 }), 10),
  })
  const { names, width, height, colours: wanted } = readOptions('textCurve', table, options)
  const colours = wanted ?? hasColours()
  const curves = curvesOf('textCurve', isNumbers(history) ? { values: history } : history)
  const shown = namesShown([...curves.keys()], names)
  const series = shown.map((name) => curves.get(name)!)
  const all = series.flatMap(({ values }) => values)
  if (!all.some(Number.isFinite)) throw new DataError('textCurve: no number is finite')
  const rangeX = rangeOf(
    series.flatMap(({ xs }) => xs),
    0,
  )
  const rangeY = rangeOf(all, 0)
  const cells = Array.from({ length: height }, () => Array.from({ length: width }, (): Cell => ({ bits: 0, owner: 0 })))
  series.forEach((curve, owner) => drawCurve(cells, owner, curve, rangeX, rangeY))
  const [most, least] = [short(rangeY.high), short(rangeY.low)]
  const room = Math.max(most.length, least.length)
  const lines = cells.map((line, i) => {
    const number = i === height - 1 ? least : ''
    const text = line.map((cell) => characterOf(cell, colours)).join('')
    return `${(i === 0 ? most : number).padStart(room)} ┤${text.replace(/ +$/, '')}`
  })
  const foot = `${' '.repeat(room)} └${'─'.repeat(width)}`
  const ends = `${short(rangeX.low)}${'epoch'.padStart(width / 2 + 1).padEnd(width - 1 - short(rangeX.high).length)}${short(rangeX.high)}`
  const key = shown.map((name, i) => {
    const mark = colours || i === 0 ? '⠤⠤' : markOf(i).repeat(2)
    return `${painted(mark, CODES[i % CODES.length]!, colours)} ${name} ${short(curves.get(name)!.values.at(-1)!)}`
  })
  return [...lines, foot, `${' '.repeat(room + 2)}${ends}`, `${' '.repeat(room + 2)}${key.join('   ')}`].join('\n')
}

const isNumbers = (history: HistoryLike | readonly number[]): history is readonly number[] => Array.isArray(history)

/** The names of the curves that are shown. @throws ArgumentError for a name that the history does not have */
function namesShown(known: readonly string[], names: readonly string[] | null): readonly string[] {
  const unknown = names?.find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new ArgumentError(`textCurve: the history has no '${unknown}'. It has: ${known.join(', ')}`)
  const losses = known.filter((name) => /^(val_?)?loss$/i.test(name))
  return names ?? (losses.length > 0 ? losses : known)
}

/** A character of the picture: its dots, and the number of the curve that set the first of them. */
interface Cell {
  bits: number
  owner: number
}

/** Sets the dots of a curve, whose points are joined by straight lines. A number that is not finite is a gap. */
function drawCurve(
  cells: readonly (readonly Cell[])[],
  owner: number,
  { xs, values }: { readonly xs: readonly number[]; readonly values: readonly number[] },
  rangeX: Range,
  rangeY: Range,
): void {
  const [width, height] = [2 * cells[0]!.length, 4 * cells.length]
  const place = (i: number): [number, number] => [
    Math.round(((xs[i]! - rangeX.low) / (rangeX.high - rangeX.low)) * (width - 1)),
    Math.round((1 - (values[i]! / 2 - rangeY.low / 2) / (rangeY.high / 2 - rangeY.low / 2)) * (height - 1)),
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
}

function characterOf({ bits, owner }: Cell, colours: boolean): string {
  if (bits === 0) return ' '
  const text = colours || owner === 0 ? String.fromCharCode(0x2800 + bits) : markOf(owner)
  return painted(text, CODES[owner % CODES.length]!, colours)
}

/** The mark of the second and later curves without colours. */
const markOf = (curve: number): string => MARKS[curve % MARKS.length] || '·'
