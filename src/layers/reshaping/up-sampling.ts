// UpSampling: repeats every step, pixel or voxel, or interpolates between pixels.

import type { DType } from '../../core/dtypes'
import { configured, option } from '../../core/options'
import { interpolation, resize } from '../../ops/image'
import { perAxis } from '../../ops/sliding'
import { repeat } from '../../ops/shape'
import type { Tensor } from '../../ops/tensor'
import { SpatialLayer } from '../core/spatial-layer'
import type { BatchShape } from '../spec'
import type { UnitFlow } from '../units'
import { KEEPS } from '../units'

abstract class UpSampling extends SpatialLayer {
  declare readonly size: readonly number[]

  protected get rank(): number {
    return this.size.length
  }

  protected override get flowOfLast(): UnitFlow {
    return KEEPS
  }

  protected callLast(x: Tensor): Tensor {
    return this.size.reduce((y, times, i) => (times === 1 ? y : repeat(y, times, i + 1)), x)
  }

  protected shapeLast(inputShape: BatchShape): BatchShape {
    const lengths = inputShape.slice(1, -1).map((extent, i) => (extent === null ? null : extent * this.size[i]!))
    return [inputShape[0]!, ...lengths, inputShape.at(-1)!]
  }

  protected override outputDtype([dtype]: readonly DType[]): DType {
    return dtype ?? 'float32'
  }
}

/**
 * Repeats each step `size` times: x [batch, steps, channels] → [batch, steps · size, channels]. Keras:
 * `keras.layers.UpSampling1D`.
 */
export class UpSampling1D extends configured(
  UpSampling,
  () => ({
    /** The number of repetitions. Default 2. */
    size: option(perAxis(1), 2),
  }),
  'size',
) {
  static readonly className = 'UpSampling1D'
}

/**
 * x [batch, rows, columns, channels] → [batch, rows · size, columns · size, channels]. Keras:
 * `keras.layers.UpSampling2D`.
 */
export class UpSampling2D extends configured(
  UpSampling,
  () => ({
    /** The number of repetitions: one number, or one for each axis. Default 2. */
    size: option(perAxis(2), 2),
    /** 'nearest' repeats pixels; 'bilinear', 'bicubic', 'lanczos3' and 'lanczos5' interpolate. Default nearest. */
    interpolation: option(interpolation, 'nearest'),
  }),
  'size',
) {
  static readonly className = 'UpSampling2D'

  protected override callLast(x: Tensor): Tensor {
    if (this.interpolation === 'nearest') return super.callLast(x)
    return resize(x, this.shapeLast(x.shape).slice(1, -1) as number[], { interpolation: this.interpolation })
  }

  // Interpolation uses only one channel for each channel of the output.
  protected override get flowOfLast(): UnitFlow {
    return KEEPS
  }

  protected override outputDtype(inputs: readonly DType[]): DType {
    return this.interpolation === 'nearest' ? super.outputDtype(inputs) : 'float32'
  }
}

/** Repeats each voxel: x [batch, depth, rows, columns, channels]. Keras: `keras.layers.UpSampling3D`. */
export class UpSampling3D extends configured(
  UpSampling,
  () => ({
    /** The number of repetitions: one number, or one for each axis. Default 2. */
    size: option(perAxis(3), 2),
  }),
  'size',
) {
  static readonly className = 'UpSampling3D'
}
