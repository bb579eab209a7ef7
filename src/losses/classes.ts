// The classes of losses: their options, and the targets they refuse. The formulas are in the files of their families.

import { DataError } from '../core/errors'
import { configured } from '../core/options'
import type { Shape, TensorType } from '../core/shapes'
import { normalizeAxis } from '../core/shapes'
import { greater, logicalAnd } from '../ops/elementwise'
import type { Tensor } from '../ops/tensor'
import { circle, circleOptions } from './circle'
import {
  binaryCrossentropy,
  binaryFocalCrossentropy,
  binaryFocalOptions,
  categoricalCrossentropy,
  categoricalFocalCrossentropy,
  categoricalFocalOptions,
  categoricalGeneralizedCrossEntropy,
  classMask,
  crossentropyOptions,
  generalizedOptions,
  klDivergence,
  sparseCategoricalCrossentropy,
  sparseCrossentropyOptions,
} from './crossentropies'
import { BLANK, ctc } from './ctc'
import { categoricalHinge, hinge, squaredHinge } from './hinge'
import {
  OfAmounts,
  OfClassNumbers,
  OfDistributions,
  OfFractions,
  OfNumbers,
  OfSigns,
  requireElements,
  wrongTargets,
} from './kinds'
import type { Counted } from './loss'
import { Loss } from './loss'
import {
  cosineOptions,
  cosineSimilarity,
  huber,
  huberOptions,
  logCosh,
  meanAbsoluteError,
  meanAbsolutePercentageError,
  meanSquaredError,
  meanSquaredLogarithmicError,
  poisson,
} from './regression'
import { dice, diceOptions, tversky, tverskyOptions } from './segmentation'

// ---------------------------------------------------------------- distributions

/**
 * Cross-entropy of binary targets: −(y ln p + (1−y) ln(1−p)).
 * @example new losses.BinaryCrossentropy().apply([1, 0], [0.9, 0.2])   // 0.1643
 */
export class BinaryCrossentropy extends configured(OfFractions, () => crossentropyOptions) {
  static readonly className = 'BinaryCrossentropy'

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return binaryCrossentropy(yTrue, yPred, this)
  }
}

/**
 * Binary cross-entropy that gives less weight to confident correct predictions: (1 − pₜ)^gamma times that of
 * BinaryCrossentropy. For imbalanced targets. Lin et al. 2017.
 * @example new losses.BinaryFocalCrossentropy({ gamma: 2 }).apply([1, 0], [0.9, 0.2])   // 0.00499
 */
export class BinaryFocalCrossentropy extends configured(OfFractions, () => binaryFocalOptions) {
  static readonly className = 'BinaryFocalCrossentropy'

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return binaryFocalCrossentropy(yTrue, yPred, this)
  }
}

/**
 * Cross-entropy of distributions over classes (one-hot rows): −Σ y ln p.
 * @example new losses.CategoricalCrossentropy().apply([[0, 1, 0]], [[0.1, 0.7, 0.2]])   // 0.3567
 */
export class CategoricalCrossentropy extends configured(OfDistributions, () => crossentropyOptions) {
  static readonly className = 'CategoricalCrossentropy'

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return categoricalCrossentropy(yTrue, yPred, this)
  }
}

/**
 * Cross-entropy of distributions that gives less weight to confident correct predictions: −Σ alpha·(1 − p)^gamma·y ln
 * p. Lin et al. 2017.
 * @example new losses.CategoricalFocalCrossentropy({ alpha: [0.2, 0.5, 0.3] }).apply([[0, 1, 0]], [[0.1, 0.7, 0.2]])   // 0.01605
 */
export class CategoricalFocalCrossentropy extends configured(OfDistributions, () => categoricalFocalOptions) {
  static readonly className = 'CategoricalFocalCrossentropy'

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return categoricalFocalCrossentropy(yTrue, yPred, this)
  }
}

/**
 * Cross-entropy of class numbers: −ln p[y].
 * @example new losses.SparseCategoricalCrossentropy({ fromLogits: true }).apply([1], [[0, 2, 1]])   // 0.4076
 */
export class SparseCategoricalCrossentropy extends configured(OfClassNumbers, () => sparseCrossentropyOptions) {
  static readonly className = 'SparseCategoricalCrossentropy'

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return sparseCategoricalCrossentropy(yTrue, yPred, this)
  }

  protected override counted(yTrue: Tensor, yPred: Tensor, mask: Tensor | undefined): Counted {
    const { ignoreClass, axis } = this
    return {
      values: this.call(yTrue, yPred),
      mask: both(mask, ignoreClass === null ? undefined : classMask(yTrue, yPred, { ignoreClass, axis })),
    }
  }

  protected override classAxis(outputShape: Shape): number {
    return normalizeAxis(this.name, this.axis, outputShape.length)
  }

  protected override ignored(): number | null {
    return this.ignoreClass
  }
}

/**
 * (1 − p[y]^q) / q of class numbers: between the cross-entropy and the mean absolute error, so that it is robust to
 * wrong labels. Predictions are probabilities. Zhang & Sabuncu 2018.
 * @example new losses.CategoricalGeneralizedCrossEntropy({ q: 0.5 }).apply([1], [[0.1, 0.7, 0.2]])   // 0.3267
 */
export class CategoricalGeneralizedCrossEntropy extends configured(OfClassNumbers, () => generalizedOptions) {
  static readonly className = 'CategoricalGeneralizedCrossEntropy'

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return categoricalGeneralizedCrossEntropy(yTrue, yPred, this)
  }
}

/**
 * Σ y ln(y / ŷ): the divergence of the distribution ŷ from y.
 * @example new losses.KLDivergence().apply([[0.5, 0.5]], [[0.9, 0.1]])   // 0.5108
 */
export class KLDivergence extends OfFractions {
  static readonly className = 'KLDivergence'

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return klDivergence(yTrue, yPred)
  }
}

// ---------------------------------------------------------------- numbers

/**
 * (y − ŷ)²
 * @example new losses.MeanSquaredError().apply([[1], [3]], [[2], [5]])   // 2.5
 */
export class MeanSquaredError extends OfNumbers {
  static readonly className = 'MeanSquaredError'

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return meanSquaredError(yTrue, yPred)
  }
}

/**
 * |y − ŷ|
 * @example new losses.MeanAbsoluteError().apply([[1], [3]], [[2], [5]])   // 1.5
 */
export class MeanAbsoluteError extends OfNumbers {
  static readonly className = 'MeanAbsoluteError'

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return meanAbsoluteError(yTrue, yPred)
  }
}

/**
 * 100 · |y − ŷ| / |y|, in per cent. Not for targets that may be 0.
 * @example new losses.MeanAbsolutePercentageError().apply([[2], [4]], [[1], [5]])   // 37.5
 */
export class MeanAbsolutePercentageError extends OfNumbers {
  static readonly className = 'MeanAbsolutePercentageError'

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return meanAbsolutePercentageError(yTrue, yPred)
  }
}

/**
 * (ln(1 + y) − ln(1 + ŷ))²: relative errors, for numbers ≥ 0 of very different magnitudes.
 * @example new losses.MeanSquaredLogarithmicError().apply([[1], [100]], [[2], [110]])   // 0.08666
 */
export class MeanSquaredLogarithmicError extends OfAmounts {
  static readonly className = 'MeanSquaredLogarithmicError'

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return meanSquaredLogarithmicError(yTrue, yPred)
  }
}

/**
 * Quadratic for errors up to delta, linear beyond: less sensitive to outliers.
 * @example new losses.Huber({ delta: 1 }).apply([[0], [0]], [[0.5], [4]])   // 1.813
 */
export class Huber extends configured(OfNumbers, () => huberOptions, 'delta') {
  static readonly className = 'Huber'

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return huber(yTrue, yPred, this)
  }
}

/**
 * ln cosh(ŷ − y): a smooth version of Huber.
 * @example new losses.LogCosh().apply([[0], [0]], [[0.5], [4]])   // 1.714
 */
export class LogCosh extends OfNumbers {
  static readonly className = 'LogCosh'

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return logCosh(yTrue, yPred)
  }
}

/**
 * −Σ y·ŷ / (‖y‖ ‖ŷ‖): −1 for equal directions, 1 for opposite ones.
 * @example new losses.CosineSimilarity().apply([[3, 4]], [[6, 8]])   // -1
 */
export class CosineSimilarity extends configured(OfNumbers, () => cosineOptions) {
  static readonly className = 'CosineSimilarity'

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return cosineSimilarity(yTrue, yPred, this)
  }
}

/**
 * ŷ − y ln ŷ: for counts y with expected value ŷ > 0.
 * @example new losses.Poisson().apply([[2], [0]], [[1.5], [0.5]])   // 0.5945
 */
export class Poisson extends OfAmounts {
  static readonly className = 'Poisson'

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return poisson(yTrue, yPred)
  }
}

// ---------------------------------------------------------------- margins

/**
 * max(1 − y·ŷ, 0) of targets −1 and 1, or 0 and 1.
 * @example new losses.Hinge().apply([[1], [-1]], [[0.5], [-2]])   // 0.25
 */
export class Hinge extends OfSigns {
  static readonly className = 'Hinge'

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return hinge(yTrue, yPred)
  }
}

/**
 * max(1 − y·ŷ, 0)² of targets −1 and 1, or 0 and 1.
 * @example new losses.SquaredHinge().apply([[1], [-1]], [[0.5], [-2]])   // 0.125
 */
export class SquaredHinge extends OfSigns {
  static readonly className = 'SquaredHinge'

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return squaredHinge(yTrue, yPred)
  }
}

/**
 * max(1 + the largest other score − the score of the right class, 0); one-hot targets.
 * @example new losses.CategoricalHinge().apply([[0, 1, 0]], [[0.4, 0.9, 0.1]])   // 0.5
 */
export class CategoricalHinge extends OfDistributions {
  static readonly className = 'CategoricalHinge'

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return categoricalHinge(yTrue, yPred)
  }
}

// ---------------------------------------------------------------- sets, embeddings, sequences

/**
 * 1 − 2 |Y ∩ Ŷ| / (|Y| + |Ŷ|) of the sets along the given axes. Milletari et al. 2016.
 * @example new losses.Dice({ axis: [1, 2, 3] })   // one loss per image
 */
export class Dice extends configured(OfFractions, () => diceOptions) {
  static readonly className = 'Dice'

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return dice(yTrue, yPred, this)
  }
}

/**
 * Like Dice, with separate weights for false negatives and false positives. Salehi et al. 2017.
 * @example new losses.Tversky({ alpha: 0.3, beta: 0.7 }).apply([[1, 1, 0]], [[1, 0, 1]])   // 0.5
 */
export class Tversky extends configured(OfFractions, () => tverskyOptions) {
  static readonly className = 'Tversky'

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return tversky(yTrue, yPred, this)
  }
}

/**
 * Draws embeddings of one class together and pushes those of different classes apart: yTrue class numbers [batch],
 * yPred embeddings of length 1, [batch, dimension]. Embeddings without another one of their class in the batch are
 * ignored. Sun et al. 2020.
 * @example new losses.Circle().apply([0, 0, 1], ops.normalize([[1, 0], [1, 1], [0, 1]]))   // 10.63
 */
export class Circle extends configured(Loss, () => circleOptions) {
  static readonly className = 'Circle'

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return circle(yTrue, yPred, this)
  }

  protected override counted(yTrue: Tensor, yPred: Tensor, mask: Tensor | undefined): Counted {
    const values = this.call(yTrue, yPred)
    return { values, mask: both(mask, greater(values, 0)) }
  }

  override targetsFor([batch = 1]: Shape): TensorType {
    return { shape: [batch], dtype: 'int32' }
  }

  override checkTargets(yTrue: Tensor, outputShape: Shape): void {
    if (yTrue.size !== yTrue.shape[0])
      throw wrongTargets(this.name, 'one class number for each embedding:', [outputShape[0]!], yTrue.shape, '')
    requireElements(this.name, yTrue, Number.isInteger, 'class numbers')
  }
}

/**
 * −ln p of a sequence of labels whose order is known, but not their positions: yTrue [batch, most labels], class
 * numbers from 1 on, padded with 0, the blank (`padSequences(labels, { padding: 'post' })`); yPred logits [batch,
 * steps, classes]. Masked steps are ignored. Graves et al. 2006.
 *
 * It has no name for compile(), because its loop would then be part of every bundle.
 * @example model.compile({ loss: new losses.CTC() })
 */
export class CTC extends Loss {
  static readonly className = 'CTC'

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return ctc(yTrue, yPred)
  }

  // The mask is per step, but each value covers all steps of a row.
  protected override counted(yTrue: Tensor, yPred: Tensor, mask: Tensor | undefined): Counted {
    return { values: ctc(yTrue, yPred, mask), mask: undefined }
  }

  override targetsFor([batch = 1]: Shape): TensorType {
    return { shape: [batch, 1], dtype: 'int32' }
  }

  override checkTargets(yTrue: Tensor, [, steps = 0, classes = 0]: Shape): void {
    if (yTrue.rank !== 2) throw wrongTargets(this.name, 'the shape', [0, 'most labels'], yTrue.shape, '')
    requireElements(
      this.name,
      yTrue,
      (x) => Number.isInteger(x) && x >= 0 && x < classes,
      `class numbers 1 … ${classes - 1}, padded with 0`,
    )
    const { data } = yTrue
    const most = yTrue.shape[1]!
    for (let row = 0; row * most < data.length; row++) {
      const labels = [...data.subarray(row * most, (row + 1) * most)]
      const length = labels.includes(BLANK) ? labels.indexOf(BLANK) : most
      if (labels.slice(length).some((label) => label !== BLANK)) {
        throw new DataError(
          `${this.name}: 0 is the blank and may only pad the end of a row, received [${labels.join(', ')}] in row ${row}. padSequences puts it there with padding: 'post'.`,
        )
      }
      const repeats = labels.slice(1, length).filter((label, i) => label === labels[i]).length
      if (length + repeats > steps) {
        throw new DataError(
          `${this.name}: ${length} labels, ${repeats} of them repeated, need ${length + repeats} steps or more, the model has ${steps}; row ${row}`,
        )
      }
    }
  }
}

/** The conjunction of both masks; a missing mask is all true. */
function both(a: Tensor | undefined, b: Tensor | undefined): Tensor | undefined {
  return a === undefined || b === undefined ? (a ?? b) : logicalAnd(a, b)
}
