// Attributions of named features as bars, to the right for more and to the left for less.

import { merged } from '../core/merged'
import { requireArguments } from '../core/arguments'
import { count, integer, listOf, nullable, number, option, readOptions } from '../core/options'
import { contributionsOf, sayContributions, signed, type Contribution } from './contributions'
import { readExplanation, type ExplanationLike, type ExplanationParts } from './read-explanation'
import type { Drawing } from './drawing/picture'
import {
  HEAD,
  coordinate,
  element,
  label,
  picture,
  pictureTable,
  short,
  words,
  type PictureOptions,
} from './drawing/svg'

export interface AttributionBarsOptions extends PictureOptions {
  /** The names of the features. Default: those of the columns of a table, or of inputs, else their positions. */
  readonly names?: readonly string[] | null
  /** Which row of [rows, features]. Default 0. */
  readonly row?: number
  /** How many features are shown; the others become one bar. Default 15. */
  readonly most?: number
  /** The number that is explained, printed below the bars. Default: that of the explanation. */
  readonly value?: number | null
  /** The number for the baseline, printed beside it. Default: that of the explanation. */
  readonly baseValue?: number | null
}

const table = (title: string) =>
  merged(pictureTable(title), {
    names: option(nullable(listOf(words)), null),
    row: option(integer({ min: 0 }), 0),
    most: option(count, 15),
    value: option(nullable(number()), null),
    baseValue: option(nullable(number()), null),
  })

const WIDTH = 640
const NAMES = 190
/** For the numbers at the ends of the bars: up to nine characters, such as −0.000139. */
const NUMBERS = 72
const STEP = 24

/**
 * Signed attributions as bars with their names, the largest first; importances with their standard deviations.
 *
 *   attributionBars(attributions, { names: ['age', 'income'], title: 'Why 0.83?' })
 *   attributionBars(await permutationImportance(model, rows, 'survived'))
 *
 * @param explanation what a method of `myelin/explain` returns, or attributions: [features], or [rows, features] of which one row is
 *   shown
 * @returns an SVG, as text: readable on light and dark pages
 * @throws ShapeError for attributions that are not rows of features; ArgumentError for another number of names; DataError for an
 *   attribution that is NaN or infinite
 */
export function attributionBars(explanation: ExplanationLike, options: AttributionBarsOptions = {}): string {
  requireArguments('attributionBars', arguments, 2)
  return drawBars('attributionBars', readExplanation('attributionBars', explanation), options, true).svg
}

/** @param fluid whether the picture is as wide as its place in the page */
export function drawBars(
  where: string,
  explanation: ExplanationParts,
  options: AttributionBarsOptions,
  fluid = false,
): Drawing {
  const { importance, attributions } = explanation
  const title = importance === null ? 'What the answer is made of' : 'How much worse without each feature'
  const { names, row, most, ...others } = readOptions(where, table(title), options)
  const { value: chosenValue, baseValue: chosenBase, ...text } = others
  const value = chosenValue ?? explanation.value?.data[row] ?? null
  const baseValue = chosenBase ?? explanation.baseValue?.data[row] ?? null
  const bars = contributionsOf(where, attributions, {
    names: names ?? explanation.names,
    row,
    most,
    deviations: importance?.deviations.data ?? null,
  })
  const drawn = contributionBars(bars, { left: 0, top: HEAD + 8, width: WIDTH })
  const { bottom, zero } = drawn
  const sums =
    importance === null
      ? [
          ...(baseValue === null ? [] : [`baseline ${short(baseValue)}`]),
          ...(value === null ? [] : [`answer ${short(value)}`]),
        ].join(' → ')
      : `score with all features ${short(importance.score)}`
  const body =
    drawn.svg + (sums === '' ? '' : label(sums, 'soft', { x: zero, y: bottom + 16, 'text-anchor': 'middle' }))
  return picture(
    { width: WIDTH, height: bottom + (sums === '' ? 12 : 30), fluid },
    text,
    `${importance === null ? 'Contributions' : 'Losses of score without each feature, ± their standard deviation'}, the largest first. ${sayContributions(bars)}.${sums === '' ? '' : ` ${sums}.`}`,
    body,
  )
}

/** Bars in a column, with their names to the left and their numbers at their ends. */
export function contributionBars(
  bars: readonly Contribution[],
  { left: start, top, width }: { readonly left: number; readonly top: number; readonly width: number },
): { readonly svg: string; readonly bottom: number; readonly zero: number } {
  // A bar reaches to the end of its deviation.
  const ends = bars.flatMap(({ value, deviation = 0 }) => [value - deviation, value + deviation, value])
  const largest = Math.max(...ends.map(Math.abs)) || 1
  const [left, right] = [Math.max(0, ...ends.map((end) => -end)) / largest, Math.max(0, ...ends) / largest]
  const room = width - NAMES - 16 - (left > 0 ? NUMBERS : 8) - (right > 0 ? NUMBERS : 8)
  const scale = room / (left + right || 1) / largest
  const zero = start + NAMES + (left > 0 ? NUMBERS : 8) + left * largest * scale
  const drawn = bars.map(({ name, value, isRest, deviation = 0 }, i) => {
    const y = top + i * STEP
    const size = Math.abs(value) * scale
    const isMore = value >= 0
    const end = zero + (value + (isMore ? 1 : -1) * deviation) * scale
    return [
      label(name, isRest ? 'soft' : 'ink', { x: start + NAMES - 8, y: y + 13, 'text-anchor': 'end' }, 26),
      element('rect', isMore ? 'more' : 'less', {
        x: isMore ? zero : zero - size,
        y,
        width: size,
        height: STEP - 6,
        rx: 2,
      }),
      deviation === 0 ? '' : whisker(zero + (value - deviation) * scale, zero + (value + deviation) * scale, y),
      label(signed(value), 'ink', {
        x: isMore ? Math.max(zero, end) + 6 : Math.min(zero, end) - 6,
        y: y + 13,
        'text-anchor': isMore ? 'start' : 'end',
      }),
    ].join('')
  })
  const bottom = top + bars.length * STEP
  const axis = element('path', 'axis', { d: `M${coordinate(zero)} ${top - 8}V${bottom}`, fill: 'none' })
  return { svg: drawn.join('') + axis, bottom, zero }
}

/** The interval of a deviation, in the middle of a bar. */
function whisker(from: number, to: number, top: number): string {
  const middle = top + (STEP - 6) / 2
  const [left, right] = [coordinate(from), coordinate(to)]
  return element('path', 'axis', {
    d: `M${left} ${coordinate(middle)}H${right}M${left} ${coordinate(middle - 4)}v8M${right} ${coordinate(middle - 4)}v8`,
    fill: 'none',
    'stroke-width': 1.5,
  })
}
