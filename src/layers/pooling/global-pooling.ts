// Global pooling: one number for each channel.

import { merged } from '../../core/merged'
import { boolean, configured, option } from '../../core/options'
import { flatten } from '../../core/tree'
import { cast, divide, equal, multiply, where } from '../../ops/numpy/elementwise'
import { max, mean, sum } from '../../ops/numpy/reduce'
import { expandDims } from '../../ops/numpy/shape'
import type { Tensor } from '../../ops/tensor'
import { requireMask } from '../checks'
import type { CallContext } from '../context'
import { TENSOR } from '../forms'
import { Layer } from '../layer'
import { alongSpace, isChannelsFirst, shapeAlongSpace, spatialOptions, flowOfChannels } from '../spatial'
import type { BatchShape } from '../spec'
import type { LayerTraits } from '../traits'

const GlobalPoolingBase = configured(
  Layer<Tensor>,
  () =>
    merged(spatialOptions(), {
      /** Whether the spatial axes are kept as extents of 1. Default false. */
      keepDims: option(boolean, false),
    }),
  ['dataFormat', 'keepDims'],
)

/** The base of global pooling: one number for each channel, from all places. */
abstract class GlobalPooling extends GlobalPoolingBase {
  /** @internal */
  static override readonly traits: LayerTraits<GlobalPooling> = {
    form: TENSOR,
    unitFlow: flowOfChannels,
    requiredInputs: (layer) => ({ ndim: layer.rank + 2 }),
  }
  /** The number of spatial axes. */
  protected abstract readonly rank: number
  /** Combines all places into one number. @internal */
  protected abstract readonly pool: (x: Tensor, axes: readonly number[], keepDims: boolean) => Tensor

  call(x: Tensor, _context: CallContext): Tensor {
    const axes = Array.from({ length: this.rank }, (_, i) => i + 1)
    return alongSpace(this, this.rank, x, (last) => this.pool(last, axes, this.keepDims))
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    const ones = this.keepDims ? new Array<1>(this.rank).fill(1) : []
    return shapeAlongSpace(this, this.rank, inputShape, (shape) => [shape[0]!, ...ones, shape.at(-1)!])
  }
}

/** The mean of the steps that are not masked; 0 if all are masked. */
/* @__NO_SIDE_EFFECTS__ */
function meanOf(x: Tensor, mask: Tensor, keepDims: boolean): Tensor {
  const weights = expandDims(cast(mask, 'float32'), 2)
  const count = sum(weights, 1, keepDims)
  return divide(sum(multiply(x, weights), 1, keepDims), where(equal(count, 0), 1, count))
}

/**
 * The maximum over all steps: x [batch, steps, channels] → [batch, channels]. Keras: `keras.layers.GlobalMaxPooling1D`.
 */
export class GlobalMaxPooling1D extends GlobalPooling {
  static readonly className = 'GlobalMaxPooling1D'
  protected readonly rank = 1
  protected readonly pool = max
}

/**
 * The maximum over the image: x [batch, rows, columns, channels] → [batch, channels]. Keras:
 * `keras.layers.GlobalMaxPooling2D`.
 */
export class GlobalMaxPooling2D extends GlobalPooling {
  static readonly className = 'GlobalMaxPooling2D'
  protected readonly rank = 2
  protected readonly pool = max
}

/** The same over three axes. Keras: `keras.layers.GlobalMaxPooling3D`. */
export class GlobalMaxPooling3D extends GlobalPooling {
  static readonly className = 'GlobalMaxPooling3D'
  protected readonly rank = 3
  protected readonly pool = max
}

/**
 * The mean over all steps that are not masked: x [batch, steps, channels] → [batch, channels]. A completely masked sequence
 * gives 0; in Keras it gives NaN.
 *
 * Keras: `keras.layers.GlobalAveragePooling1D`.
 */
export class GlobalAveragePooling1D extends GlobalPooling {
  static readonly className = 'GlobalAveragePooling1D'
  /** @internal */
  static override readonly traits: LayerTraits<GlobalAveragePooling1D> = {
    form: { takesOne: true, masks: true },
    checkMask(layer, mask, [batch, ...rest]) {
      if (rest.length === 2)
        requireMask(layer, mask, ['batch', 'steps'], [batch!, rest[isChannelsFirst(layer) ? 1 : 0]!])
    },
    // With a mask, the mean is still one of each channel alone.
    unitFlow: flowOfChannels,
    readsMask: () => true,
    maskTrail: () => null,
  }
  protected readonly rank = 1
  protected readonly pool = mean

  override call(x: Tensor, context: CallContext): Tensor {
    const [mask = null] = flatten(context.mask)
    if (mask === null) return super.call(x, context)
    return alongSpace(this, 1, x, (last) => meanOf(last, mask, this.keepDims))
  }

  override computeMask(): null {
    return null
  }
}

/**
 * The mean over the image: x [batch, rows, columns, channels] → [batch, channels]. Keras:
 * `keras.layers.GlobalAveragePooling2D`.
 */
export class GlobalAveragePooling2D extends GlobalPooling {
  static readonly className = 'GlobalAveragePooling2D'
  protected readonly rank = 2
  protected readonly pool = mean
}

/** The same over three axes. Keras: `keras.layers.GlobalAveragePooling3D`. */
export class GlobalAveragePooling3D extends GlobalPooling {
  static readonly className = 'GlobalAveragePooling3D'
  protected readonly rank = 3
  protected readonly pool = mean
}
