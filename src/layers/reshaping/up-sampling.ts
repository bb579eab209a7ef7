// UpSampling: repeats every step, pixel or voxel, or interpolates between pixels.

import { configured, option } from '../../core/options'
import { interpolation, resize, type Interpolation } from '../../ops/image/resize'
import { perAxis } from '../../ops/nn/sliding'
import { repeat } from '../../ops/numpy/shape'
import type { Tensor } from '../../ops/tensor'
import { TENSOR } from '../forms'
import { Layer } from '../layer'
import { alongSpace, shapeAlongSpace, spatialOptions, flowOfChannels } from '../spatial'
import { knownShape, type BatchShape } from '../spec'
import type { LayerTraits } from '../traits'

const UpSamplingBase = configured(Layer<Tensor>, spatialOptions)

/** Repeats each element, or interpolates between them. */
abstract class UpSampling extends UpSamplingBase {
  /** @internal */
  static override readonly traits: LayerTraits<UpSampling> = {
    form: TENSOR,
    // Interpolation uses only one channel for each channel of the output.
    unitFlow: flowOfChannels,
    requiredInputs: (layer) => ({ ndim: layer.size.length + 2 }),
    outputDtype: (layer, [dtype]) => (layer.repeats ? (dtype ?? 'float32') : 'float32'),
  }
  declare readonly size: readonly number[]
  declare readonly interpolation?: Interpolation

  private get repeats(): boolean {
    return (this.interpolation ?? 'nearest') === 'nearest'
  }

  call(x: Tensor): Tensor {
    const { size, interpolation = 'nearest' } = this
    return alongSpace(this, size.length, x, (last) =>
      this.repeats
        ? size.reduce((y, times, i) => (times === 1 ? y : repeat(y, times, i + 1)), last)
        : resize(last, knownShape(this.shapeOf(last.shape).slice(1, -1)), { interpolation }),
    )
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return shapeAlongSpace(this, this.size.length, inputShape, (shape) => this.shapeOf(shape))
  }

  private shapeOf(inputShape: BatchShape): BatchShape {
    const lengths = inputShape.slice(1, -1).map((extent, i) => (extent === null ? null : extent * this.size[i]!))
    return [inputShape[0]!, ...lengths, inputShape.at(-1)!]
  }
}

const UpSampling1DBase = configured(
  UpSampling,
  () => ({
    /** The number of repetitions. Default 2. */
    size: option(perAxis(1), 2),
  }),
  ['size'],
)

/**
 * Repeats each step `size` times: x [batch, steps, channels] → [batch, steps · size, channels]. Keras:
 * `keras.layers.UpSampling1D`.
 */
export class UpSampling1D extends UpSampling1DBase {
  static readonly className = 'UpSampling1D'
}

const UpSampling2DBase = configured(
  UpSampling,
  () => ({
    /** The number of repetitions: one number, or one for each axis. Default 2. */
    size: option(perAxis(2), 2),
    /** 'nearest' repeats pixels; 'bilinear', 'bicubic', 'lanczos3' and 'lanczos5' interpolate. Default nearest. */
    interpolation: option(interpolation, 'nearest'),
  }),
  ['size', 'dataFormat', 'interpolation'],
)

/**
 * x [batch, rows, columns, channels] → [batch, rows · size, columns · size, channels]. Keras:
 * `keras.layers.UpSampling2D`.
 */
export class UpSampling2D extends UpSampling2DBase {
  static readonly className = 'UpSampling2D'
}

const UpSampling3DBase = configured(
  UpSampling,
  () => ({
    /** The number of repetitions: one number, or one for each axis. Default 2. */
    size: option(perAxis(3), 2),
  }),
  ['size', 'dataFormat'],
)

/** Repeats each voxel: x [batch, depth, rows, columns, channels]. Keras: `keras.layers.UpSampling3D`. */
export class UpSampling3D extends UpSampling3DBase {
  static readonly className = 'UpSampling3D'
}
