// How the output depends on a feature: the mean, and a curve for each row.

import { requireArguments } from '../core/arguments'
import { ArgumentError, quoted } from '../core/errors'
import { integer, option } from '../core/options'
import { readTyped } from '../ops/arguments'
import type { PartialDependence } from '../explain/importance'
import { Axes } from '../drawing/axes'
import { rangeOf } from '../drawing/scales'
import type { PictureOptions } from '../drawing/svg'
import { HEAD, element, picture, pictureTable, short, textOption } from '../drawing/svg'

export interface DependenceCurvesOptions extends PictureOptions {
  /** The name of the feature. Default 'feature'. */
  readonly name?: string
  /** The name of the output. Default 'output'. */
  readonly output?: string
  /** How many single rows are drawn, evenly chosen. Default 50. */
  readonly rows?: number
}

const table = () => ({
  ...pictureTable('How the output depends on a feature'),
  name: textOption('feature'),
  output: textOption('output'),
  rows: option(integer({ min: 0 }), 50),
})

/**
 * The partial dependence as a thick line, single rows as thin ones.
 *
 *   dependenceCurves(await partialDependence(model, x, 0), { name: 'age' })
 *
 * @returns an SVG, as text: readable on light and dark pages
 * @throws ArgumentError for values that partialDependence did not return
 */
export function dependenceCurves(dependence: PartialDependence, options: DependenceCurvesOptions = {}): string {
  requireArguments('dependenceCurves', arguments, 2)
  const { name, output, rows: most, ...text } = readTyped('dependenceCurves', table(), options)
  if (dependence?.grid === undefined || dependence.average === undefined)
    throw new ArgumentError(`dependenceCurves: needs the result of partialDependence, received ${quoted(dependence)}`)
  const grid = Array.from(dependence.grid.data)
  const { data, shape } = dependence.individual
  const count = Math.min(most, shape[0]!)
  const curves = Array.from({ length: count }, (_, i) => {
    const row = Math.floor((i * shape[0]!) / count)
    return grid.map((_, g) => data[row * grid.length + g]!)
  })
  const average = Array.from(dependence.average.data)
  const axes = new Axes(
    { left: 72, top: HEAD + 4, width: 440, height: 260 },
    rangeOf(grid, 0),
    rangeOf([...average, ...curves.flat()]),
  )
  const pointsOf = (curve: readonly number[]): string => axes.line(grid.map((x, g) => [x, curve[g]!] as const))
  const body = [
    axes.draw(name, output),
    ...curves.map((curve) => element('path', 'one', { d: pointsOf(curve), fill: 'none', 'stroke-opacity': 0.3 })),
    element('path', 'mean', { d: pointsOf(average), fill: 'none', 'stroke-width': 3, 'stroke-linejoin': 'round' }),
  ].join('')
  const said = `${output} on average over ${shape[0]} rows, by ${name}. ${grid.map((x, g) => `${short(x)}: ${short(average[g]!)}`).join('; ')}.`
  return picture({ width: 540, height: HEAD + 4 + 260 + 48, fluid: true }, text, said, body).svg
}
