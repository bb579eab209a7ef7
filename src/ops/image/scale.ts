// Resampling with any scale and translation along some axes. Changes of the size alone are in resize.ts.

import { ShapeError, formatShape } from '../../core/errors'
import { boolean, choice } from '../../core/options'
import { normalizeAxis } from '../../core/shapes'
import { exactly } from '../../core/tuples'
import { asTensor } from '../convert'
import { operand, shape, wholes } from '../kinds'
import { matmul } from '../linalg/linalg'
import { sliceAlong } from '../numpy/along'
import {
  abs,
  add,
  cast,
  divide,
  greater,
  greaterEqual,
  lessEqual,
  logicalAnd,
  maximum,
  multiply,
  notEqual,
  subtract,
  where,
} from '../numpy/elementwise'
import { sinc } from '../numpy/functions'
import { sum } from '../numpy/reduce'
import { arange, expandDims, moveAxis, reshape } from '../numpy/shape'
import { arg, op, optional } from '../op'
import type { Tensor } from '../tensor'

const methods = /* @__PURE__ */ choice(
  'linear',
  'bilinear',
  'trilinear',
  'cubic',
  'bicubic',
  'tricubic',
  'lanczos3',
  'lanczos5',
)

export type ScaleMethod =
  | 'linear'
  | 'bilinear'
  | 'trilinear'
  | 'cubic'
  | 'bicubic'
  | 'tricubic'
  | 'lanczos3'
  | 'lanczos5'

/** sinc x · sinc (x / radius), 1 near 0 and 0 beyond the radius. */
function lanczos(x: Tensor, radius: number): Tensor {
  const isNear = lessEqual(x, 1e-3)
  // The derivative of sinc loses its digits near 0.
  const away = where(isNear, 1, x)
  return where(isNear, 1, where(greater(x, radius), 0, multiply(sinc(away), sinc(divide(away, radius)))))
}

/** Keys's cubic (1981) with a = −½. */
function cubic(x: Tensor): Tensor {
  const near = add(multiply(multiply(subtract(multiply(x, 1.5), 2.5), x), x), 1)
  const far = add(multiply(subtract(multiply(add(multiply(x, -0.5), 2.5), x), 4), x), 2)
  return where(greaterEqual(x, 2), 0, where(greaterEqual(x, 1), far, near))
}

/** The weight of an element at distance x ≥ 0. */
function weightOf(method: ScaleMethod, x: Tensor): Tensor {
  if (method === 'lanczos3') return lanczos(x, 3)
  if (method === 'lanczos5') return lanczos(x, 5)
  return method.endsWith('cubic') ? cubic(x) : maximum(subtract(1, x), 0)
}

/** [extent, size]: the weights of the elements of an axis in each element of the scaled and moved axis. */
function weightsAlong(
  extent: number,
  size: number,
  scale: Tensor,
  translation: Tensor,
  method: ScaleMethod,
  antialias: boolean,
): Tensor {
  const back = divide(1, scale)
  const centre = subtract(
    subtract(multiply(add(arange(0, size, 1, 'float32'), 0.5), back), multiply(translation, back)),
    0.5,
  )
  const distance = abs(subtract(centre, expandDims(arange(0, extent, 1, 'float32'), 1)))
  const weights = weightOf(method, antialias ? divide(distance, maximum(back, 1)) : distance)
  // Elements outside of the axis have no weight; the others share it.
  const total = sum(weights, 0, true)
  const shares = where(greater(abs(total), 1000 * 2 ** -23), divide(weights, where(notEqual(total, 0), total, 1)), 0)
  return where(logicalAnd(greaterEqual(centre, -0.5), lessEqual(centre, extent - 0.5)), shares, 0)
}

export const scaleAndTranslate = op(
  () => [
    arg('images', operand),
    arg('outputShape', shape),
    arg('scale', operand),
    arg('translation', operand),
    arg('spatialDims', wholes()),
    arg('method', methods),
    optional('antialias', boolean),
  ],
  {
    /**
     * Scales and moves images: an element at position p of a spatial axis, whose elements have their centres at ½, 1½, …, moves to
     * p · scale + translation. Elements that come from outside are 0.
     * @param images of any rank
     * @param outputShape the shape of the result, which differs from that of the images along spatial axes only
     * @param scale [k], one for each spatial axis
     * @param translation [k], in elements of the result
     * @param spatialDims the k spatial axes
     * @param method 'linear', 'cubic' (also 'bilinear', 'trilinear', 'bicubic', 'tricubic'), 'lanczos3' or 'lanczos5'
     * @param antialias whether to average over skipped elements when an axis becomes smaller. Default true.
     * @returns float32. Gradients also flow to scale and translation.
     * @throws ShapeError when the shape, the axes and the numbers do not fit each other
     * @example ops.image.scaleAndTranslate(images, [8, 64, 64, 3], [2, 2], [-16, -16], [1, 2], 'linear')
     * Keras: `keras.ops.image.scale_and_translate`.
     */
    scaleAndTranslate(images, outputShape, scale, translation, spatialDims, method, antialias = true): Tensor {
      const where = 'scaleAndTranslate'
      const value = cast(asTensor(images, where), 'float32')
      const axes = spatialDims.map((axis) => normalizeAxis(where, axis, value.rank))
      const [by, shift] = exactly(
        [scale, translation].map((each) => cast(asTensor(each, where), 'float32')),
        2,
      )
      const isFit =
        outputShape.length === value.rank &&
        new Set(axes).size === axes.length &&
        outputShape.every((extent, i) => extent === value.shape[i] || axes.includes(i))
      if (!isFit)
        throw new ShapeError(
          `${where}: the result ${formatShape(outputShape)} may differ from ${formatShape(value.shape)} along the spatial axes [${axes.join(', ')}] only`,
        )
      if ([by, shift].some(({ rank, size }) => rank !== 1 || size !== axes.length))
        throw new ShapeError(
          `${where}: scale and translation need one number for each of ${axes.length} axes, received ${formatShape(by.shape)} and ${formatShape(shift.shape)}`,
        )
      return axes.reduce((moved, axis, i) => {
        const at = (x: Tensor): Tensor => reshape(sliceAlong(x, 0, i, 1), [])
        const weights = weightsAlong(value.shape[axis]!, outputShape[axis]!, at(by), at(shift), method, antialias)
        return moveAxis(matmul(moveAxis(moved, axis, -1), weights), -1, axis)
      }, value)
    },
  },
  { within: 'image' },
)
