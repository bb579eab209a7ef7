// GroupNormalization: normalizes groups of channels of each sample.

import { ShapeError } from '../../core/errors'
import { configured, integer, option } from '../../core/options'
import { normalizeAxis } from '../../core/shapes'
import { add, rsqrt } from '../../ops/numpy/elementwise'
import { moments, rescale } from '../../ops/nn/normalization'
import { reshape } from '../../ops/numpy/shape'
import type { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import { extentsAt, type BatchShape } from '../spec'
import { ScaledLayer, extentsAlong } from './options'
import type { LayerTraits } from '../traits'

const GroupNormalizationBase = configured(
  ScaledLayer,
  () => ({
    /** The number of groups; −1 for one group per channel. It must divide the channels. Default 32. */
    groups: option(integer({ min: -1 }), 32),
    /** The axis of the channels. Default −1. */
    axis: option(integer(), -1),
  }),
  ['groups', 'axis', 'epsilon', 'center', 'scale'],
)

/**
 * gamma · (x − mean) / √(variance + epsilon) + beta, with mean and variance over all elements of a group of channels of
 * a sample. Wu and He 2018.
 *
 * Keras: `keras.layers.GroupNormalization`.
 */
export class GroupNormalization extends GroupNormalizationBase {
  static readonly className = 'GroupNormalization'
  /** @internal */
  static override readonly traits: LayerTraits<GroupNormalization> = {
    requiredInputs: (layer) =>
      layer.buildShape && { ndim: layer.buildShape.length, ...extentsAt(layer.buildShape, [layer.axis]) },
  }

  override build(inputShape: BatchShape): void {
    const [channels] = extentsAlong(this, inputShape, this.axis)
    const groups = this.groupsOf(channels!)
    if (groups < 1 || channels! % groups !== 0) {
      throw new ShapeError(
        `${this}: groups must divide the channels, received ${channels} channels and ${this.groups} groups`,
      )
    }
    this.addScale([channels!])
  }

  private groupsOf(channels: number): number {
    return this.groups === -1 ? channels : this.groups
  }

  call(x: Tensor): Tensor {
    const axis = normalizeAxis(`${this}`, this.axis, x.rank)
    const groups = this.groupsOf(x.shape[axis]!)
    const size = x.shape[axis]! / groups
    // […, channels, …] → […, groups, channels / groups, …]
    const apart = reshape(x, [...x.shape.slice(0, axis), groups, size, ...x.shape.slice(axis + 1)])
    const { mean, variance } = moments(
      apart,
      apart.shape.map((_, i) => i).filter((i) => i !== 0 && i !== axis),
      true,
    )
    const wide = apart.shape.map(() => 1)
    wide.splice(axis, 2, groups, size)
    const spread = (weight: Variable | null): Tensor | null => (weight === null ? null : reshape(weight, wide))
    return reshape(
      rescale(apart, mean, rsqrt(add(variance, this.epsilon)), spread(this.gamma), spread(this.beta)),
      x.shape,
    )
  }
}
