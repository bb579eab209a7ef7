// plotWaterfall: from the baseline to the answer, one contribution after the other.

import { merged } from '../core/merged'
import { requireArguments } from '../core/arguments'
import { ArgumentError } from '../core/errors'
import { count, integer, listOf, nullable, number, option, readOptions } from '../core/options'
import { linesAcross } from './drawing/axes'
import { contributionsOf, sayContributions, signed, type Contribution } from './contributions'
import { readExplanation, type ExplanationLike } from './read-explanation'
import { widthOf } from './drawing/lines'
import { Picture } from './drawing/picture'
import { linearScale, rangeOf } from './drawing/scales'
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

export interface PlotWaterfallOptions extends PictureOptions {
  /** The names of the features. Default: those of the columns of a table, or of inputs, else their positions. */
  readonly names?: readonly string[] | null
  /** Which row of [rows, features]. Default 0. */
  readonly row?: number
  /** How many features are shown; the others become one bar. Default 10. */
  readonly most?: number
  /** The number for the baseline. Default: that of the explanation. */
  readonly baseValue?: number | null
}

const table = () =>
  merged(pictureTable('From the baseline to the answer'), {
    names: option(nullable(listOf(words)), null),
    row: option(integer({ min: 0 }), 0),
    most: option(count, 10),
    baseValue: option(nullable(number()), null),
  })

const [WIDTH, NAMES, STEP] = [640, 190, 26]
const TOP = HEAD + 12
/** A remainder below this share of the largest number is a rounding error. */
const SLACK = 1e-3

/**
 * How the contributions lead from the baseline to the answer: each bar begins where the one above it ends. If they do not add up to
 * the answer, the last bar is the remainder.
 *
 *   plotWaterfall(await integratedGradients(model, x), { names: columns, row: 3 })
 *
 * @param result of a method of `myelin/explain` whose contributions add up, or attributions together with `baseValue`
 * @throws ArgumentError for an explanation without a baseline, and a row or names that do not fit; ShapeError for attributions that
 *   are not rows of features; DataError for an attribution that is NaN or infinite
 */
export function plotWaterfall(result: ExplanationLike, options: PlotWaterfallOptions = {}): Picture {
  const where = 'plotWaterfall'
  requireArguments(where, arguments, 2)
  const { names, row, most, baseValue, ...text } = readOptions(where, table(), options)
  const explanation = readExplanation(where, result)
  const bars = contributionsOf(where, explanation.attributions, {
    names: names ?? explanation.names,
    row,
    most,
  })
  const base = baseValue ?? explanation.baseValue?.data[row]
  if (base === undefined)
    throw new ArgumentError(
      `${where}: the contributions have no baseline. Explain with integratedGradients, shapleyValues or kernelShap, or give baseValue.`,
    )
  const sum = bars.reduce((total, { value }) => total + value, base)
  const answer = baseValue === null ? (explanation.value?.data[row] ?? sum) : sum
  const gap = answer - sum
  const scaleOf = Math.max(Math.abs(base), Math.abs(answer), ...bars.map(({ value }) => Math.abs(value)))
  const shown = Math.abs(gap) > SLACK * scaleOf ? [...bars, { name: 'not explained', value: gap, isRest: true }] : bars
  const { svg, bottom } = draw(shown, base)
  const sums = `baseline ${short(base)}, answer ${short(answer)}`
  return new Picture(picture({ width: WIDTH, height: bottom + 30 }, text, `${sums}. ${sayContributions(shown)}.`, svg))
}

function draw(bars: readonly Contribution[], base: number): { readonly svg: string; readonly bottom: number } {
  let at = base
  const spans = bars.map(({ value }) => ({ from: at, to: (at += value) }))
  const bottom = TOP + (bars.length + 2) * STEP
  const scale = linearScale(rangeOf([base, ...spans.map(({ to }) => to)], 0.12), NAMES + 8, WIDTH - 24)
  const rowAt = (i: number): number => TOP + i * STEP
  const end = (text: string, value: number, i: number): string =>
    label(text, 'ink', { x: NAMES - 8, y: rowAt(i) + 15, 'text-anchor': 'end', 'font-weight': 600 }) +
    element('rect', 'ink', { x: scale.place(value) - 1.5, y: rowAt(i) + 2, width: 3, height: STEP - 8, rx: 1.5 }) +
    beside(short(value), scale.place(value), scale.place(value), i)
  const beside = (text: string, from: number, to: number, i: number): string => {
    const right = Math.max(from, to) + 6
    const isOutside = right + widthOf(text) > WIDTH - 8
    return label(text, 'ink', {
      x: isOutside ? Math.min(from, to) - 6 : right,
      y: rowAt(i) + 15,
      'text-anchor': isOutside ? 'end' : 'start',
    })
  }
  const steps = bars.map(({ name, value, isRest }, i) => {
    const [from, to] = [scale.place(spans[i]!.from), scale.place(spans[i]!.to)]
    return [
      label(name, isRest ? 'soft' : 'ink', { x: NAMES - 8, y: rowAt(i + 1) + 15, 'text-anchor': 'end' }, 26),
      element('rect', value >= 0 ? 'more' : 'less', {
        x: Math.min(from, to),
        y: rowAt(i + 1) + 1,
        width: Math.max(1, Math.abs(to - from)),
        height: STEP - 6,
        rx: 2,
      }),
      // To the next bar.
      element('path', 'axis', {
        d: `M${coordinate(to)} ${rowAt(i + 1) + STEP - 5}V${rowAt(i + 2) + 1}`,
        fill: 'none',
        'stroke-opacity': 0.6,
      }),
      beside(signed(value), from, to, i + 1),
    ].join('')
  })
  const body = [
    linesAcross(scale, TOP - 4, bottom),
    end('baseline', base, 0),
    ...steps,
    end('answer', at, bars.length + 1),
  ]
  return { svg: body.join(''), bottom }
}
