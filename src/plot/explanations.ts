// plotAttributions, plotDependence and plotReliability draw the results of `myelin/explain`.

import { requireArguments } from '../core/arguments'
import type { PartialDependence } from '../explain/dependence'
import type { ReliabilityDiagram } from '../explain/reliability'
import { drawBars, type AttributionBarsOptions } from './attribution-bars'
import { drawDependence, type DependenceCurvesOptions } from './dependence-curves'
import { readExplanation, type ExplanationLike } from './read-explanation'
import { drawHeatMap, type HeatMapOptions } from './heat-map'
import { Picture } from './drawing/picture'
import { drawReliability } from './reliability-picture'
import type { PictureOptions } from './drawing/svg'

/** The options of `attributionBars` for features, and those of `heatMapPicture` for images. */
export type PlotAttributionsOptions = AttributionBarsOptions & HeatMapOptions

/**
 * Attributions of features as bars, [features] or [rows, features]; of images as a map over the image, with `image` or for
 * three and more axes.
 *
 *   plotAttributions(await integratedGradients(model, x), { names: ['age', 'income'] })
 *   plotAttributions(await gradCam(model, images), { image: images, row: 2 })
 *   plotAttributions(await permutationImportance(table, rows, 'survived'))    // by column, with standard deviations
 *
 * @param result what a method of `myelin/explain` returns, or its `attributions`
 * @throws ShapeError for attributions that are neither rows of features nor maps; ArgumentError for options of the other kind
 */
export function plotAttributions(result: ExplanationLike, options: PlotAttributionsOptions = {}): Picture {
  requireArguments('plotAttributions', arguments, 2)
  const where = 'plotAttributions'
  const explanation = readExplanation(where, result)
  const { attributions } = explanation
  const image = typeof options === 'object' && options !== null ? options.image : undefined
  if (attributions.rank > 2 || (image !== undefined && image !== null))
    return new Picture(drawHeatMap(where, attributions, options))
  return new Picture(drawBars(where, explanation, options))
}

/**
 * How the output depends on a feature, as `partialDependence` of `myelin/explain` returns it: a curve of the means and thin ones of
 * single rows, over numbers and dates; for categories a lane for each, with the mean and single rows as points.
 *
 *   plotDependence(await partialDependence(model, rows, 'age'), { output: 'survived' })
 *
 * @throws ArgumentError for values that partialDependence did not return
 */
export function plotDependence(dependence: PartialDependence, options: DependenceCurvesOptions = {}): Picture {
  requireArguments('plotDependence', arguments, 2)
  return new Picture(drawDependence('plotDependence', dependence, options))
}

/**
 * Confidence against accuracy: the strokes of a calibrated model lie on the diagonal.
 *
 *   plotReliability(reliabilityDiagram(await model.predict(x), y))
 *
 * @throws ArgumentError for values that `reliabilityDiagram` of `myelin/explain` did not return
 */
export function plotReliability(diagram: ReliabilityDiagram, options: PictureOptions = {}): Picture {
  requireArguments('plotReliability', arguments, 2)
  return new Picture(drawReliability('plotReliability', diagram, options))
}
