// The losses that can be named in compile(). Names, defaults and formulas are Keras's.

import { ArgumentError } from '../core/errors'
import type { Shape } from '../core/shapes'
import { sameShape } from '../core/shapes'
import type { Tensor } from '../ops/tensor'
import type { Config, Serialized } from '../core/registry'
import type { CrossentropyOptions } from './functions'
import * as functions from './functions'
import type { LossOptions } from './loss'
import { Loss, requireElements, requireSameShape, wrongTargets } from './loss'

export * from './functions'
export { Loss } from './loss'
export type { LossOptions, Reduction } from './loss'

/** Per-sample values from targets and predictions, written with ops. */
export type LossFunction = (yTrue: Tensor, yPred: Tensor) => Tensor
export type LossName =
  | 'binaryCrossentropy' | 'categoricalCrossentropy' | 'sparseCategoricalCrossentropy' | 'meanSquaredError' | 'mse'
  | 'meanAbsoluteError' | 'mae' | 'huber'
/** A known name (any spelling), an instance, a function, or a saved configuration. */
export type LossIdentifier = LossName | (string & {}) | Loss | LossFunction | Serialized

function requireSmoothing(name: string, labelSmoothing: number): number {
  if (labelSmoothing >= 0 && labelSmoothing < 1) return labelSmoothing
  throw new ArgumentError(`${name}: labelSmoothing must be in [0, 1), received ${labelSmoothing}`)
}

/** Cross-entropy of yes/no targets: −(y ln p + (1−y) ln(1−p)). */
export class BinaryCrossentropy extends Loss {
  static readonly className = 'BinaryCrossentropy'
  readonly fromLogits: boolean
  readonly labelSmoothing: number

  constructor({ fromLogits = false, labelSmoothing = 0, ...options }: CrossentropyOptions & LossOptions = {}) {
    super({ name: 'binaryCrossentropy', ...options })
    this.fromLogits = fromLogits
    this.labelSmoothing = requireSmoothing('BinaryCrossentropy', labelSmoothing)
  }

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return functions.binaryCrossentropy(yTrue, yPred, this)
  }

  override checkTargets(yTrue: Tensor, outputShape: Shape): void {
    requireSameShape(this.name, yTrue.shape, outputShape)
    requireElements(this.name, yTrue, (x) => x >= 0 && x <= 1, 'between 0 and 1')
  }

  override getConfig(): Config {
    return { ...super.getConfig(), fromLogits: this.fromLogits, labelSmoothing: this.labelSmoothing }
  }
}

/** Cross-entropy of distributions over classes (one-hot rows): −Σ y ln p. */
export class CategoricalCrossentropy extends Loss {
  static readonly className = 'CategoricalCrossentropy'
  readonly fromLogits: boolean
  readonly labelSmoothing: number

  constructor({ fromLogits = false, labelSmoothing = 0, ...options }: CrossentropyOptions & LossOptions = {}) {
    super({ name: 'categoricalCrossentropy', ...options })
    this.fromLogits = fromLogits
    this.labelSmoothing = requireSmoothing('CategoricalCrossentropy', labelSmoothing)
  }

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return functions.categoricalCrossentropy(yTrue, yPred, this)
  }

  override checkTargets(yTrue: Tensor, outputShape: Shape): void {
    const hint = yTrue.rank < outputShape.length || yTrue.shape.at(-1) === 1 ? ' For class numbers use sparseCategoricalCrossentropy.' : ''
    if (hint !== '' && outputShape.at(-1) !== 1) throw wrongTargets(this.name, "the model's output shape", outputShape, yTrue.shape, hint)
    requireSameShape(this.name, yTrue.shape, outputShape, hint)
    requireElements(this.name, yTrue, (x) => x >= 0 && x <= 1, 'between 0 and 1')
  }

  override getConfig(): Config {
    return { ...super.getConfig(), fromLogits: this.fromLogits, labelSmoothing: this.labelSmoothing }
  }
}

/** Cross-entropy of class numbers: −ln p[y]. */
export class SparseCategoricalCrossentropy extends Loss {
  static readonly className = 'SparseCategoricalCrossentropy'
  readonly fromLogits: boolean

  constructor({ fromLogits = false, ...options }: { fromLogits?: boolean } & LossOptions = {}) {
    super({ name: 'sparseCategoricalCrossentropy', ...options })
    this.fromLogits = fromLogits
  }

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return functions.sparseCategoricalCrossentropy(yTrue, yPred, this)
  }

  override checkTargets(yTrue: Tensor, outputShape: Shape): void {
    const classes = outputShape.at(-1)!
    const oneHot = yTrue.rank === outputShape.length && yTrue.shape.at(-1) !== 1
    const hint = oneHot ? ' For one-hot targets use categoricalCrossentropy.' : ''
    const numbers = yTrue.rank === outputShape.length && !oneHot ? yTrue.shape.slice(0, -1) : yTrue.shape
    const expected = outputShape.slice(0, -1)
    if (!sameShape(numbers, expected)) throw wrongTargets(this.name, 'one class number for each output:', expected, yTrue.shape, hint)
    requireElements(this.name, yTrue, (x) => Number.isInteger(x) && x >= 0 && x < classes, `class numbers 0 … ${classes - 1}`)
  }

  override getConfig(): Config {
    return { ...super.getConfig(), fromLogits: this.fromLogits }
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
  constructor(options: LossOptions = {}) {
    super({ name: 'meanSquaredError', ...options })
  }
  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return functions.meanSquaredError(yTrue, yPred)
  }
}

/** |y − ŷ| */
export class MeanAbsoluteError extends Regression {
  static readonly className = 'MeanAbsoluteError'
  constructor(options: LossOptions = {}) {
    super({ name: 'meanAbsoluteError', ...options })
  }
  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return functions.meanAbsoluteError(yTrue, yPred)
  }
}

/** Squared for errors up to delta, linear beyond: outliers pull less. */
export class Huber extends Regression {
  static readonly className = 'Huber'
  readonly delta: number

  constructor({ delta = 1, ...options }: { delta?: number } & LossOptions = {}) {
    super({ name: 'huber', ...options })
    if (!(delta > 0)) throw new ArgumentError(`Huber: delta must be > 0, received ${delta}`)
    this.delta = delta
  }

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    return functions.huber(yTrue, yPred, this)
  }

  override getConfig(): Config {
    return { ...super.getConfig(), delta: this.delta }
  }
}
