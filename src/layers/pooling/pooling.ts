// Pooling layers: the maximum or the mean of each window.

import { configured, nullable, option } from '../../core/options'
import { poolAverage, poolMax } from '../../ops/nn/pooling'
import { padding, perAxis, placesIn, type Padding, type Sliding } from '../../ops/nn/sliding'
import type { Tensor } from '../../ops/tensor'
import { TENSOR } from '../forms'
import { Layer } from '../layer'
import { alongSpace, shapeAlongSpace, spatialOptions, flowOfChannels } from '../spatial'
import type { BatchShape } from '../spec'
import type { LayerTraits } from '../traits'

const poolOptions = (rank: number) => ({
  /** The size of the window: one number, or one for each axis. Default 2. */
  poolSize: option(perAxis(rank), 2),
  /** The step of the window; null means poolSize, so that windows do not overlap. Default null. */
  strides: option(nullable(perAxis(rank)), null),
  /**
   * 'valid': only inside the input. 'same': ⌈extent / stride⌉ positions; elements outside are ignored. Default valid.
   */
  padding: option(padding, 'valid'),
})

const PoolingBase = configured(Layer<Tensor>, spatialOptions)

/** A function of each window: the channels stay apart. */
abstract class Pooling extends PoolingBase {
  /** @internal */
  static override readonly traits: LayerTraits<Pooling> = {
    form: TENSOR,
    unitFlow: flowOfChannels,
    requiredInputs: (layer) => ({ ndim: layer.poolSize.length + 2 }),
  }
  declare readonly poolSize: readonly number[]
  declare readonly strides: readonly number[] | null
  declare readonly padding: Padding

  /** Combines each window into one number. @internal */
  protected abstract readonly pool: (where: string, x: Tensor, sliding: Sliding) => Tensor

  private get sliding(): Sliding {
    const { poolSize, strides, padding } = this
    return { window: poolSize, strides: strides ?? poolSize, dilation: poolSize.map(() => 1), padding }
  }

  call(x: Tensor): Tensor {
    return alongSpace(this, this.poolSize.length, x, (last) => this.pool(`${this}`, last, this.sliding))
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return shapeAlongSpace(this, this.poolSize.length, inputShape, ([batch = null, ...rest]) => [
      batch,
      ...placesIn(`${this}`, rest.slice(0, -1), this.sliding),
      rest.at(-1)!,
    ])
  }
}

/** The options by position, in Keras's order. */
const POSITIONAL = ['poolSize', 'strides', 'padding', 'dataFormat', 'name'] as const

const Pooling1D = configured(Pooling, () => poolOptions(1), POSITIONAL)
const Pooling2D = configured(Pooling, () => poolOptions(2), POSITIONAL)
const Pooling3D = configured(Pooling, () => poolOptions(3), POSITIONAL)

/**
 * The maximum of each window: x [batch, steps, channels] → [batch, places, channels]. Keras:
 * `keras.layers.MaxPooling1D`.
 */
export class MaxPooling1D extends Pooling1D {
  static readonly className = 'MaxPooling1D'
  protected readonly pool = poolMax
}

/**
 * The maximum of each window: x [batch, rows, columns, channels] → [batch, …places, channels].
 *
 *   new MaxPooling2D(2)
 *
 * Keras: `keras.layers.MaxPooling2D`.
 */
export class MaxPooling2D extends Pooling2D {
  static readonly className = 'MaxPooling2D'
  protected readonly pool = poolMax
}

/** The same over three axes. Keras: `keras.layers.MaxPooling3D`. */
export class MaxPooling3D extends Pooling3D {
  static readonly className = 'MaxPooling3D'
  protected readonly pool = poolMax
}

/**
 * The mean of each window: x [batch, steps, channels] → [batch, places, channels]. Keras:
 * `keras.layers.AveragePooling1D`.
 */
export class AveragePooling1D extends Pooling1D {
  static readonly className = 'AveragePooling1D'
  protected readonly pool = poolAverage
}

/**
 * The mean of each window: x [batch, rows, columns, channels] → [batch, …places, channels]. Keras:
 * `keras.layers.AveragePooling2D`.
 */
export class AveragePooling2D extends Pooling2D {
  static readonly className = 'AveragePooling2D'
  protected readonly pool = poolAverage
}

/** The same over three axes. Keras: `keras.layers.AveragePooling3D`. */
export class AveragePooling3D extends Pooling3D {
  static readonly className = 'AveragePooling3D'
  protected readonly pool = poolAverage
}
