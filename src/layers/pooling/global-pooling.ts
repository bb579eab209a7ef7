// Global pooling: one number for each channel.

import { boolean, configured, option } from '../../core/options'
import { flatten } from '../../core/tree'
import { cast, divide, equal, multiply, where } from '../../ops/elementwise'
import { max, mean, sum } from '../../ops/reduce'
import { expandDims } from '../../ops/shape'
import type { Tensor } from '../../ops/tensor'
import type { Shape } from '../../core/shapes'
import { requireMask } from '../checks'
import type { CallContext } from '../context'
import { SpatialLayer } from '../core/spatial-layer'
import type { BatchShape } from '../spec'
import type { UnitFlow } from '../units'
import { KEEPS } from '../units'

abstract class GlobalPooling extends configured(SpatialLayer, () => ({
  /** Whether the spatial axes are kept as extents of 1. Default false. */
  keepDims: option(boolean, false),
})) {
  /** 1 … rank */
  protected get axes(): number[] {
    return Array.from({ length: this.rank }, (_, i) => i + 1)
  }

  protected shapeLast(inputShape: BatchShape): BatchShape {
    const ones = this.keepDims ? this.axes.map(() => 1) : []
    return [inputShape[0]!, ...ones, inputShape.at(-1)!]
  }
}

abstract class GlobalMaxPooling extends GlobalPooling {
  protected override get flowOfLast(): UnitFlow {
    return KEEPS
  }

  protected callLast(x: Tensor): Tensor {
    return max(x, this.axes, this.keepDims)
  }
}

abstract class GlobalAveragePooling extends GlobalPooling {
  protected override get flowOfLast(): UnitFlow {
    return KEEPS
  }

  protected callLast(x: Tensor, _context: CallContext): Tensor {
    return mean(x, this.axes, this.keepDims)
  }
}

/**
 * The maximum over all steps: x [batch, steps, channels] → [batch, channels]. Keras: `keras.layers.GlobalMaxPooling1D`.
 */
export class GlobalMaxPooling1D extends GlobalMaxPooling {
  static readonly className = 'GlobalMaxPooling1D'
  protected readonly rank = 1
}

/**
 * The maximum over the image: x [batch, rows, columns, channels] → [batch, channels]. Keras:
 * `keras.layers.GlobalMaxPooling2D`.
 */
export class GlobalMaxPooling2D extends GlobalMaxPooling {
  static readonly className = 'GlobalMaxPooling2D'
  protected readonly rank = 2
}

/** The same over three axes. Keras: `keras.layers.GlobalMaxPooling3D`. */
export class GlobalMaxPooling3D extends GlobalMaxPooling {
  static readonly className = 'GlobalMaxPooling3D'
  protected readonly rank = 3
}

/**
 * The mean over all steps that are not masked: x [batch, steps, channels] → [batch, channels]. A completely masked sequence
 * gives 0; in Keras it gives NaN.
 *
 * Keras: `keras.layers.GlobalAveragePooling1D`.
 */
export class GlobalAveragePooling1D extends GlobalAveragePooling {
  static readonly className = 'GlobalAveragePooling1D'
  override readonly supportsMasking = true
  protected readonly rank = 1

  protected override checkMask(mask: Tensor, [batch, ...rest]: Shape): void {
    if (rest.length === 2) requireMask(this, mask, ['batch', 'steps'], [batch!, rest[this.isFirst ? 1 : 0]!])
  }

  protected override callLast(x: Tensor, context: CallContext): Tensor {
    const [mask = null] = flatten(context.mask)
    if (mask === null) return super.callLast(x, context)
    const weights = expandDims(cast(mask, 'float32'), 2)
    const count = sum(weights, 1, this.keepDims)
    return divide(sum(multiply(x, weights), 1, this.keepDims), where(equal(count, 0), 1, count))
  }

  // With a mask, the mean is still one of each channel alone.
  protected override get flowOfLast(): UnitFlow {
    return KEEPS
  }

  override get readsMask(): boolean {
    return true
  }

  override maskTrail(): null {
    return null
  }

  override computeMask(): null {
    return null
  }
}

/**
 * The mean over the image: x [batch, rows, columns, channels] → [batch, channels]. Keras:
 * `keras.layers.GlobalAveragePooling2D`.
 */
export class GlobalAveragePooling2D extends GlobalAveragePooling {
  static readonly className = 'GlobalAveragePooling2D'
  protected readonly rank = 2
}

/** The same over three axes. Keras: `keras.layers.GlobalAveragePooling3D`. */
export class GlobalAveragePooling3D extends GlobalAveragePooling {
  static readonly className = 'GlobalAveragePooling3D'
  protected readonly rank = 3
}
