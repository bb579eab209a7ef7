// plotAttributions and plotReliability: what `myelin/explain` returns.

import { requireArguments } from '../core/arguments'
import { ArgumentError, quoted } from '../core/errors'
import type { Explanation } from '../explain/explained'
import type { GradCam } from '../explain/grad-cam'
import type { ReliabilityDiagram } from '../explain/reliability'
import { toTensor } from '../ops/convert'
import type { TensorLike } from '../ops/convert'
import { Tensor } from '../ops/tensor'
import type { AttributionBarsOptions } from './attribution-bars'
import { drawBars } from './attribution-bars'
import type { HeatMapOptions } from './heat-map'
import { drawHeatMap } from './heat-map'
import { Picture } from './picture'
import { drawReliability } from './reliability-picture'
import type { PictureOptions } from './svg'

/** Those of `attributionBars` for features, and of `heatMapPicture` for images. */
export type PlotAttributionsOptions = AttributionBarsOptions & HeatMapOptions

/** The attributions of an explanation, or those given. */
function attributionsOf(given: TensorLike | Explanation | GradCam): { map: TensorLike; value: Tensor | null } {
  if (typeof given === 'object' && given !== null && !(given instanceof Tensor)) {
    if ('heatMap' in given) return { map: given.heatMap, value: null }
    if ('attributions' in given) return { map: given.attributions, value: given.value }
  }
  return { map: given as TensorLike, value: null }
}

/**
 * Attributions of features as bars, [features] or [rows, features]; of images as a map over the image, with `image` or for
 * three and more axes.
 *
 *   plotAttributions(await integratedGradients(model, x), { names: ['age', 'income'] })
 *   plotAttributions(await gradCam(model, images), { image: images, row: 2 })
 *
 * @param given what a method of `myelin/explain` returns, or its `attributions`
 * @throws ShapeError for attributions that are neither rows of features nor maps; ArgumentError for options of the other kind
 */
export function plotAttributions(
  given: TensorLike | Explanation | GradCam,
  options: PlotAttributionsOptions = {},
): Picture {
  requireArguments('plotAttributions', arguments, 2)
  const where = 'plotAttributions'
  const { map, value } = attributionsOf(given)
  if (
    typeof map === 'object' &&
    map !== null &&
    !Array.isArray(map) &&
    !ArrayBuffer.isView(map) &&
    !(map instanceof Tensor)
  )
    throw new ArgumentError(
      `${where}: the model has several inputs. Give the attributions of one of them, received ${quoted(map)}`,
    )
  const tensor = toTensor(map, where, 'float32')
  const image = typeof options === 'object' && options !== null ? options.image : undefined
  if (tensor.rank > 2 || (image !== undefined && image !== null))
    return new Picture(drawHeatMap(where, tensor, options))
  const explained = value?.data[options.row ?? 0]
  return new Picture(drawBars(where, tensor, explained === undefined ? options : { value: explained, ...options }))
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
