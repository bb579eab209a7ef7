// plotHistory: the curves of a training run.

import { merged } from '../core/merged'
import { requireArguments } from '../core/arguments'
import { ArgumentError } from '../core/errors'
import { boolean, count, listOf, nullable, option, readOptions, text as word } from '../core/options'
import { curvesOf, validatedBy, type HistoryLike } from './curves'
import type { Series } from './drawing/lines'
import { drawPanels, saySeries } from './drawing/panels'
import { Picture } from './drawing/picture'
import { picture, pictureTable, words, type PictureOptions } from './drawing/svg'

export interface PlotHistoryOptions extends PictureOptions {
  /** The names that are shown, such as `['loss']`, each with its validation. Default: all. */
  readonly names?: readonly string[] | null
  /** Logarithmic axes where all numbers are positive. Default false. */
  readonly log?: boolean
  /** Default 720. */
  readonly width?: number
  /** The height of one panel. Default 260. */
  readonly height?: number
  /** What the x axis counts. Default 'epoch'. */
  readonly xLabel?: string
}

const table = () =>
  merged(pictureTable('Training'), {
    names: option(nullable(listOf(word)), null),
    log: option(boolean, false),
    width: option(count, 720),
    height: option(count, 260),
    xLabel: option(words, 'epoch'),
  })

/**
 * The curves of a training run: one panel for each metric, with its validation in a second colour.
 *
 *   const history = await model.fit(x, y, { epochs: 20, validationSplit: 0.2 })
 *   await plotHistory(history).save('history.svg')
 *
 * NaN and infinite numbers are gaps. If there are more points than pixels, some are left out, but no peak is.
 * @throws ArgumentError for values that are not a history; DataError for an empty one
 */
export function plotHistory(history: HistoryLike, options: PlotHistoryOptions = {}): Picture {
  requireArguments('plotHistory', arguments, 2)
  const { names, log, width, height, xLabel, ...text } = readOptions('plotHistory', table(), options)
  const curves = curvesOf('plotHistory', history)
  const baseOf = (name: string): string => {
    const base = validatedBy(name)
    return base !== null && (curves.has(base) || [...curves.keys()].every((each) => validatedBy(each) !== null))
      ? base
      : name
  }
  const bases = [...new Set(Array.from(curves.keys(), baseOf))]
  const unknown = names?.find((name) => !bases.includes(name))
  if (unknown !== undefined)
    throw new ArgumentError(`plotHistory: the history has no '${unknown}'. It has: ${bases.join(', ')}`)
  const seriesOf = (base: string): Series[] =>
    [...curves]
      .filter(([name]) => baseOf(name) === base)
      .map(([name, { xs, values }]) => ({
        name: name === base ? 'training' : 'validation',
        points: xs.map((x, i) => [x, values[i]!] as const),
        colour: name === base ? 0 : 1,
      }))
  const panels = (names ?? bases).map((title) => ({ title, series: seriesOf(title), log, showsLast: true }))
  const all = panels.flatMap(({ series }) => series)
  const legend = [...new Map(all.map((series) => [series.name, series])).values()]
  const drawn = drawPanels(panels, xLabel, legend.length > 1 ? legend : [], { width, height })
  const description = panels.flatMap(({ title, series }) =>
    series.map((each) => saySeries(each.name === 'training' ? title : `validation ${title}`, each, xLabel)),
  )
  return new Picture(picture({ width, height: drawn.height }, text, description.join(' '), drawn.body))
}
