// Adaptive pooling layers: a given number of places, whatever the extents of the input.

import { configured, required } from '../../core/options'
import { adaptAverage, adaptMax, outputSizes } from '../../ops/nn/adaptive-pooling'
import type { Tensor } from '../../ops/tensor'
import { TENSOR } from '../forms'
import { Layer } from '../layer'
import { alongSpace, shapeAlongSpace, spatialOptions, flowOfChannels } from '../spatial'
import type { BatchShape } from '../spec'
import type { LayerTraits } from '../traits'

const sizeOption = (rank: number) => ({
  /** The number of places: one for all axes, or one for each. */
  outputSize: required(outputSizes(rank)),
})

const AdaptivePoolingBase = configured(Layer<Tensor>, spatialOptions)

/** A function of each window: the channels stay apart. */
abstract class AdaptivePooling extends AdaptivePoolingBase {
  /** @internal */
  static override readonly traits: LayerTraits<AdaptivePooling> = {
    form: TENSOR,
    unitFlow: flowOfChannels,
  }
  declare readonly outputSize: readonly number[]

  /** Combines each window into one number. @internal */
  protected abstract readonly pool: (where: string, x: Tensor, places: readonly number[]) => Tensor

  call(x: Tensor): Tensor {
    return alongSpace(this, this.outputSize.length, x, (last) => this.pool(`${this}`, last, this.outputSize))
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return shapeAlongSpace(this, this.outputSize.length, inputShape, (shape) => [
      shape[0]!,
      ...this.outputSize,
      shape.at(-1)!,
    ])
  }
}

const AdaptivePooling1D = configured(AdaptivePooling, () => sizeOption(1), ['outputSize'])
const AdaptivePooling2D = configured(AdaptivePooling, () => sizeOption(2), ['outputSize'])
const AdaptivePooling3D = configured(AdaptivePooling, () => sizeOption(3), ['outputSize'])

/**
 * The mean of each of outputSize windows: x [batch, steps, channels] → [batch, outputSize, channels]. Keras:
 * `keras.layers.AdaptiveAveragePooling1D`.
 */
export class AdaptiveAveragePooling1D extends AdaptivePooling1D {
  static readonly className = 'AdaptiveAveragePooling1D'
  protected readonly pool = adaptAverage
}

/**
 * The mean of each of outputSize windows: x [batch, rows, columns, channels] → [batch, …outputSize, channels].
 *
 *   new AdaptiveAveragePooling2D(7)
 *
 * Keras: `keras.layers.AdaptiveAveragePooling2D`.
 */
export class AdaptiveAveragePooling2D extends AdaptivePooling2D {
  static readonly className = 'AdaptiveAveragePooling2D'
  protected readonly pool = adaptAverage
}

/** The same over three axes. Keras: `keras.layers.AdaptiveAveragePooling3D`. */
export class AdaptiveAveragePooling3D extends AdaptivePooling3D {
  static readonly className = 'AdaptiveAveragePooling3D'
  protected readonly pool = adaptAverage
}

/**
 * The maximum of each of outputSize windows: x [batch, steps, channels] → [batch, outputSize, channels]. Keras:
 * `keras.layers.AdaptiveMaxPooling1D`.
 */
export class AdaptiveMaxPooling1D extends AdaptivePooling1D {
  static readonly className = 'AdaptiveMaxPooling1D'
  protected readonly pool = adaptMax
}

/**
 * The maximum of each of outputSize windows: x [batch, rows, columns, channels] → [batch, …outputSize, channels]. Keras:
 * `keras.layers.AdaptiveMaxPooling2D`.
 */
export class AdaptiveMaxPooling2D extends AdaptivePooling2D {
  static readonly className = 'AdaptiveMaxPooling2D'
  protected readonly pool = adaptMax
}

/** The same over three axes. Keras: `keras.layers.AdaptiveMaxPooling3D`. */
export class AdaptiveMaxPooling3D extends AdaptivePooling3D {
  static readonly className = 'AdaptiveMaxPooling3D'
  protected readonly pool = adaptMax
}
