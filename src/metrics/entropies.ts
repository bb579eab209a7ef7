// Metrics that are the means of losses between distributions, or of losses with a margin.

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
import { applyMask } from '../losses/sample-weights'
import { meanOf, type MeanInOrder } from './mean'
import { tensorsOf, type Batch } from './metric'

const BinaryCrossentropyBase = (meanOf as MeanInOrder<['name', 'dtype', 'fromLogits', 'labelSmoothing']>)(
  binaryCrossentropy,
  crossentropyOptions,
)

/**
 * The mean binary cross-entropy.
 * @example
 * const metric = new metrics.BinaryCrossentropy()
 * metric.apply([[1], [0]], [[0.9], [0.2]])
 * metric.result()   // 0.1643
 */
export class BinaryCrossentropy extends BinaryCrossentropyBase {
  static override readonly className = 'BinaryCrossentropy'
}

const CategoricalCrossentropyBase = (meanOf as MeanInOrder<['name', 'dtype', 'fromLogits', 'labelSmoothing', 'axis']>)(
  categoricalCrossentropy,
  crossentropyOptions,
)

/**
 * The mean categorical cross-entropy.
 * @example
 * const metric = new metrics.CategoricalCrossentropy()
 * metric.apply([[0, 1, 0]], [[0.1, 0.7, 0.2]])
 * metric.result()   // 0.3567
 */
export class CategoricalCrossentropy extends CategoricalCrossentropyBase {
  static override readonly className = 'CategoricalCrossentropy'
}

const SparseCategoricalCrossentropyBase = (
  meanOf as MeanInOrder<['name', 'dtype', 'fromLogits', 'ignoreClass', 'axis']>
)(sparseCategoricalCrossentropy, sparseCrossentropyOptions)

/**
 * The mean cross-entropy of class numbers.
 * @example
 * const metric = new metrics.SparseCategoricalCrossentropy()
 * metric.apply([1], [[0.1, 0.7, 0.2]])
 * metric.result()   // 0.3567
 */
export class SparseCategoricalCrossentropy extends SparseCategoricalCrossentropyBase {
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

const KLDivergenceBase = (meanOf as MeanInOrder<['name', 'dtype']>)(klDivergence)

/**
 * The mean of Σ y ln(y / ŷ).
 * @example
 * const metric = new metrics.KLDivergence()
 * metric.apply([[0.5, 0.5]], [[0.9, 0.1]])
 * metric.result()   // 0.5108
 */
export class KLDivergence extends KLDivergenceBase {
  static override readonly className = 'KLDivergence'
}

const PoissonBase = (meanOf as MeanInOrder<['name', 'dtype']>)(poisson)

/**
 * The mean of ŷ − y ln ŷ.
 * @example
 * const metric = new metrics.Poisson()
 * metric.apply([[2], [0]], [[1.5], [0.5]])
 * metric.result()   // 0.5945
 */
export class Poisson extends PoissonBase {
  static override readonly className = 'Poisson'
}

const HingeBase = (meanOf as MeanInOrder<['name', 'dtype']>)(hinge)

/**
 * The mean of max(1 − y·ŷ, 0), targets −1 and 1 or 0 and 1.
 * @example
 * const metric = new metrics.Hinge()
 * metric.apply([[1], [-1]], [[0.5], [-2]])
 * metric.result()   // 0.25
 */
export class Hinge extends HingeBase {
  static override readonly className = 'Hinge'
}

const SquaredHingeBase = (meanOf as MeanInOrder<['name', 'dtype']>)(squaredHinge)

/**
 * The mean of max(1 − y·ŷ, 0)², targets −1 and 1 or 0 and 1.
 * @example
 * const metric = new metrics.SquaredHinge()
 * metric.apply([[1], [-1]], [[0.5], [-2]])
 * metric.result()   // 0.125
 */
export class SquaredHinge extends SquaredHingeBase {
  static override readonly className = 'SquaredHinge'
}

const CategoricalHingeBase = (meanOf as MeanInOrder<['name', 'dtype']>)(categoricalHinge)

/**
 * The mean of max(1 + the largest other score − the score of the right class, 0); one-hot targets.
 * @example
 * const metric = new metrics.CategoricalHinge()
 * metric.apply([[0, 1, 0]], [[0.4, 0.9, 0.1]])
 * metric.result()   // 0.5
 */
export class CategoricalHinge extends CategoricalHingeBase {
  static override readonly className = 'CategoricalHinge'
}
