// Normalization: scales features to mean 0 and variance 1, with statistics that adapt computes from data.

import { ArgumentError, DataError, ShapeError, formatShape } from '../../core/errors'
import { boolean, configured, either, integer, listOf, nullable, option } from '../../core/options'
import type { Config, Json } from '../../core/registry'
import { normalizeAxes, sameShape, sizeOf, type Shape } from '../../core/shapes'
import { Initializer } from '../../parts/initializers'
import { toTensor } from '../../ops/convert'
import { constants } from '../../ops/constants'
import { add, divide, maximum, multiply, sqrt, subtract } from '../../ops/numpy/elementwise'
import { broadcastTo, full, reshape } from '../../ops/numpy/shape'
import { Tensor, type NestedArray } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import { requireExtents, requireSameRank } from '../checks'
import type { BatchShape } from '../spec'
import { AdaptedLayer } from './adapted'
import { RunningMoments } from './moments'
import type { LayerTraits } from '../traits'

/** The value of a statistic before it is known. */
class Unknown extends Initializer {
  override call(shape: Shape): Tensor {
    return full(shape, NaN)
  }
}

/** Keras's epsilon: it avoids a division by 0 for constant features. */
const LEAST_DEVIATION = 1e-7
const LARGEST_INT = 2 ** 31 - 1

/** The weights of a layer that adapts. */
interface Statistics {
  readonly mean: Variable
  readonly variance: Variable
  readonly count: Variable
}

const NormalizationBase = configured(
  AdaptedLayer<Tensor>,
  () => ({
    /**
     * The axes with a separate mean for each index; negative ones count from the end; null for a single mean. Default −1.
     */
    axis: option(nullable(either(integer(), listOf(integer()), (value) => typeof value === 'number')), -1),
    /** A number, or one for each index along `axis`; requires `variance`. Default null: adapt computes it. */
    mean: option(nullable(constants), null),
    /** Like `mean`. */
    variance: option(nullable(constants), null),
    /** Whether to map normalized features back to features. Default false. */
    invert: option(boolean, false),
  }),
  ['axis', 'mean', 'variance', 'invert'],
)

/**
 * (x − mean) / max(√variance, 1e-7), with one mean and one variance for each index along `axis`; with `invert` the
 * inverse, x · max(√variance, 1e-7) + mean. Mean and variance are given, or computed by `adapt` in float64 over all
 * axes except `axis`. Computed ones are non-trainable weights, which files contain.
 *
 *   const normalization = new Normalization()
 *   await normalization.adapt(rows)
 *   const model = new Sequential([normalization, new Dense({ units: 1 })])
 *
 * Keras: `keras.layers.Normalization`, which returns its input unchanged if it was not adapted.
 * @throws StateError if it is used before it was adapted
 */
export class Normalization extends NormalizationBase {
  static readonly className = 'Normalization'
  /** @internal */
  static override readonly traits: LayerTraits<Normalization> = {
    checkShape(layer, shape, built) {
      layer.requireShape(shape, built)
    },
  }
  override readonly supportsMasking = true
  /** Mean and variance from the options. They are set before the fields of the class exist. */
  declare private fixed: { readonly mean?: NestedArray | null; readonly variance?: NestedArray | null } | undefined
  private statistics: Statistics | null = null
  private found: RunningMoments | null = null

  protected override checkOptions(): void {
    const { mean, variance } = this
    if ((mean === null) !== (variance === null))
      throw new ArgumentError(`${this}: mean and variance must be given together`)
    if (mean === null || variance === null) return
    const [first, second] = [toTensor(mean, `${this}: mean`), toTensor(variance, `${this}: variance`)]
    if (!sameShape(first.shape, second.shape))
      throw new ArgumentError(
        `${this}: mean ${formatShape(first.shape)} and variance ${formatShape(second.shape)} must have the same shape`,
      )
    if (second.data.some((x: number) => x < 0)) throw new ArgumentError(`${this}: variance must be ≥ 0`)
  }

  /** The given or computed mean, one for each index along `axis`; null before adapt. */
  override get mean(): NestedArray | null {
    return this.fixed?.mean ?? this.foundAs('mean')
  }

  override set mean(mean: NestedArray | null) {
    this.fixed = { ...this.fixed, mean }
  }

  /** Like `mean`. */
  override get variance(): NestedArray | null {
    return this.fixed?.variance ?? this.foundAs('variance')
  }

  override set variance(variance: NestedArray | null) {
    this.fixed = { ...this.fixed, variance }
  }

  private foundAs(name: 'mean' | 'variance'): NestedArray | null {
    // Also called while options are read, before the fields exist.
    const statistics = this.statistics as Statistics | null | undefined
    return statistics != null && this.isAdapted ? statistics[name].value.toArray() : null
  }

  /** The axes with separate means, in ascending order. */
  private keptAxes(rank: number): number[] {
    return normalizeAxes(`${this}: axis`, [this.axis ?? []].flat(), rank)
  }

  private requireShape(shape: BatchShape, built: BatchShape): void {
    requireSameRank(this, shape, built)
    requireExtents(this, shape, built, this.keptAxes(built.length))
  }

  override build(inputShape: BatchShape): void {
    const shape = this.keptAxes(inputShape.length).map((axis) => inputShape[axis]!)
    if (shape.some((extent) => extent === null))
      throw new ShapeError(
        `${this}: the extents along axis [${this.keptAxes(inputShape.length).join(', ')}] must be known, received ${formatShape(inputShape)}`,
      )
    const { mean } = this.fixed ?? {}
    if (mean != null) return void this.along(mean, inputShape)
    const statistic = (name: string): Variable =>
      this.addWeight({ name, shape, initializer: new Unknown(), trainable: false })
    this.statistics = {
      mean: statistic('mean'),
      variance: statistic('variance'),
      // The number of elements in the mean, which is a weight in Keras, too.
      count: this.addWeight({ name: 'count', shape: [], initializer: 'zeros', dtype: 'int32' }),
    }
  }

  /** The given values, with an extent of 1 along the other axes of an input. */
  private along(values: Parameters<typeof toTensor>[0], inputShape: BatchShape): Tensor {
    const kept = this.keptAxes(inputShape.length)
    const wide = inputShape.map((extent, axis) => (kept.includes(axis) ? extent! : 1))
    const tensor = toTensor(values, `${this}: mean`)
    const aligned = inputShape.map(() => 1)
    tensor.shape.forEach((extent, i) => (aligned[kept.at(i - tensor.rank) ?? -1] = extent))
    const fits = tensor.rank <= kept.length && aligned.every((extent, axis) => extent === 1 || extent === wide[axis])
    if (!fits)
      throw new ShapeError(
        `${this}: mean and variance ${formatShape(tensor.shape)} do not fit the axes [${kept.join(', ')}] of an input ${formatShape(inputShape)}`,
      )
    return broadcastTo(reshape(tensor, aligned), wide)
  }

  protected get isAdapted(): boolean {
    const { statistics } = this
    return statistics === null ? this.fixed?.mean != null : !statistics.mean.view.some(Number.isNaN)
  }

  protected override requireAdaptable(): void {
    if (this.fixed?.mean != null)
      throw new ArgumentError(
        `${this}: has the mean and the variance that it was given. Leave them out, and adapt finds them`,
      )
  }

  protected begin(): void {
    this.found = null
  }

  protected update(batch: Tensor): void {
    // A single row.
    const shape = batch.rank === 1 && this.axis !== null ? [1, ...batch.shape] : batch.shape
    if (shape.length === 0) throw new ShapeError(`${this}: adapt needs rows, received a number`)
    this.ensureBuilt([null, ...shape.slice(1)])
    this.requireShape([null, ...shape.slice(1)], this.buildShape!)
    const kept = this.keptAxes(shape.length)
    this.found ??= new RunningMoments(sizeOf(kept.map((axis) => shape[axis]!)))
    this.found.add(
      batch.data,
      slotsOf(
        shape.slice(1),
        kept.map((axis) => axis - 1),
      ),
    )
  }

  protected finish(): void {
    const { found } = this
    const { mean, variance, count } = this.requireBuilt(this.statistics)
    this.found = null
    if (found === null || found.count === 0) throw new DataError(`${this}: adapt: the data have no rows`)
    if (![...found.mean, ...found.variance].every(Number.isFinite))
      throw new DataError(`${this}: adapt: the data hold NaN or infinite numbers`)
    mean.assign(new Tensor(Float32Array.from(found.mean), mean.shape, 'float32'))
    variance.assign(new Tensor(Float32Array.from(found.variance), variance.shape, 'float32'))
    count.assign(new Tensor(Int32Array.of(Math.min(found.count, LARGEST_INT)), [], 'int32'))
  }

  call(x: Tensor): Tensor {
    this.requireAdapted()
    const [mean, variance] = this.moments(x)
    const deviation = maximum(sqrt(variance), LEAST_DEVIATION)
    return this.invert ? add(multiply(x, deviation), mean) : divide(subtract(x, mean), deviation)
  }

  private moments(x: Tensor): readonly [mean: Tensor, variance: Tensor] {
    const { fixed } = this
    if (fixed?.mean != null) return [this.along(fixed.mean, x.shape), this.along(fixed.variance!, x.shape)]
    const { mean, variance } = this.requireBuilt(this.statistics)
    const kept = this.keptAxes(x.rank)
    const wide = x.shape.map((extent, axis) => (kept.includes(axis) ? extent : 1))
    return [reshape(mean.value, wide), reshape(variance.value, wide)]
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape
  }

  /** The results of adapt are weights, not options. */
  override getConfig(): Config {
    const { mean = null, variance = null } = this.fixed ?? {}
    return { ...super.getConfig(), mean: mean as Json, variance: variance as Json }
  }
}

/** The slot of each element of a row: its position among the kept axes. */
function slotsOf(row: Shape, kept: readonly number[]): Int32Array {
  const slots = new Int32Array(sizeOf(row))
  let stride = sizeOf(row)
  for (const [axis, extent] of row.entries()) {
    stride /= extent
    if (kept.includes(axis))
      for (let i = 0; i < slots.length; i++) slots[i] = slots[i]! * extent + (Math.floor(i / stride) % extent)
  }
  return slots
}
