// plotErrorCurves: methods compared over several runs, with the spread of the runs.

import { merged } from '../core/merged'
import { requireArguments } from '../core/arguments'
import { ArgumentError, DataError, quoted } from '../core/errors'
import { boolean, choice, count, listOf, nullable, number, option, readOptions } from '../core/options'
import { isList } from './curves'
import type { Series } from './drawing/lines'
import { drawPanels, saySeries } from './drawing/panels'
import { Picture } from './drawing/picture'
import { picture, pictureTable, words, type PictureOptions } from './drawing/svg'

export interface PlotErrorCurvesOptions extends PictureOptions {
  /** The numbers along the axis. Default: 1, 2, … */
  readonly x?: readonly number[] | null
  /** What the x axis counts. Default 'epoch'. */
  readonly xLabel?: string
  /** What the curves show. Default 'error'. */
  readonly yLabel?: string
  /** The area around the median of several runs: from the first to the third quartile, or all runs. Default 'quartiles'. */
  readonly spread?: 'quartiles' | 'range'
  /** A logarithmic axis. Default false. */
  readonly log?: boolean
  /** Default 720. */
  readonly width?: number
  /** Default 320. */
  readonly height?: number
}

const table = () =>
  merged(pictureTable('Errors'), {
    x: option(nullable(listOf(number())), null),
    xLabel: option(words, 'epoch'),
    yLabel: option(words, 'error'),
    spread: option(choice('quartiles', 'range'), 'quartiles'),
    log: option(boolean, false),
    width: option(count, 720),
    height: option(count, 320),
  })

/** By method: the numbers of one run, or of several runs of the same length. */
export type ErrorCurves = Readonly<Record<string, ArrayLike<number> | readonly ArrayLike<number>[]>>

/**
 * The errors of methods over time: for each the median of its runs, and an area for their spread.
 *
 *   plotErrorCurves({ plain: [seed1, seed2, seed3], ReDo: [seed1, seed2, seed3] }, { xLabel: 'task' })
 *
 * NaN and infinite numbers do not count; where all runs have one, the curve has a gap.
 * @throws ArgumentError for values that are not lists of numbers; DataError without curves, and for runs of different lengths
 */
export function plotErrorCurves(curves: ErrorCurves, options: PlotErrorCurvesOptions = {}): Picture {
  const where = 'plotErrorCurves'
  requireArguments(where, arguments, 2)
  const { x, xLabel, yLabel, spread, log, width, height, ...text } = readOptions(where, table(), options)
  if (typeof curves !== 'object' || curves === null || Array.isArray(curves))
    throw new ArgumentError(`${where}: needs runs by name, { plain: [run, run] }, received ${quoted(curves)}`)
  const share = spread === 'range' ? 0 : 0.25
  const series = Object.entries(curves).map(([name, lists], i): Series => {
    const runs = runsOf(`${where}: ${name}`, lists)
    const { length } = runs[0]!
    if (x !== null && x.length !== length)
      throw new DataError(`${where}: ${name} has ${length} numbers, but x has ${x.length}`)
    const at = (q: number) =>
      Array.from({ length }, (_, step) => {
        const column = runs.map((run) => run[step]!)
        return [x?.[step] ?? step + 1, quantile(column, q)] as const
      })
    const band = runs.length === 1 ? {} : { band: { low: at(share), high: at(1 - share) } }
    return { name, points: at(0.5), colour: i, dashed: i >= 8, ...band }
  })
  if (series.length === 0) throw new DataError(`${where}: there is no curve`)
  const drawn = drawPanels([{ title: yLabel, series, log }], xLabel, series, { width, height })
  const sentences = series.map((each) => saySeries(`${each.name}, ${yLabel}`, each, xLabel))
  return new Picture(picture({ width, height: drawn.height }, text, sentences.join(' '), drawn.body))
}

/** One run, or several, as lists of numbers. */
function runsOf(where: string, lists: unknown): readonly (readonly number[])[] {
  if (!isList(lists))
    throw new ArgumentError(`${where} must be a list of numbers, or of runs, received ${quoted(lists)}`)
  const runs = isList(lists[0]) ? Array.from(lists) : [lists]
  const read = runs.map((run) => {
    if (!isList(run)) throw new ArgumentError(`${where} must have lists of numbers, received ${quoted(run)}`)
    return Array.from(run, (value) => {
      if (typeof value === 'number') return value
      throw new ArgumentError(`${where} must have numbers, received ${quoted(value)}`)
    })
  })
  const { length } = read[0]!
  if (length === 0) throw new DataError(`${where} is empty`)
  const other = read.find((run) => run.length !== length)
  if (other !== undefined) throw new DataError(`${where} has runs of different lengths, ${length} and ${other.length}`)
  return read
}

/** The interpolated quantile of the finite numbers; NaN without any. */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b)
  if (sorted.length === 0) return NaN
  const at = share * (sorted.length - 1)
  const [low, high] = [sorted[Math.floor(at)]!, sorted[Math.ceil(at)]!]
  return low === high ? low : low * (1 - (at % 1)) + high * (at % 1)
}
