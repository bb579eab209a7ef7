// The losses that can be named in compile(). Names, defaults and formulas are Keras's.

import { configured } from '../core/options'
import type { Serialized } from '../core/registry'
import type { Shape, TensorType } from '../core/shapes'
import { normalizeAxis, sameShape } from '../core/shapes'
import type { Tensor } from '../ops/tensor'
import {
  binaryCrossentropy, categoricalCrossentropy, classMask, crossentropyOptions, huber, huberOptions, meanAbsoluteError,
  meanSquaredError, sparseCategoricalCrossentropy, sparseCrossentropyOptions,
} from './functions'
import { Loss, requireElements, requireSameShape, wrongTargets } from './loss'

export {
  binaryCrossentropy, categoricalCrossentropy, huber, meanAbsoluteError, meanSquaredError, sparseCategoricalCrossentropy,
} from './functions'
export type { CrossentropyOptions, HuberOptions, SparseCrossentropyOptions } from './functions'
export { Loss } from './loss'
export type { LossOptions } from './loss'
export { applyMask } from './weights'
export type { Reduction } from './weights'

/** Per-sample values from targets and predictions, written with ops. */
export type LossFunction = (yTrue: Tensor, yPred: Tensor) => Tensor
export type LossName =
  | 'binaryCrossentropy' | 'categoricalCrossentropy' | 'sparseCategoricalCrossentropy' | 'meanSquaredError' | 'mse'
  | 'meanAbsoluteError' | 'mae' | 'huber' | 'crossentropy' | 'ce'
/** A known name (any spelling), an instance, a function, or a saved configuration. */
export type LossIdentifier = LossName | (string & {}) | Loss | LossFunction | Serialized

/** Cross-entropy of yes/no targets: −(y ln p + (1−y) ln(1−p)). */
export class BinaryCrossentropy extends configured(Loss, () => crossentropyOptions) {
  static readonly className = 'BinaryCrossentropy'

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return binaryCrossentropy(yTrue, yPred, this)
  }

  override checkTargets(yTrue: Tensor, outputShape: Shape): void {
    requireSameShape(this.name, yTrue.shape, outputShape)
    requireElements(this.name, yTrue, (x) => x >= 0 && x <= 1, 'between 0 and 1')
  }
}

/** Cross-entropy of distributions over classes (one-hot rows): −Σ y ln p. */
export class CategoricalCrossentropy extends configured(Loss, () => crossentropyOptions) {
  static readonly className = 'CategoricalCrossentropy'

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return categoricalCrossentropy(yTrue, yPred, this)
  }

  override checkTargets(yTrue: Tensor, outputShape: Shape): void {
    const hint = yTrue.rank < outputShape.length || yTrue.shape.at(-1) === 1 ? ' For class numbers use sparseCategoricalCrossentropy.' : ''
    if (hint !== '' && outputShape.at(-1) !== 1) throw wrongTargets(this.name, "the model's output shape", outputShape, yTrue.shape, hint)
    requireSameShape(this.name, yTrue.shape, outputShape, hint)
    requireElements(this.name, yTrue, (x) => x >= 0 && x <= 1, 'between 0 and 1')
  }
}

/** Cross-entropy of class numbers: −ln p[y]. */
export class SparseCategoricalCrossentropy extends configured(Loss, () => sparseCrossentropyOptions) {
  static readonly className = 'SparseCategoricalCrossentropy'

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return sparseCategoricalCrossentropy(yTrue, yPred, this)
  }

  protected override maskOf(yTrue: Tensor, yPred: Tensor): Tensor | undefined {
    const { ignoreClass, axis } = this
    return ignoreClass === null ? undefined : classMask(yTrue, yPred, { ignoreClass, axis })
  }

  override targetsFor(outputShape: Shape): TensorType {
    const axis = normalizeAxis(this.name, this.axis, outputShape.length)
    return { shape: outputShape.filter((_, i) => i !== axis), dtype: 'int32' }
  }

  override checkTargets(yTrue: Tensor, outputShape: Shape): void {
    const axis = normalizeAxis(this.name, this.axis, outputShape.length)
    const classes = outputShape[axis]!
    const without = (shape: Shape): Shape => shape.filter((_, i) => i !== axis)
    const oneHot = yTrue.rank === outputShape.length && yTrue.shape[axis] !== 1
    const hint = oneHot ? ' For one-hot targets use categoricalCrossentropy.' : ''
    const numbers = yTrue.rank === outputShape.length && !oneHot ? without(yTrue.shape) : yTrue.shape
    const expected = without(outputShape)
    if (!sameShape(numbers, expected)) throw wrongTargets(this.name, 'one class number for each output:', expected, yTrue.shape, hint)
    const { ignoreClass } = this
    const isClass = (x: number): boolean => (Number.isInteger(x) && x >= 0 && x < classes) || x === ignoreClass
    requireElements(this.name, yTrue, isClass, `class numbers 0 … ${classes - 1}${ignoreClass === null ? '' : ` or ${ignoreClass}`}`)
  }
}

/** A loss that compares numbers with numbers of the same shape. */
abstract class Regression extends Loss {
  override checkTargets(yTrue: Tensor, outputShape: Shape): void {
    requireSameShape(this.name, yTrue.shape, outputShape)
  }
}

/** (y − ŷ)² */
export class MeanSquaredError extends Regression {
  static readonly className = 'MeanSquaredError'
  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return meanSquaredError(yTrue, yPred)
  }
}

/** |y − ŷ| */
export class MeanAbsoluteError extends Regression {
  static readonly className = 'MeanAbsoluteError'
  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return meanAbsoluteError(yTrue, yPred)
  }
}

/** Squared for errors up to delta, linear beyond: outliers pull less. */
export class Huber extends configured(Regression, () => huberOptions, 'delta') {
  static readonly className = 'Huber'
  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return huber(yTrue, yPred, this)
  }
}
