// plotText: tokens on the colours of their attributions.

import { merged } from '../core/merged'
import { requireArguments } from '../core/arguments'
import { ArgumentError, quoted } from '../core/errors'
import { count, integer, option, readOptions } from '../core/options'
import { attributionRows, requireFinite, signed } from './contributions'
import { readExplanation, type ExplanationLike } from './read-explanation'
import { Picture } from './drawing/picture'
import { HEAD, element, label, picture, pictureTable, short, type PictureOptions } from './drawing/svg'

export interface PlotTextOptions extends PictureOptions {
  /** Which row of [rows, tokens]. Default 0. */
  readonly row?: number
  /** Default 720. */
  readonly width?: number
}

const table = () =>
  merged(pictureTable('Which words count'), {
    row: option(integer({ min: 0 }), 0),
    width: option(count, 720),
  })

const [MARGIN, SIZE, LINE] = [20, 15, 30]
/** The opacity of the strongest attribution, at which the text is still readable. */
const MOST_COVER = 0.6

/**
 * A text whose words are orange where they raise the answer and blue where they lower it. The colour is the stronger, the larger the
 * attribution is. The numbers are in tooltips and in the description.
 *
 *   const { attributions } = await integratedGradients(model, ids)        // [rows, tokens]
 *   plotText(['not', 'a', 'good', 'film'], attributions, { row: 0 })
 *
 * @param tokens the words; positions after them are padding, which is reported as one number
 * @param explanation what a method of `myelin/explain` returns for the tokens, or its attributions [tokens] or [rows, tokens]
 * @throws ArgumentError for more tokens than attributions, and a row that does not exist; ShapeError for attributions of another
 *   rank; DataError for an attribution that is NaN or infinite
 */
export function plotText(
  tokens: readonly string[],
  explanation: ExplanationLike,
  options: PlotTextOptions = {},
): Picture {
  const where = 'plotText'
  requireArguments(where, arguments, 3)
  const { row, width, ...text } = readOptions(where, table(), options)
  if (!Array.isArray(tokens) || tokens.length === 0 || tokens.some((token) => typeof token !== 'string'))
    throw new ArgumentError(`${where}: needs a list of words, received ${quoted(tokens)}`)
  const read = attributionRows(where, readExplanation(where, explanation).attributions, null)
  if (row >= read.rows) throw new ArgumentError(`${where}: row must be in 0 … ${read.rows - 1}, received ${row}`)
  const positions = read.names.length
  if (tokens.length > positions)
    throw new ArgumentError(`${where}: there are ${tokens.length} words, but attributions of ${positions} positions`)
  requireFinite(where, read, row)
  const values = read.names.map((_, position) => read.at(row, position))
  const padding = values.slice(tokens.length).reduce((sum, value) => sum + value, 0)
  const largest = values.slice(0, tokens.length).reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1
  let [x, y] = [MARGIN, HEAD + 24]
  const drawn = tokens.map((token: string, i) => {
    const value = values[i]!
    const wide = widthOfWord(token) + 8
    if (x > MARGIN && x + wide > width - MARGIN) [x, y] = [MARGIN, y + LINE]
    const box = {
      x,
      y: y - 16,
      width: wide,
      height: 23,
      rx: 4,
      'fill-opacity': (MOST_COVER * Math.abs(value)) / largest,
    }
    const part =
      element('rect', value >= 0 ? 'more' : 'less', box) +
      label(token, 'ink', { x: x + wide / 2, y, 'font-size': SIZE, 'text-anchor': 'middle' })
    x += wide + 3
    return element('g', null, {}, element('title', null, {}, signed(value)) + part)
  })
  const foot = y + 32
  const sums = `${short(-largest)} … +${short(largest)}${positions > tokens.length ? `, padding ${signed(padding)}` : ''}`
  const key = [
    ...[-1, -0.5, 0.5, 1].map((share, i) =>
      element('rect', share > 0 ? 'more' : 'less', {
        x: MARGIN + 16 * i,
        y: foot - 10,
        width: 14,
        height: 12,
        rx: 2,
        'fill-opacity': MOST_COVER * Math.abs(share),
      }),
    ),
    label(sums, 'soft', { x: MARGIN + 74, y: foot }),
  ]
  const contents = tokens.map((token: string, i) => `${token}: ${short(values[i]!)}`).join('; ')
  return new Picture(picture({ width, height: foot + 18 }, text, `${contents}. ${sums}.`, [...drawn, ...key].join('')))
}

/** Widths of letters as shares of the font size; the first row that has the letter counts. */
const WIDTHS = [
  // East Asian scripts, and all characters that Unicode has behind them.
  { letters: /[\u2e81-\uffff]/, width: 1.05 },
  { letters: /[mwMW@%]/, width: 0.85 },
  { letters: /[iljtfr.,;:!'|()[\] ]/, width: 0.34 },
  { letters: /[A-Z]/, width: 0.68 },
]
const OTHER_WIDTH = 0.56

/** The approximate width of a word. */
function widthOfWord(word: string): number {
  let sum = 0
  for (const letter of word) sum += WIDTHS.find(({ letters }) => letters.test(letter))?.width ?? OTHER_WIDTH
  return sum * SIZE
}
