// Attributions of named features as bars, to the right for more and to the left for less.

import { requireArguments } from '../core/arguments'
import { count, integer, listOf, nullable, number, option } from '../core/options'
import { readTyped } from '../ops/arguments'
import type { TensorLike } from '../ops/convert'
import type { Contribution } from './contributions'
import { contributionsOf, sayContributions, signed } from './contributions'
import type { Drawing } from '../drawing/picture'
import type { PictureOptions } from '../drawing/svg'
import { HEAD, coordinate, element, label, picture, pictureTable, short, words } from '../drawing/svg'

export interface AttributionBarsOptions extends PictureOptions {
  /** The names of the features. Default: their positions. */
  readonly names?: readonly string[] | null
  /** Which row of [rows, features]. Default 0. */
  readonly row?: number
  /** How many features are shown; the others become one bar. Default 15. */
  readonly most?: number
  /** The number that is explained, printed below the bars. Default null. */
  readonly value?: number | null
  /** The same number for the baseline, printed beside it. Default null. */
  readonly baseValue?: number | null
}

const table = () => ({
  ...pictureTable('What the answer is made of'),
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
 * Signed attributions as bars with their names, the largest first.
 *
 *   attributionBars(attributions, { names: ['age', 'income'], title: 'Why 0.83?' })
 *
 * @param attributions [features], or [rows, features] of which one row is shown
 * @returns an SVG, as text: readable on light and dark pages
 * @throws ShapeError for attributions that are not rows of features; ArgumentError for another number of names; DataError for an attribution that is
 *   NaN or infinite
 */
export function attributionBars(attributions: TensorLike, options: AttributionBarsOptions = {}): string {
  requireArguments('attributionBars', arguments, 2)
  return drawBars('attributionBars', attributions, options, true).svg
}

/** @param fluid whether the picture is as wide as its place in the page */
export function drawBars(
  where: string,
  attributions: TensorLike,
  options: AttributionBarsOptions,
  fluid = false,
): Drawing {
  const { names, row, most, value, baseValue, ...text } = readTyped(where, table(), options)
  const bars = contributionsOf(where, attributions, { names, row, most })
  const drawn = contributionBars(bars, { left: 0, top: HEAD + 8, width: WIDTH })
  const { bottom, zero } = drawn
  const sums = [
    ...(baseValue === null ? [] : [`baseline ${short(baseValue)}`]),
    ...(value === null ? [] : [`answer ${short(value)}`]),
  ].join(' → ')
  const body =
    drawn.svg + (sums === '' ? '' : label(sums, 'soft', { x: zero, y: bottom + 16, 'text-anchor': 'middle' }))
  return picture(
    { width: WIDTH, height: bottom + (sums === '' ? 12 : 30), fluid },
    text,
    `Contributions, the largest first. ${sayContributions(bars)}.${sums === '' ? '' : ` ${sums}.`}`,
    body,
  )
}

/** Bars in a column, with their names to the left and their numbers at their ends. */
export function contributionBars(
  bars: readonly Contribution[],
  { left: start, top, width }: { readonly left: number; readonly top: number; readonly width: number },
): { readonly svg: string; readonly bottom: number; readonly zero: number } {
  const largest = Math.max(...bars.map((bar) => Math.abs(bar.value))) || 1
  const [left, right] = [
    Math.max(0, ...bars.map((bar) => -bar.value)) / largest,
    Math.max(0, ...bars.map((bar) => bar.value)) / largest,
  ]
  const room = width - NAMES - 16 - (left > 0 ? NUMBERS : 8) - (right > 0 ? NUMBERS : 8)
  const scale = room / (left + right || 1) / largest
  const zero = start + NAMES + (left > 0 ? NUMBERS : 8) + left * largest * scale
  const drawn = bars.map(({ name, value, isRest }, i) => {
    const y = top + i * STEP
    const size = Math.abs(value) * scale
    const isMore = value >= 0
    return [
      label(name, isRest ? 'soft' : 'ink', { x: start + NAMES - 8, y: y + 13, 'text-anchor': 'end' }, 26),
      element('rect', isMore ? 'more' : 'less', {
        x: isMore ? zero : zero - size,
        y,
        width: size,
        height: STEP - 6,
        rx: 2,
      }),
      label(signed(value), 'ink', {
        x: isMore ? zero + size + 6 : zero - size - 6,
        y: y + 13,
        'text-anchor': isMore ? 'start' : 'end',
      }),
    ].join('')
  })
  const bottom = top + bars.length * STEP
  const axis = element('path', 'axis', { d: `M${coordinate(zero)} ${top - 8}V${bottom}`, fill: 'none' })
  return { svg: drawn.join('') + axis, bottom, zero }
}
