// Attributions of named features as bars, to the right for more and to the left for less.

import { requireArguments } from '../core/arguments'
import { ArgumentError, DataError, ShapeError, formatShape } from '../core/errors'
import { count, integer, listOf, nullable, number, option } from '../core/options'
import { readTyped } from '../ops/arguments'
import type { TensorLike } from '../ops/convert'
import { toTensor } from '../ops/convert'
import type { Drawing } from './picture'
import type { PictureOptions } from './svg'
import { HEAD, element, label, picture, pictureTable, short, words } from './svg'

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
/** For the numbers at the ends of the bars. */
const NUMBERS = 62
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
  const given = toTensor(attributions, where, 'float32')
  const [rows, features] = given.rank === 1 ? [1, given.size] : (given.shape as [number, number])
  if (given.rank < 1 || given.rank > 2 || given.size === 0)
    throw new ShapeError(`${where}: needs [features] or [rows, features], received ${formatShape(given.shape)}`)
  if (row >= rows) throw new ArgumentError(`${where}: row must be in 0 … ${rows - 1}, received ${row}`)
  if (names !== null && names.length !== features)
    throw new ArgumentError(`${where}: needs a name for each of ${features} features, received ${names.length}`)
  const wrong = given.data
    .subarray(row * features, (row + 1) * features)
    .findIndex((each: number) => !Number.isFinite(each))
  if (wrong >= 0)
    throw new DataError(
      `${where}: attributions must be finite, received ${given.data[row * features + wrong]} for feature ${names?.[wrong] ?? wrong}${rows > 1 ? ` of row ${row}` : ''}`,
    )
  const all = Array.from(given.data.slice(row * features, (row + 1) * features), (each: number, i) => ({
    name: names?.[i] ?? String(i),
    value: each,
  }))
  all.sort((a, b) => Math.abs(b.value) - Math.abs(a.value))
  // The last bar stands for two or more features.
  const shown = all.length > most + 1 ? all.slice(0, most) : all
  const others = all.slice(shown.length)
  const bars =
    others.length === 0
      ? shown
      : [...shown, { name: `${others.length} others`, value: others.reduce((sum, each) => sum + each.value, 0) }]
  const largest = Math.max(...bars.map((bar) => Math.abs(bar.value))) || 1
  const [left, right] = [
    Math.max(0, ...bars.map((bar) => -bar.value)) / largest,
    Math.max(0, ...bars.map((bar) => bar.value)) / largest,
  ]
  const room = WIDTH - NAMES - 16 - (left > 0 ? NUMBERS : 8) - (right > 0 ? NUMBERS : 8)
  const scale = room / (left + right || 1) / largest
  const zero = NAMES + (left > 0 ? NUMBERS : 8) + left * largest * scale
  const drawn = bars.map(({ name, value }, i) => {
    const y = HEAD + 8 + i * STEP
    const size = Math.abs(value) * scale
    const isMore = value >= 0
    return [
      label(name, i < shown.length ? 'ink' : 'soft', { x: NAMES - 8, y: y + 13, 'text-anchor': 'end' }, 26),
      element('rect', isMore ? 'more' : 'less', {
        x: isMore ? zero : zero - size,
        y,
        width: size,
        height: STEP - 6,
        rx: 2,
      }),
      label(`${isMore ? '+' : ''}${short(value)}`, 'ink', {
        x: isMore ? zero + size + 6 : zero - size - 6,
        y: y + 13,
        'text-anchor': isMore ? 'start' : 'end',
      }),
    ].join('')
  })
  const bottom = HEAD + 8 + bars.length * STEP
  const sums = [
    ...(baseValue === null ? [] : [`baseline ${short(baseValue)}`]),
    ...(value === null ? [] : [`answer ${short(value)}`]),
  ].join(' → ')
  const body = [
    ...drawn,
    element('path', 'axis', { d: `M${zero} ${HEAD}V${bottom}`, fill: 'none' }),
    ...(sums === '' ? [] : [label(sums, 'soft', { x: zero, y: bottom + 16, 'text-anchor': 'middle' })]),
  ].join('')
  const said = bars.map((bar) => `${bar.name}: ${short(bar.value)}`).join('; ')
  return picture(
    { width: WIDTH, height: bottom + (sums === '' ? 12 : 30), fluid },
    text,
    `Contributions, the largest first. ${said}.${sums === '' ? '' : ` ${sums}.`}`,
    body,
  )
}
