// textConfusionMatrix: how often each true class was predicted as each class, for terminals.

import { merged } from '../core/merged'
import { requireArguments } from '../core/arguments'
import { listOf, nullable, option, readOptions } from '../core/options'
import type { TensorLike } from '../ops/convert'
import { accuracyOf, confusionOf, sumOf } from './confusion'
import { short, words } from './drawing/svg'
import { colourTable, hasColours, painted } from './terminal'

export interface TextConfusionMatrixOptions {
  /** The names of the classes. Default: their numbers. */
  readonly names?: readonly string[] | null
  /** Whether the text has colours. Default null: if the terminal has them and NO_COLOR is not set. */
  readonly colours?: boolean | null
}

/** The text of a cell without samples. */
const NONE = '·'
/** Codes of colours for terminals. */
const [GREY, GREEN, YELLOW] = [90, 32, 33]

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
  const table = merged(colourTable, { names: option(nullable(listOf(words)), null) })
  const { names: classNames, colours: wanted } = readOptions('textConfusionMatrix', table, options)
  const colours = wanted ?? hasColours()
  const confusion = confusionOf('textConfusionMatrix', matrix, classNames)
  const names = confusion.names.map((name) => (name.length > 16 ? `${name.slice(0, 15)}…` : name))
  const cells = confusion.rows.map((row) => row.map((each) => (each === 0 ? NONE : short(each))))
  const widths = names.map((name, j) => Math.max(name.length, ...cells.map((row) => row[j]!.length)))
  const room = Math.max('true'.length, ...names.map(({ length }) => length))
  const lines = cells.map((row, i) => {
    const [all, right] = [sumOf(confusion.rows[i]!), confusion.rows[i]![i]!]
    const numbers = row.map((text, j) => {
      const code = i === j ? GREEN : YELLOW
      return painted(text.padStart(widths[j]! + 2), text === NONE ? GREY : code, colours)
    })
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
