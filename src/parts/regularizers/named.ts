// The regularizers that users can choose by name; registry.ts and index.ts read this module.

import { ShapeError, formatShape } from '../../core/errors'
import {
  Configured,
  choice,
  configured,
  functionKind,
  number,
  option,
  required,
  type OptionInputs,
  type InOrder,
} from '../../core/options'
import type { Config } from '../../core/registry'
import { asTensor, type TensorLike } from '../../ops/convert'
import { abs, add, maximum, multiply, rsqrt, square, subtract } from '../../ops/numpy/elementwise'
import { matmul } from '../../ops/linalg/linalg'
import { sum } from '../../ops/numpy/reduce'
import { eye, full, transpose } from '../../ops/numpy/shape'
import type { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'

/** A scalar penalty of a tensor, written with ops. */
export abstract class Regularizer extends Configured {
  /** @param kept the variables that `keep` made for the weight; undefined for a penalty on activations */
  abstract call(x: Tensor, kept?: readonly Variable[]): Tensor

  /**
   * The variables that a penalty needs in addition to the weight. They are created with the weight, and saved with the
   * model.
   */
  keep?(weight: Variable): readonly Variable[]
}

/** A scalar penalty of a tensor, with ops. */
export type RegularizerFunction = (x: Tensor) => TensorLike

const lambdaOptions = () => ({
  /** The function, which is saved by its name. */
  regularizer: required(functionKind<RegularizerFunction>('that is a regularizer')),
})
export type LambdaRegularizerOptions = OptionInputs<ReturnType<typeof lambdaOptions>>

const LambdaRegularizerBase = (configured as InOrder<['regularizer']>)(Regularizer, lambdaOptions)

/**
 * A custom function. The function itself can also be passed wherever a regularizer is expected.
 *
 *   const spread = (w) => ops.multiply(ops.variance(w), 0.01)
 *   new Dense({ units: 4, kernelRegularizer: spread })
 *
 * To load a model with such layers: `customObjects: { spread }`.
 */
export class LambdaRegularizer extends LambdaRegularizerBase {
  static readonly className = 'LambdaRegularizer'
  call(x: Tensor): Tensor {
    return asTensor(this.regularizer(x), 'LambdaRegularizer')
  }
}

// factor · Σ|x|
const absolute = (x: Tensor, factor: number): Tensor => multiply(sum(abs(x)), factor)
// factor · Σx²
const squared = (x: Tensor, factor: number): Tensor => multiply(sum(square(x)), factor)

const factor = number({ min: 0 })

const l1Options = () => ({
  /** Default 0.01. */
  l1: option(factor, 0.01),
})
export type L1Options = OptionInputs<ReturnType<typeof l1Options>>

const L1Base = (configured as InOrder<['l1']>)(Regularizer, l1Options)

/**
 * l1 · Σ|x|
 * @example new regularizers.L1(0.1).call(tensor([1, -2]))   // 0.3
 */
export class L1 extends L1Base {
  static readonly className = 'L1'
  call(x: Tensor): Tensor {
    return absolute(x, this.l1)
  }
}

const l2Options = () => ({
  /** Default 0.01. */
  l2: option(factor, 0.01),
})
export type L2Options = OptionInputs<ReturnType<typeof l2Options>>

const L2Base = (configured as InOrder<['l2']>)(Regularizer, l2Options)

/**
 * l2 · Σx²
 * @example new regularizers.L2(0.1).call(tensor([1, -2]))   // 0.5
 */
export class L2 extends L2Base {
  static readonly className = 'L2'
  call(x: Tensor): Tensor {
    return squared(x, this.l2)
  }
}

const l1l2Options = () => ({
  /** Default 0; 0.01 if the regularizer is chosen by name. */
  l1: option(factor, 0),
  /** Default 0; 0.01 if the regularizer is chosen by name. */
  l2: option(factor, 0),
})
export type L1L2Options = OptionInputs<ReturnType<typeof l1l2Options>>

const L1L2Base = (configured as InOrder<['l1', 'l2']>)(Regularizer, l1l2Options)

/**
 * l1 · Σ|x| + l2 · Σx²
 * @example new regularizers.L1L2({ l1: 0.1, l2: 0.01 }).call(tensor([1, -2]))   // 0.35
 */
export class L1L2 extends L1L2Base {
  static readonly className = 'L1L2'

  /** An empty configuration comes from a name, for which Keras uses l1 = l2 = 0.01. @internal */
  static override fromConfig<Kind>(this: new (options: never) => Kind, config: Config): Kind {
    return Reflect.construct(this, [Object.keys(config).length === 0 ? { l1: 0.01, l2: 0.01 } : config])
  }

  call(x: Tensor): Tensor {
    const terms: Tensor[] = []
    if (this.l1 !== 0) terms.push(absolute(x, this.l1))
    if (this.l2 !== 0) terms.push(squared(x, this.l2))
    return terms.length === 0 ? full([], 0) : terms.reduce((a, b) => add(a, b))
  }
}

const orthogonalOptions = () => ({
  /** Default 0.01. */
  factor: option(factor, 0.01),
  /** Which vectors should be orthogonal to each other. Default 'rows'. */
  mode: option(choice('rows', 'columns'), 'rows'),
})
export type OrthogonalRegularizerOptions = OptionInputs<ReturnType<typeof orthogonalOptions>>

const OrthogonalRegularizerBase = (configured as InOrder<['factor', 'mode']>)(Regularizer, orthogonalOptions)

/**
 * factor · the mean of |cos| of the angles between any two rows, or columns, of a matrix; 0 for vectors of zeros.
 *
 *   new Dense({ units: 4, kernelRegularizer: new OrthogonalRegularizer({ factor: 0.01, mode: 'columns' }) })
 *
 * Keras: `keras.regularizers.OrthogonalRegularizer`.
 * @throws ShapeError when it is called with a tensor that is not a matrix
 */
export class OrthogonalRegularizer extends OrthogonalRegularizerBase {
  static readonly className = 'OrthogonalRegularizer'

  call(x: Tensor): Tensor {
    if (x.rank !== 2)
      throw new ShapeError(`OrthogonalRegularizer: needs a matrix, received shape ${formatShape(x.shape)}`)
    const vectors = this.mode === 'rows' ? x : transpose(x)
    const count = vectors.shape[0]!
    // Normalised to length 1; the lower bound keeps the gradient of a zero vector finite.
    const units = multiply(vectors, rsqrt(maximum(sum(square(vectors), 1, true), 1e-14)))
    const cosines = multiply(matmul(units, transpose(units)), subtract(1, eye(count)))
    // The sum contains every pair twice.
    return absolute(cosines, this.factor / Math.max(1, count * (count - 1)))
  }
}
