// The means of losses of distributions and of margins.

import { configured } from '../core/options'
import {
  binaryCrossentropy, categoricalCrossentropy, classMask, crossentropyOptions, klDivergence, sparseCategoricalCrossentropy,
  sparseCrossentropyOptions,
} from '../losses/crossentropies'
import { categoricalHinge, hinge, squaredHinge } from '../losses/hinge'
import { poisson } from '../losses/regression'
import { applyMask } from '../losses/weights'
import type { Tensor } from '../ops/tensor'
import { MeanOfValues } from './mean'

/** The mean binary cross-entropy. */
export class BinaryCrossentropy extends configured(MeanOfValues, () => crossentropyOptions) {
  static override readonly className = 'BinaryCrossentropy'
  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    return binaryCrossentropy(yTrue, yPred, this)
  }
}

/** The mean categorical cross-entropy. */
export class CategoricalCrossentropy extends configured(MeanOfValues, () => crossentropyOptions) {
  static override readonly className = 'CategoricalCrossentropy'
  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    return categoricalCrossentropy(yTrue, yPred, this)
  }
}

/** The mean cross-entropy of class numbers. */
export class SparseCategoricalCrossentropy extends configured(MeanOfValues, () => sparseCrossentropyOptions) {
  static override readonly className = 'SparseCategoricalCrossentropy'

  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    return sparseCategoricalCrossentropy(yTrue, yPred, this)
  }

  /** As in Keras, an ignored class is 0 in the mean; only where samples are weighted it leaves the mean. */
  override updateState(yTrue: Tensor, yPred: Tensor, sampleWeight?: Tensor): void {
    const { ignoreClass, axis } = this
    const mask = ignoreClass === null || sampleWeight === undefined ? undefined : classMask(yTrue, yPred, { ignoreClass, axis })
    super.updateState(yTrue, yPred, applyMask(sampleWeight, mask, 'sum'))
  }
}
/** The mean of Σ y ln(y / ŷ). */
export class KLDivergence extends MeanOfValues {
  static override readonly className = 'KLDivergence'
  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    return klDivergence(yTrue, yPred)
  }
}

/** The mean of ŷ − y ln ŷ. */
export class Poisson extends MeanOfValues {
  static override readonly className = 'Poisson'
  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    return poisson(yTrue, yPred)
  }
}

/** The mean of max(1 − y·ŷ, 0), targets −1 and 1 or 0 and 1. */
export class Hinge extends MeanOfValues {
  static override readonly className = 'Hinge'
  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    return hinge(yTrue, yPred)
  }
}

/** The mean of max(1 − y·ŷ, 0)², targets −1 and 1 or 0 and 1. */
export class SquaredHinge extends MeanOfValues {
  static override readonly className = 'SquaredHinge'
  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    return squaredHinge(yTrue, yPred)
  }
}

/** The mean of how far the right class is not ahead of the best other one by 1; one-hot targets. */
export class CategoricalHinge extends MeanOfValues {
  static override readonly className = 'CategoricalHinge'
  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    return categoricalHinge(yTrue, yPred)
  }
}
