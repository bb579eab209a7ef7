// Pooling layers: the maximum or the mean of each window.

import { configured, nullable, option } from '../../core/options'
import { poolAverage, poolMax } from '../../ops/pooling'
import type { Padding, Sliding } from '../../ops/sliding'
import { padding, perAxis, placesIn } from '../../ops/sliding'
import type { Tensor } from '../../ops/tensor'
import { SpatialLayer } from '../core/spatial-layer'
import type { BatchShape } from '../spec'
import type { UnitFlow } from '../units'
import { KEEPS } from '../units'

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

abstract class Pooling extends SpatialLayer {
  declare readonly poolSize: readonly number[]
  declare readonly strides: readonly number[] | null
  declare readonly padding: Padding

  protected get rank(): number {
    return this.poolSize.length
  }

  protected get sliding(): Sliding {
    return {
      window: this.poolSize,
      strides: this.strides ?? this.poolSize,
      dilation: this.poolSize.map(() => 1),
      padding: this.padding,
    }
  }

  protected shapeLast(inputShape: BatchShape): BatchShape {
    return [inputShape[0]!, ...placesIn(`${this}`, inputShape.slice(1, -1), this.sliding), inputShape.at(-1)!]
  }
}

abstract class MaxPooling extends Pooling {
  protected override get flowOfLast(): UnitFlow {
    return KEEPS
  }

  protected callLast(x: Tensor): Tensor {
    return poolMax(`${this}`, x, this.sliding)
  }
}

abstract class AveragePooling extends Pooling {
  protected override get flowOfLast(): UnitFlow {
    return KEEPS
  }

  protected callLast(x: Tensor): Tensor {
    return poolAverage(`${this}`, x, this.sliding)
  }
}

/**
 * The maximum of each window: x [batch, steps, channels] → [batch, places, channels]. Keras:
 * `keras.layers.MaxPooling1D`.
 */
export class MaxPooling1D extends configured(MaxPooling, () => poolOptions(1), 'poolSize') {
  static readonly className = 'MaxPooling1D'
}

/**
 * The maximum of each window: x [batch, rows, columns, channels] → [batch, …places, channels].
 *
 *   new MaxPooling2D(2)
 *
 * Keras: `keras.layers.MaxPooling2D`.
 */
export class MaxPooling2D extends configured(MaxPooling, () => poolOptions(2), 'poolSize') {
  static readonly className = 'MaxPooling2D'
}

/** The same over three axes. Keras: `keras.layers.MaxPooling3D`. */
export class MaxPooling3D extends configured(MaxPooling, () => poolOptions(3), 'poolSize') {
  static readonly className = 'MaxPooling3D'
}

/**
 * The mean of each window: x [batch, steps, channels] → [batch, places, channels]. Keras:
 * `keras.layers.AveragePooling1D`.
 */
export class AveragePooling1D extends configured(AveragePooling, () => poolOptions(1), 'poolSize') {
  static readonly className = 'AveragePooling1D'
}

/**
 * The mean of each window: x [batch, rows, columns, channels] → [batch, …places, channels]. Keras:
 * `keras.layers.AveragePooling2D`.
 */
export class AveragePooling2D extends configured(AveragePooling, () => poolOptions(2), 'poolSize') {
  static readonly className = 'AveragePooling2D'
}

/** The same over three axes. Keras: `keras.layers.AveragePooling3D`. */
export class AveragePooling3D extends configured(AveragePooling, () => poolOptions(3), 'poolSize') {
  static readonly className = 'AveragePooling3D'
}
