// Filters of images: convolutions of each channel with a fixed kernel.

import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import { listOf, number, tableSize, type Kind } from '../../core/options'
import { sameShape } from '../../core/shapes'
import { exactly } from '../../core/tuples'
import { operand, type ArgumentKind } from '../kinds'
import { lastFormat, type LastFormatOption } from '../nn/channels'
import { convolveDepthwise } from '../nn/convolution'
import { bothOf } from '../nn/sliding'
import { add, cast, divide, multiply, square, subtract } from '../numpy/elementwise'
import { mean } from '../numpy/reduce'
import { broadcastTo, reshape } from '../numpy/shape'
import { arg, op, optional } from '../op'
import { Tensor } from '../tensor'
import { eachImage, requireImages } from './batch'

/** A Gaussian [size] with the sum 1: e^(−x²/2σ²) at the distance x from the middle. */
function gaussianOf(size: number, sigma: number): number[] {
  const weights = Array.from({ length: size }, (_, i) => Math.exp(-0.5 * ((i - (size - 1) / 2) / sigma) ** 2))
  const sum = weights.reduce((a, b) => a + b, 0)
  return weights.map((weight) => weight / sum)
}

/** Convolves each channel of x with one kernel along its rows, and with one along its columns. */
function blurred(
  where: string,
  x: Tensor,
  down: readonly number[],
  across: readonly number[],
  how: 'same' | 'valid',
): Tensor {
  const along = (value: Tensor, taps: readonly number[], window: readonly [number, number]): Tensor => {
    const channels = value.shape.at(-1)!
    const kernel = new Tensor(Float32Array.from(taps), [...window, 1, 1], 'float32')
    return convolveDepthwise(where, value, broadcastTo(kernel, [...window, channels, 1]), {
      window,
      strides: [1, 1],
      dilation: [1, 1],
      padding: how,
    })
  }
  return along(along(x, down, [down.length, 1]), across, [1, across.length])
}

/** Two values, or one for both. */
function twoOf(one: Kind<number>): ArgumentKind<number | readonly number[]> {
  const both = listOf(one, 2)
  return { read: (value, what) => (Array.isArray(value) ? both : one).read(value, what) }
}

export interface GaussianBlurOptions extends LastFormatOption {
  /** The size of the kernel along the columns and along the rows, or one number for both. Default [3, 3]. */
  readonly kernelSize?: number | readonly number[]
  /** The standard deviation along the columns and along the rows, or one number for both. Default [1, 1]. */
  readonly sigma?: number | readonly number[]
}

export const gaussianBlur = op(
  () => [
    arg('images', operand),
    optional('kernelSize', twoOf(tableSize())),
    optional('sigma', twoOf(number({ above: 0 }))),
    optional('dataFormat', lastFormat),
  ],
  {
    /**
     * Blurs images: each pixel becomes the mean of its neighbours with the weights e^(−x²/2σ₁² − y²/2σ₂²). Pixels beyond the edges are 0.
     * @param images [batch, rows, columns, channels], or one image
     * @param kernelSize the size of the kernel along the columns (x) and along the rows (y), or one number for both. Default [3, 3].
     * @param sigma the standard deviations σ₁ and σ₂ along the columns and along the rows, or one number for both. Default [1, 1].
     * @param dataFormat must be 'channelsLast' or null: the channels are the last axis. Default null
     * @returns float32, with the shape of the images
     * @example ops.image.gaussianBlur(images, [7, 7], [2, 2])
     * Keras: `keras.ops.image.gaussian_blur`.
     */
    gaussianBlur(images, kernelSize = [3, 3], sigma = [1, 1], _dataFormat?): Tensor {
      const spread = bothOf(sigma)
      const [across, down] = exactly(
        bothOf(kernelSize).map((size, i) => gaussianOf(size, spread[i]!)),
        2,
      )
      return eachImage('gaussianBlur', images, (batch) =>
        blurred('gaussianBlur', cast(batch, 'float32'), down, across, 'same'),
      )
    },
  },
  { within: 'image' },
)

/** Blurs float32 fields [batch, rows, columns, channels] with a Gaussian that reaches to 3σ on both sides. */
export function smooth(where: string, x: Tensor, sigma: number): Tensor {
  const weights = gaussianOf(Math.trunc(6 * sigma) | 1, sigma)
  return blurred(where, x, weights, weights, 'same')
}

export const sobelEdges = op(
  () => [arg('images', operand), optional('dataFormat', lastFormat)],
  {
    /**
     * The slopes of the brightness along the rows and along the columns, by Sobel's filters [−1, 0, 1] · [1, 2, 1]ᵀ. Pixels beyond the
     * edges are 0.
     * @param images [batch, rows, columns, channels], or one image
     * @param dataFormat must be 'channelsLast' or null: the channels are the last axis. Default null
     * @returns float32 [batch, rows, columns, channels, 2]: first the slope from row to row, then the one from column to column
     * @example const edges = ops.image.sobelEdges(images)
     * Keras: `keras.ops.image.sobel_edges`, which requires a batch.
     */
    sobelEdges(images, _dataFormat?): Tensor {
      return eachImage('sobelEdges', images, (batch) => {
        const [count, rows, columns, channels] = exactly(batch.shape, 4)
        const slope = [-1, 0, 1]
        const weight = [1, 2, 1]
        const taps = slope.flatMap((_, y) => slope.map((__, x) => [slope[y]! * weight[x]!, weight[y]! * slope[x]!]))
        const kernel = new Tensor(Float32Array.from(taps.flat()), [3, 3, 1, 2], 'float32')
        const both = convolveDepthwise('sobelEdges', cast(batch, 'float32'), broadcastTo(kernel, [3, 3, channels, 2]), {
          window: [3, 3],
          strides: [1, 1],
          dilation: [1, 1],
          padding: 'same',
        })
        return reshape(both, [count, rows, columns, channels, 2])
      })
    },
  },
  { within: 'image' },
)

export interface SsimOptions extends LastFormatOption {
  /** The largest possible value of a pixel L. Default 1. */
  readonly maxVal?: number
  /** The size of the window, an odd number. Default 11. */
  readonly filterSize?: number
  /** The standard deviation of the window's Gaussian weights. Default 1.5. */
  readonly filterSigma?: number
  /** Default 0.01. */
  readonly k1?: number
  /** Default 0.03. */
  readonly k2?: number
}

export const ssim = op(
  () => [
    arg('image1', operand),
    arg('image2', operand),
    optional('maxVal', number()),
    optional('filterSize', tableSize()),
    optional('filterSigma', number({ above: 0 })),
    optional('k1', number()),
    optional('k2', number()),
    optional('dataFormat', lastFormat),
  ],
  {
    /**
     * The structural similarity of two images, 1 for equal ones (Wang et al. 2004): the mean, over all windows that lie inside the images
     * and over the channels, of
     *
     *   (2 μ₁ μ₂ + c₁) (2 σ₁₂ + c₂) / ((μ₁² + μ₂² + c₁) (σ₁² + σ₂² + c₂)),   c₁ = (k₁ L)², c₂ = (k₂ L)²
     *
     * with the means μ, variances σ² and covariance σ₁₂ of a window with Gaussian weights.
     * @param image1 [batch, rows, columns, channels], or one image
     * @param image2 with the same shape
     * @param maxVal the largest possible value of a pixel L. Default 1.
     * @param filterSize the size of the window, an odd number. Default 11.
     * @param filterSigma the standard deviation of the weights. Default 1.5.
     * @param k1 default 0.01
     * @param k2 default 0.03
     * @param dataFormat must be 'channelsLast' or null: the channels are the last axis. Default null
     * @returns float32 [batch], or a scalar for one image
     * @throws ShapeError when the shapes differ or the window does not fit
     * @example ops.image.ssim(images, restored, { maxVal: 255 })
     * Keras: `keras.ops.image.ssim`, which converts the result to the dtype of the images.
     */
    ssim(image1, image2, maxVal = 1, filterSize = 11, filterSigma = 1.5, k1 = 0.01, k2 = 0.03, _dataFormat?): Tensor {
      if (filterSize % 2 === 0) throw new ArgumentError(`ssim: filterSize must be odd, received ${filterSize}`)
      const pair = exactly(
        [image1, image2].map((each) => requireImages('ssim', each)),
        2,
      )
      if (!sameShape(pair[0].shape, pair[1].shape))
        throw new ShapeError(
          `ssim: both images must have one shape, received ${formatShape(pair[0].shape)} and ${formatShape(pair[1].shape)}`,
        )
      const isOne = pair[0].rank === 3
      const [x, y] = exactly(
        pair.map((each) => cast(isOne ? reshape(each, [1, ...each.shape]) : each, 'float32')),
        2,
      )
      const weights = gaussianOf(filterSize, filterSigma)
      const local = (value: Tensor): Tensor => blurred('ssim', value, weights, weights, 'valid')
      const [c1, c2] = [(k1 * maxVal) ** 2, (k2 * maxVal) ** 2]
      const [mx, my] = [local(x), local(y)]
      const [mxx, myy, mxy] = [square(mx), square(my), multiply(mx, my)]
      const [vx, vy] = [subtract(local(square(x)), mxx), subtract(local(square(y)), myy)]
      const both = subtract(local(multiply(x, y)), mxy)
      const above = multiply(add(multiply(mxy, 2), c1), add(multiply(both, 2), c2))
      const below = multiply(add(add(mxx, myy), c1), add(add(vx, vy), c2))
      const found = mean(divide(above, below), [1, 2, 3])
      return isOne ? reshape(found, []) : found
    },
  },
  { within: 'image' },
)
