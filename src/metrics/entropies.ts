// Metrics that are means of losses of distributions and of margins.

import {
  binaryCrossentropy,
  categoricalCrossentropy,
  klDivergence,
  sparseCategoricalCrossentropy,
} from '../losses/crossentropies'
import { categoricalHinge, hinge, squaredHinge } from '../losses/hinge'
import { crossentropyOptions, sparseCrossentropyOptions } from '../losses/options'
import { poisson } from '../losses/regression'
import { classMask } from '../losses/values'
import { applyMask } from '../losses/weights'
import type { MeanInOrder } from './mean'
import { meanOf } from './mean'
import type { Batch } from './metric'
import { tensorsOf } from './metric'

/**
 * The mean binary cross-entropy.
 * @example
 * const metric = new metrics.BinaryCrossentropy()
 * metric.apply([[1], [0]], [[0.9], [0.2]])
 * metric.result()   // 0.1643
 */
export class BinaryCrossentropy extends (meanOf as MeanInOrder<['name', 'dtype', 'fromLogits', 'labelSmoothing']>)(
  binaryCrossentropy,
  crossentropyOptions,
) {
  static override readonly className = 'BinaryCrossentropy'
}

/**
 * The mean categorical cross-entropy.
 * @example
 * const metric = new metrics.CategoricalCrossentropy()
 * metric.apply([[0, 1, 0]], [[0.1, 0.7, 0.2]])
 * metric.result()   // 0.3567
 */
export class CategoricalCrossentropy extends (
  meanOf as MeanInOrder<['name', 'dtype', 'fromLogits', 'labelSmoothing', 'axis']>
)(categoricalCrossentropy, crossentropyOptions) {
  static override readonly className = 'CategoricalCrossentropy'
}

/**
 * The mean cross-entropy of class numbers.
 * @example
 * const metric = new metrics.SparseCategoricalCrossentropy()
 * metric.apply([1], [[0.1, 0.7, 0.2]])
 * metric.result()   // 0.3567
 */
export class SparseCategoricalCrossentropy extends (
  meanOf as MeanInOrder<['name', 'dtype', 'fromLogits', 'ignoreClass', 'axis']>
)(sparseCategoricalCrossentropy, sparseCrossentropyOptions) {
  static override readonly className = 'SparseCategoricalCrossentropy'

  /** As in Keras, an ignored class counts as 0 in the mean; it is excluded only if there are sample weights. */
  override updateState(...batch: Batch): void {
    const [yTrue, yPred, sampleWeight] = tensorsOf(...batch)
    const { ignoreClass, axis } = this
    const mask =
      ignoreClass === null || sampleWeight === undefined ? undefined : classMask(yTrue, yPred, { ignoreClass, axis })
    super.updateState(yTrue, yPred, applyMask(sampleWeight, mask, 'sum'))
  }
}

/**
 * The mean of Σ y ln(y / ŷ).
 * @example
 * const metric = new metrics.KLDivergence()
 * metric.apply([[0.5, 0.5]], [[0.9, 0.1]])
 * metric.result()   // 0.5108
 */
export class KLDivergence extends (meanOf as MeanInOrder<['name', 'dtype']>)(klDivergence) {
  static override readonly className = 'KLDivergence'
}

/**
 * The mean of ŷ − y ln ŷ.
 * @example
 * const metric = new metrics.Poisson()
 * metric.apply([[2], [0]], [[1.5], [0.5]])
 * metric.result()   // 0.5945
 */
export class Poisson extends (meanOf as MeanInOrder<['name', 'dtype']>)(poisson) {
  static override readonly className = 'Poisson'
}

/**
 * The mean of max(1 − y·ŷ, 0), targets −1 and 1 or 0 and 1.
 * @example
 * const metric = new metrics.Hinge()
 * metric.apply([[1], [-1]], [[0.5], [-2]])
 * metric.result()   // 0.25
 */
export class Hinge extends (meanOf as MeanInOrder<['name', 'dtype']>)(hinge) {
  static override readonly className = 'Hinge'
}

/**
 * The mean of max(1 − y·ŷ, 0)², targets −1 and 1 or 0 and 1.
 * @example
 * const metric = new metrics.SquaredHinge()
 * metric.apply([[1], [-1]], [[0.5], [-2]])
 * metric.result()   // 0.125
 */
export class SquaredHinge extends (meanOf as MeanInOrder<['name', 'dtype']>)(squaredHinge) {
  static override readonly className = 'SquaredHinge'
}

/**
 * The mean of max(1 + the largest other score − the score of the right class, 0); one-hot targets.
 * @example
 * const metric = new metrics.CategoricalHinge()
 * metric.apply([[0, 1, 0]], [[0.4, 0.9, 0.1]])
 * metric.result()   // 0.5
 */
export class CategoricalHinge extends (meanOf as MeanInOrder<['name', 'dtype']>)(categoricalHinge) {
  static override readonly className = 'CategoricalHinge'
}
