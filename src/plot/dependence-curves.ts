// How the output depends on a feature: the mean, and a curve for each row.

import { merged } from '../core/merged'
import { requireArguments } from '../core/arguments'
import { timeIn } from '../core/dates'
import { ArgumentError, quoted } from '../core/errors'
import { integer, nullable, option, readOptions } from '../core/options'
import type { PartialDependence } from '../explain/dependence'
import { StringTensor } from '../ops/strings'
import { Axes, linesAcross } from './drawing/axes'
import type { Drawing } from './drawing/picture'
import { linearScale, rangeOf } from './drawing/scales'
import {
  HEAD,
  element,
  label,
  picture,
  pictureTable,
  short,
  textOption,
  words,
  type PictureOptions,
} from './drawing/svg'
import { chosenRows } from './scatter'

export interface DependenceCurvesOptions extends PictureOptions {
  /** The name of the feature. Default: that of the column of a table, else 'feature'. */
  readonly name?: string | null
  /** The name of the output. Default 'output'. */
  readonly output?: string
  /** How many single rows are drawn, evenly chosen. Default 50. */
  readonly rows?: number
}

const table = () =>
  merged(pictureTable('How the output depends on a feature'), {
    name: option(nullable(words), null),
    output: textOption('output'),
    rows: option(integer({ min: 0 }), 50),
  })

const [WIDTH, NAMES, LANE] = [540, 180, 34]
/** The dates that are written along the axis. */
const MOST_DATES = 5
/** The name of missing values. */
const NONE = '(missing)'

/**
 * The partial dependence as a thick line, and single rows as thin ones. For a category: a lane for each value, with the mean and single
 * rows as points.
 *
 *   dependenceCurves(await partialDependence(model, x, 0), { name: 'age' })
 *
 * @returns an SVG, as text: readable on light and dark pages
 * @throws ArgumentError for values that partialDependence did not return
 */
export function dependenceCurves(dependence: PartialDependence, options: DependenceCurvesOptions = {}): string {
  requireArguments('dependenceCurves', arguments, 2)
  return drawDependence('dependenceCurves', dependence, options, true).svg
}

/** What is drawn: the values of the feature with the mean, and some rows. */
interface Curves {
  readonly name: string
  readonly output: string
  readonly average: readonly number[]
  readonly rows: readonly (readonly number[])[]
}

interface Plot {
  readonly svg: string
  readonly height: number
}

/** @param fluid whether the picture is as wide as its place in the page */
export function drawDependence(
  where: string,
  dependence: PartialDependence,
  options: DependenceCurvesOptions,
  fluid = false,
): Drawing {
  const { name: chosenName, output, rows: most, ...text } = readOptions(where, table(), options)
  if (dependence?.grid === undefined || dependence.average === undefined)
    throw new ArgumentError(`${where}: needs the result of partialDependence, received ${quoted(dependence)}`)
  const { grid, individual, column } = dependence
  const { data, shape } = individual
  const average = Array.from(dependence.average.data)
  const rows = chosenRows(shape[0]!, most).map((row) =>
    Array.from(data.subarray(row * average.length, (row + 1) * average.length)),
  )
  const name = chosenName ?? column?.name ?? 'feature'
  const curves = { name, output, average, rows }
  const texts = grid instanceof StringTensor ? grid.strings : null
  const values = texts ?? Array.from(grid.data, short)
  const content = `${output} on average over ${shape[0]} rows, by ${name}. ${values.map((value, g) => `${value || NONE}: ${short(average[g]!)}`).join('; ')}.`
  const drawn = texts === null ? lines(curves, Array.from(grid.data), null) : overTexts(curves, texts, column?.kind)
  return picture({ width: WIDTH, height: drawn.height, fluid }, text, content, drawn.svg)
}

/** Dates along an axis, other texts as categories. */
function overTexts(curves: Curves, texts: readonly string[], kind: string | undefined): Plot {
  if (kind !== 'date') return lanes(curves, texts)
  return lines(
    curves,
    texts.map((each) => timeIn(each) ?? NaN),
    texts,
  )
}

/** Curves over numbers, or over dates. @param dates the names of the places, of which some are written */
function lines(
  { name, output, average, rows }: Curves,
  places: readonly number[],
  dates: readonly string[] | null,
): Plot {
  const every = dates === null ? 1 : Math.ceil(dates.length / MOST_DATES)
  const ticks = dates?.flatMap((text, i) => (i % every === 0 ? [{ value: places[i]!, text: text.slice(0, 10) }] : []))
  const axes = new Axes(
    { left: 72, top: HEAD + 4, width: WIDTH - 100, height: 260 },
    rangeOf(places, 0),
    rangeOf([...average, ...rows.flat()]),
    ticks === undefined ? {} : { ticks },
  )
  const pointsOf = (curve: readonly number[]): string => axes.line(places.map((x, g) => [x, curve[g]!] as const))
  const svg = [
    axes.draw(name, output),
    ...rows.map((curve) => element('path', 'one', { d: pointsOf(curve), fill: 'none', 'stroke-opacity': 0.3 })),
    element('path', 'mean', { d: pointsOf(average), fill: 'none', 'stroke-width': 3, 'stroke-linejoin': 'round' }),
  ].join('')
  return { svg, height: HEAD + 4 + 260 + 48 }
}

/** A lane for each category: single rows as small points, the mean as a large one. */
function lanes({ name, output, average, rows }: Curves, categories: readonly string[]): Plot {
  const top = HEAD + 24
  const bottom = top + categories.length * LANE
  const scale = linearScale(rangeOf([...average, ...rows.flat()]), NAMES, WIDTH - 24)
  const drawn = categories.map((category, i) => {
    const y = top + (i + 0.5) * LANE
    const points = rows.map((row) => element('circle', 'soft', { cx: scale.place(row[i]!), cy: y, r: 2.5 }))
    return [
      label(category || NONE, category === '' ? 'soft' : 'ink', { x: NAMES - 12, y: y + 4, 'text-anchor': 'end' }, 22),
      element('g', null, { 'fill-opacity': 0.3 }, points.join('')),
      element('circle', 'less', { cx: scale.place(average[i]!), cy: y, r: 6 }),
      label(short(average[i]!), 'ink', { x: scale.place(average[i]!), y: y - 9, 'text-anchor': 'middle' }),
    ].join('')
  })
  const svg = [
    label(name, 'ink', { x: NAMES - 12, y: top - 8, 'text-anchor': 'end', 'font-weight': 600 }, 22),
    linesAcross(scale, top, bottom),
    ...drawn,
    label(output, 'ink', { x: (NAMES + WIDTH - 24) / 2, y: bottom + 36, 'text-anchor': 'middle' }, 50),
  ].join('')
  return { svg, height: bottom + 48 }
}
