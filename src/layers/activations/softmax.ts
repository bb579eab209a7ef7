// Softmax: positive numbers that sum to 1, along one axis or several. Masked elements are 0.

import { ShapeError, formatShape } from '../../core/errors'
import { configured, either, integer, listOf, option } from '../../core/options'
import { softmax } from '../../ops/nn/activations'
import { where } from '../../ops/numpy/elementwise'
import { Tensor } from '../../ops/tensor'
import type { CallContext } from '../context'
import { ELEMENTWISE } from '../forms'
import { Layer } from '../layer'
import type { LayerTraits } from '../traits'

/** Its exponential is 0 relative to that of any score that is not as negative. */
const LARGE_NEGATIVE = -1e9

const SoftmaxBase = configured(
  Layer<Tensor>,
  () => ({
    /** An axis, or a list of them. Default −1. */
    axis: option(
      either(integer(), listOf(integer()), (value) => typeof value === 'number'),
      -1,
    ),
  }),
  ['axis'],
)

/**
 * eˣ / Σ eˣ, summed along one axis or over several at once. A mask broadcasts to x; masked elements become 0 and are
 * left out of the sum.
 *
 *   new Softmax().apply(scores, { mask })
 *
 * Keras: `keras.layers.Softmax`.
 */
export class Softmax extends SoftmaxBase {
  static readonly className = 'Softmax'
  /** @internal */
  static override readonly traits: LayerTraits<Softmax> = {
    form: ELEMENTWISE,
    readsMask: () => true,
    checkMask(layer, { shape, rank }, input) {
      const extents = input.slice(input.length - rank)
      if (rank <= input.length && shape.every((extent, i) => extent === 1 || extent === extents[i])) return
      throw new ShapeError(
        `${layer}: the mask must broadcast to the input ${formatShape(input)}, received ${formatShape(shape)}`,
      )
    },
  }

  call(x: Tensor, { mask }: CallContext): Tensor {
    if (!(mask instanceof Tensor)) return softmax(x, this.axis)
    const probabilities = softmax(where(mask, x, LARGE_NEGATIVE), this.axis)
    // A row that is masked completely is uniform before this.
    return where(mask, probabilities, 0)
  }
}
