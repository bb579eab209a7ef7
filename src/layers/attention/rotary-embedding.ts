// RotaryEmbedding: positions as rotations of pairs of features.

import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import { configured, count, integer, listOf, nullable, number, option } from '../../core/options'
import { normalizeAxis, type Shape } from '../../core/shapes'
import { add, cos, multiply, sin, subtract } from '../../ops/numpy/elementwise'
import { arange, concatenate, reshape, slice } from '../../ops/numpy/shape'
import { Tensor } from '../../ops/tensor'
import { sequenceLength } from '../context'
import { PASSING, type LayerForm } from '../forms'
import { Layer } from '../layer'
import type { BatchShape } from '../spec'
import type { LayerTraits } from '../traits'

const FORM: LayerForm = { ...PASSING, onlyHere: 'Keras has no layer RotaryEmbedding, only Keras Hub has' }

const RotaryEmbeddingBase = configured(
  Layer<Tensor>,
  () => ({
    /** The base θ of the frequencies θ^(−2i / features). Default 10000. */
    maxWavelength: option(number({ above: 0 }), 10000),
    /** Divides the positions. Default 1. */
    scalingFactor: option(number({ above: 0 }), 1),
    /** The axis of the steps. Default 1. */
    sequenceAxis: option(integer(), 1),
    /** The axis of the features. Default −1. */
    featureAxis: option(integer(), -1),
    /**
     * The angle per step of each pair, in place of those that follow from maxWavelength. If there are fewer than half of the features,
     * only the first features are rotated: two for each frequency. Default null.
     */
    frequencies: option(nullable(listOf(number())), null),
    /** Multiplies the rotated features: the attention factor of YaRN and LongRoPE. Default 1. */
    magnitude: option(number(), 1),
    /** The angles in place of `frequencies` for sequences of more than originalLength steps, as LongRoPE has them. Default null. */
    longFrequencies: option(nullable(listOf(number())), null),
    /** The most steps for which `frequencies` are used if there are longFrequencies. Default null. */
    originalLength: option(nullable(count), null),
  }),
  ['maxWavelength', 'scalingFactor', 'sequenceAxis', 'featureAxis'],
)

/**
 * Rotates pairs of features by an angle that grows with the step t, so that the product of a query and a key depends on the distance
 * of their steps. Feature i of the first half is paired with feature i of the second half:
 *
 *     yᵢ = xᵢ cos(t fᵢ) − xᵢ₊ₙ sin(t fᵢ),   yᵢ₊ₙ = xᵢ₊ₙ cos(t fᵢ) + xᵢ sin(t fᵢ),   fᵢ = θ^(−i / n),   n = features / 2
 *
 * [batch, steps, …, features] → the same shape. Apply it to queries and keys, not to values:
 *
 *   const rotary = new RotaryEmbedding()
 *   ops.dotProductAttention(rotary.apply(query), rotary.apply(key), value, { isCausal: true })
 *
 * With `longFrequencies`, the number of steps of a call decides which frequencies all its steps have. `generate` decides by the prompt with
 * maxTokens.
 *
 * Su et al., "RoFormer", 2021. Ding et al., "LongRoPE", 2024. Keras Hub: `keras_hub.layers.RotaryEmbedding`.
 * @throws ShapeError for an odd number of features, and for fewer features than twice the number of frequencies
 */
export class RotaryEmbedding extends RotaryEmbeddingBase {
  static readonly className = 'RotaryEmbedding'
  /** @internal */
  static override readonly traits: LayerTraits<RotaryEmbedding> = { form: FORM }

  protected override checkOptions(): void {
    if (this.frequencies?.length === 0)
      throw new ArgumentError(`${this}: frequencies must have at least one number, or be null`)
    const { frequencies, longFrequencies, originalLength } = this
    if (longFrequencies === null && originalLength === null) return
    if (originalLength === null || longFrequencies === null || longFrequencies.length !== frequencies?.length)
      throw new ArgumentError(
        `${this}: longFrequencies needs originalLength, and as many numbers as frequencies; received ${longFrequencies?.length ?? 'no'} longFrequencies, ${frequencies?.length ?? 'no'} frequencies and originalLength ${originalLength}`,
      )
  }

  override build(inputShape: BatchShape): void {
    const axis = normalizeAxis(`${this}`, this.featureAxis, inputShape.length)
    if (inputShape[axis] !== null) this.frequenciesOf(inputShape, axis, 1)
  }

  call(x: Tensor): Tensor {
    const axis = normalizeAxis(`${this}`, this.featureAxis, x.rank)
    const steps = normalizeAxis(`${this}`, this.sequenceAxis, x.rank)
    if (axis === steps) throw new ArgumentError(`${this}: sequenceAxis and featureAxis must differ, both are ${axis}`)
    const frequencies = this.frequenciesOf(x.shape, axis, x.shape[steps]!)
    const n = frequencies.length
    const angles = this.angles(x.shape, steps, axis, frequencies)
    const [cosine, sine] = [cos(angles), sin(angles)].map((each) =>
      this.magnitude === 1 ? each : multiply(each, this.magnitude),
    )
    const part = (start: number, size: number): Tensor =>
      slice(
        x,
        x.shape.map((_, i) => (i === axis ? start : 0)),
        x.shape.map((extent, i) => (i === axis ? size : extent)),
      )
    const [first, second] = [part(0, n), part(n, n)]
    const rest = x.shape[axis]! - 2 * n
    return concatenate(
      [
        subtract(multiply(first, cosine!), multiply(second, sine!)),
        add(multiply(second, cosine!), multiply(first, sine!)),
        ...(rest > 0 ? [part(2 * n, rest)] : []),
      ],
      axis,
    )
  }

  /** The angle per step of each pair of features, in float32. */
  private frequenciesOf(shape: BatchShape, axis: number, steps: number): Float32Array {
    const features = shape[axis]!
    if (this.frequencies === null) {
      if (features % 2 !== 0)
        throw new ShapeError(`${this}: the features must be even, received ${formatShape(shape)} along axis ${axis}`)
      return Float32Array.from({ length: features / 2 }, (_, i) => 1 / this.maxWavelength ** ((2 * i) / features))
    }
    if (2 * this.frequencies.length > features)
      throw new ShapeError(
        `${this}: ${this.frequencies.length} frequencies rotate ${2 * this.frequencies.length} features, received ${formatShape(shape)} along axis ${axis}`,
      )
    const isLong = this.originalLength !== null && sequenceLength(steps) > this.originalLength
    return Float32Array.from(isLong ? this.longFrequencies! : this.frequencies)
  }

  /** Step times frequency: an extent along the axes of steps and features, 1 along all others. */
  private angles(shape: Shape, steps: number, axis: number, frequencies: Float32Array): Tensor {
    const along = (at: number, extent: number): number[] => shape.map((_, i) => (i === at ? extent : 1))
    const places = multiply(arange(0, shape[steps]!, 1, 'float32'), 1 / this.scalingFactor)
    return multiply(
      reshape(places, along(steps, shape[steps]!)),
      new Tensor(frequencies, along(axis, frequencies.length), 'float32'),
    )
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape
  }
}
