// plotBeeswarm: the attributions of all rows, feature by feature.

import { merged } from '../core/merged'
import { requireArguments } from '../core/arguments'
import { timeIn } from '../core/dates'
import { ShapeError, formatShape } from '../core/errors'
import { count, listOf, nullable, option, readOptions } from '../core/options'
import { isBranch } from '../core/tree'
import { isRow, type TableRow } from '../tables/values'
import { toTensor, type TensorLike } from '../ops/convert'
import { Tensor } from '../ops/tensor'
import { linesAcross } from './drawing/axes'
import { BLENDS, type Colour } from './drawing/colours'
import { attributionRows, requireFinite, type AttributionRows } from './contributions'
import { readExplanation, type ExplanationLike } from './read-explanation'
import { Picture } from './drawing/picture'
import { linearScale, rangeOf } from './drawing/scales'
import { chosenRows } from './scatter'
import {
  HEAD,
  coordinate,
  dataOption,
  element,
  label,
  picture,
  pictureTable,
  short,
  words,
  type PictureOptions,
} from './drawing/svg'

export interface PlotBeeswarmOptions extends PictureOptions {
  /**
   * The explained rows [rows, features], or rows of a table, whose numbers and dates colour the points. Default none: all have one
   * colour.
   */
  readonly x?: TensorLike | readonly TableRow[] | null
  /** The names of the features. Default: those of the columns of a table, or of inputs, else their positions. */
  readonly names?: readonly string[] | null
  /** How many features are shown, those with the largest mean. Default 10. */
  readonly most?: number
}

const table = () =>
  merged(pictureTable('How the features contribute'), {
    x: dataOption,
    names: option(nullable(listOf(words)), null),
    most: option(count, 10),
  })

const [WIDTH, NAMES, LANE, RADIUS] = [720, 190, 40, 3]
const TOP = HEAD + 30
/** More points are chosen evenly. */
const MOST_POINTS = 500

/**
 * A point for each row and feature, at its attribution: to the right it raises the answer, to the left it lowers it. With `x`, the
 * points are blue for low numbers of the feature and orange for high ones. Features are in order of their mean |attribution|.
 *
 *   plotBeeswarm(await kernelShap(model, x, { background }), { x, names: columns })
 *   plotBeeswarm(await shapleyValues(table, rows), { x: rows })    // a TableModel knows its columns
 *
 * @throws ShapeError for attributions that are not rows of features, and x of another shape; ArgumentError for another number of
 *   names; DataError for an attribution that is NaN or infinite
 */
export function plotBeeswarm(explanation: ExplanationLike, options: PlotBeeswarmOptions = {}): Picture {
  const where = 'plotBeeswarm'
  requireArguments(where, arguments, 2)
  const { x, names, most, ...text } = readOptions(where, table(), options)
  const { attributions, names: columns } = readExplanation(where, explanation)
  const read = attributionRows(where, attributions, names ?? columns)
  for (let row = 0; row < read.rows; row++) requireFinite(where, read, row)
  const shares =
    x === null ? null : sharesOf(where, isRows(x) ? numbersOf(where, x, columns, attributions) : x, attributions.shape)
  const features = read.names.map((name, feature) => ({ name, feature, mean: meanOf(read, feature) }))
  features.sort((a, b) => b.mean - a.mean)
  const shown = features.slice(0, most)
  const rows = chosenRows(read.rows, MOST_POINTS)
  const all = shown.flatMap(({ feature }) => rows.map((row) => read.at(row, feature)))
  const scale = linearScale(rangeOf([0, ...all]), NAMES, WIDTH - 24)
  const bottom = TOP + shown.length * LANE
  const lanes = shown.map(({ name, feature }, i) => {
    const middle = TOP + (i + 0.5) * LANE
    const places = rows.map((row) => scale.place(read.at(row, feature)))
    const offsets = swarm(places)
    const points = rows.map((row, at) =>
      element('circle', colourOf(shares?.(row, feature) ?? null), {
        cx: places[at]!,
        cy: middle + offsets[at]!,
        r: RADIUS,
      }),
    )
    return label(name, 'ink', { x: NAMES - 12, y: middle + 4, 'text-anchor': 'end' }, 26) + points.join('')
  })
  const zero = scale.place(0)
  const body = [
    linesAcross(scale, TOP, bottom),
    element('path', 'axis', { d: `M${coordinate(zero)} ${TOP}V${bottom}`, fill: 'none' }),
    ...lanes,
    shares === null ? '' : key(),
    label('attribution', 'ink', { x: (NAMES + WIDTH - 24) / 2, y: bottom + 36, 'text-anchor': 'middle' }),
  ].join('')
  const sentences = shown.map(({ name, feature, mean }) => {
    const values = Array.from({ length: read.rows }, (_, row) => read.at(row, feature))
    const [low, high] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))]
    return `${name}: ${short(low)} to ${short(high)}, mean size ${short(mean)}`
  })
  return new Picture(
    picture(
      { width: WIDTH, height: bottom + 48 },
      text,
      `Attributions of ${read.rows} rows. ${sentences.join('; ')}.`,
      body,
    ),
  )
}

function isRows(x: unknown): x is readonly TableRow[] {
  return Array.isArray(x) && x.length > 0 && x.every((each) => isRow(each))
}

/** The numbers, booleans and dates of rows, [rows, columns]; NaN for other values. */
function numbersOf(
  where: string,
  rows: readonly TableRow[],
  columns: readonly string[] | null,
  { shape }: Tensor,
): TensorLike {
  if (columns === null || rows.length !== shape[0])
    throw new ShapeError(
      `${where}: x must have a row for each of the ${shape[0]} explained rows of a TableModel, received ${rows.length}`,
    )
  return new Tensor(
    Float32Array.from(rows.flatMap((row) => columns.map((column) => numberOf(row[column])))),
    shape,
    'float32',
  )
}

function numberOf(value: unknown): number {
  if (value instanceof Date) return value.getTime()
  // The parts of a date, as readCsv returns them.
  if (isBranch(value) && 'year' in value && 'month' in value)
    return Date.UTC(Number(value['year']), Number(value['month']) - 1, Number(Reflect.get(value, 'day') ?? 1))
  if (typeof value === 'string') return value.trim() === '' ? NaN : (timeIn(value) ?? Number(value))
  return typeof value === 'number' || typeof value === 'boolean' ? Number(value) : NaN
}

/* @__NO_SIDE_EFFECTS__ */
function meanOf({ rows, at }: AttributionRows, feature: number): number {
  let sum = 0
  for (let row = 0; row < rows; row++) sum += Math.abs(at(row, feature)) / rows
  return sum
}

/**
 * The position of each number between the lowest and the highest of its feature, 0 … 1; null for a number that is not finite, and for
 * a feature with one value.
 */
function sharesOf(
  where: string,
  x: unknown,
  shape: readonly number[],
): (row: number, feature: number) => number | null {
  const { data, shape: shapeOfX } = toTensor(x, `${where}: x`, 'float32')
  if (shapeOfX.length !== 2 || shapeOfX[0] !== shape[0] || shapeOfX[1] !== shape[1])
    throw new ShapeError(
      `${where}: x must have the shape of the attributions, ${formatShape(shape)}, received ${formatShape(shapeOfX)}`,
    )
  const [rows = 0, features = 0] = shapeOfX
  const ranges = Array.from({ length: features }, (_, feature) =>
    rangeOf(
      Array.from({ length: rows }, (_each, row) => data[row * features + feature]!),
      0,
    ),
  )
  return (row, feature) => {
    const value = data[row * features + feature]!
    const { low, high } = ranges[feature]!
    return Number.isFinite(value) ? Math.min(1, Math.max(0, (value / 2 - low / 2) / (high / 2 - low / 2))) : null
  }
}

const colourOf = (share: number | null): Colour =>
  share === null ? 'soft' : `blend${Math.min(BLENDS - 1, Math.floor(share * BLENDS))}`

/** The distance of each point from the middle of its lane: points at one place lie alternately above and below it. */
function swarm(places: readonly number[]): number[] {
  const taken = new Map<number, number>()
  const most = LANE / 2 - RADIUS - 1
  return places.map((place) => {
    const bin = Math.round(place / RADIUS)
    const before = taken.get(bin) ?? 0
    taken.set(bin, before + 1)
    const distance = Math.ceil(before / 2) * RADIUS * 1.6
    // Points that do not fit overlap others.
    return (before % 2 === 0 ? -1 : 1) * (distance <= most ? distance : distance % most)
  })
}

function key(): string {
  const left = WIDTH - 24 - 150
  const dots = Array.from({ length: BLENDS }, (_, i) =>
    element('circle', `blend${i}`, { cx: left + 40 + i * 14, cy: HEAD + 10, r: 5 }),
  )
  return [
    label('low', 'soft', { x: left + 28, y: HEAD + 14, 'text-anchor': 'end' }),
    ...dots,
    label('high', 'soft', { x: left + 40 + BLENDS * 14, y: HEAD + 14 }),
  ].join('')
}
