// RelativePositionBias: scores of attention that depend on the distance of two steps.

import { configured, extent, option, required } from '../../core/options'
import { add, subtract } from '../../ops/numpy/elementwise'
import { arange, expandDims, take, transpose } from '../../ops/numpy/shape'
import { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import { TENSOR } from '../../layers/forms'
import { Layer } from '../../layers/layer'
import type { BatchShape } from '../../layers/spec'

const RelativePositionBiasBase = configured(
  Layer<Tensor>,
  () => ({
    /** The number of heads. */
    numHeads: required(extent),
    /** The number of groups of distances: half of them for steps before, half for steps after. Default 32. */
    buckets: option(extent, 32),
    /** From this distance on, all steps are in one group. Default 128. */
    maxDistance: option(extent, 128),
  }),
  ['numHeads', 'buckets', 'maxDistance'],
)

/**
 * A learnt number for each head and each group of distances: [batch, steps, features] → [heads, steps, steps], which is added to the
 * scores of attention. Near distances have a group each; the farther they are, the more of them share one. Raffel et al., "T5", 2020.
 *
 * One layer may serve all blocks of a model: it is then the `positionBias` of their attention.
 */
export class RelativePositionBias extends RelativePositionBiasBase {
  static readonly className = 'RelativePositionBias'
  /** @internal */
  static override readonly traits = { form: TENSOR }
  private table: Variable | null = null

  /** [buckets, heads] */
  get embeddings(): Variable {
    return this.requireBuilt(this.table)
  }

  override build(): void {
    this.table = this.addWeight({ name: 'embeddings', shape: [this.buckets, this.numHeads], initializer: 'uniform' })
  }

  call(x: Tensor): Tensor {
    const steps = x.shape[1]!
    // key − query, from 1 − steps to steps − 1
    const buckets = Int32Array.from({ length: 2 * steps - 1 }, (_, i) => this.bucketOf(i - steps + 1))
    const byDistance = take(this.embeddings, new Tensor(buckets, [buckets.length], 'int32'), 0)
    const step = arange(0, steps, 1, 'int32')
    const distances = subtract(expandDims(step, 0), expandDims(step, 1))
    return transpose(take(byDistance, add(distances, steps - 1), 0), [2, 0, 1])
  }

  /** In float32 as in PyTorch, so that a distance between two groups falls into the same one. */
  private bucketOf(distance: number): number {
    const half = Math.floor(this.buckets / 2)
    const near = Math.floor(half / 2)
    const first = distance > 0 ? half : 0
    const steps = Math.abs(distance)
    if (steps < near) return first + steps
    const { fround, log } = Math
    const part = fround(fround(log(fround(steps / near))) / fround(log(this.maxDistance / near)))
    return first + Math.min(half - 1, near + Math.floor(fround(part * (half - near))))
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    const steps = inputShape[1] ?? null
    return [this.numHeads, steps, steps]
  }
}
