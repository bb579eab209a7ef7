// Permute: reorders the axes of each sample.

import { ArgumentError } from '../../core/errors'
import { configured, integer, listOf, required } from '../../core/options'
import { transpose } from '../../ops/numpy/shape'
import type { Tensor } from '../../ops/tensor'
import { requireRank } from '../checks'
import type { BatchShape } from '../spec'
import { REARRANGING } from '../forms'
import { sameIndices } from '../indices'
import { Layer } from '../layer'
import type { LayerTraits } from '../traits'

const PermuteBase = configured(
  Layer<Tensor>,
  () => ({
    /** The axes of a sample in their new order, counted from 1, without the batch axis. */
    dims: required(listOf(integer({ min: 1 }))),
  }),
  ['dims'],
)

/**
 * Axis i of the output is axis dims[i − 1] of a sample: `new Permute([2, 1])` is [batch, a, b] → [batch, b, a].
 *
 * Keras: `keras.layers.Permute`.
 */
export class Permute extends PermuteBase {
  static readonly className = 'Permute'
  /** @internal */
  static override readonly traits: LayerTraits<Permute> = {
    form: REARRANGING,
    requiredInputs: (layer) => ({ ndim: layer.dims.length + 1 }),
  }

  protected override checkOptions(): void {
    if (this.dims.every((_, i) => this.dims.includes(i + 1))) return
    throw new ArgumentError(
      `${this}: dims must hold each of 1 … ${this.dims.length} once, received [${this.dims.join(', ')}]`,
    )
  }

  call(x: Tensor): Tensor {
    this.requireAxes(x.shape)
    return sameIndices(transpose(x, [0, ...this.dims]), x)
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    this.requireAxes(inputShape)
    return [inputShape[0]!, ...this.dims.map((axis) => inputShape[axis]!)]
  }

  private requireAxes(inputShape: BatchShape): void {
    requireRank(this, inputShape, ['batch', ...this.dims.map((_, i) => `axis ${i + 1}`)])
  }
}
