// The constraints that users can choose by name; registry.ts and index.ts read this module.

import { ArgumentError } from '../../core/errors'
import {
  Configured,
  configured,
  functionKind,
  integer,
  listOf,
  number,
  option,
  required,
  type InOrder,
  type OptionInputs,
  type Kind,
} from '../../core/options'
import { add, clip, divide, maximum, multiply, sqrt, square } from '../../ops/numpy/elementwise'
import { sum } from '../../ops/numpy/reduce'
import type { Tensor } from '../../ops/tensor'

/**
 * A function, written with ops, from a weight to one that fulfils a condition. The optimizer applies it after every
 * update.
 *
 *   class Symmetric extends Constraint {
 *     static readonly className = 'Symmetric'
 *     call(w) { return ops.multiply(ops.add(w, ops.transpose(w)), 0.5) }
 *   }
 *   new Dense({ units: 4, kernelConstraint: new Symmetric() })
 *
 * Keras: `keras.constraints.Constraint`.
 */
export abstract class Constraint extends Configured {
  /** @param inputAxes the input axes of the weight, if its layer declares them */
  abstract call(w: Tensor, inputAxes?: readonly number[]): Tensor
}

/** A function, with ops, from a weight to one that fulfils a condition. */
export type ConstraintFunction = (w: Tensor) => Tensor

const lambdaOptions = () => ({
  /** The function, which is saved by its name. */
  constraint: required(functionKind<ConstraintFunction>('that is a constraint')),
})
export type LambdaConstraintOptions = OptionInputs<ReturnType<typeof lambdaOptions>>

const LambdaConstraintBase = (configured as InOrder<['constraint']>)(Constraint, lambdaOptions)

/**
 * A custom function. The function itself can also be passed wherever a constraint is expected.
 *
 *   const symmetric = (w) => ops.multiply(ops.add(w, ops.transpose(w)), 0.5)
 *   new Dense({ units: 4, kernelConstraint: symmetric })
 *
 * To load a model with such layers: `customObjects: { symmetric }`.
 */
export class LambdaConstraint extends LambdaConstraintBase {
  static readonly className = 'LambdaConstraint'
  call(w: Tensor): Tensor {
    return this.constraint(w)
  }
}

/** Added to a norm before a division by it. */
const EPSILON = 1e-7

const oneAxis = integer()
const severalAxes = listOf(oneAxis)
const axis: Kind<number | readonly number[], number | readonly number[]> = {
  read: (value, where) => (Array.isArray(value) ? severalAxes.read(value, where) : oneAxis.read(value, where)),
  write: (value) => (typeof value === 'number' ? value : [...value]),
}

/** The axes along which norms are computed: 0 for the columns of a matrix, [0, 1, 2] for the filters of a Conv2D. */
const alongAxis = () => option(axis, 0)

const bound = number({ min: 0 })

const lengths = (w: Tensor, along: number | readonly number[]): Tensor =>
  sqrt(sum(square(w), { axis: along, keepDims: true }))

/** w · desired / (|w| + 1e-7) */
const scaledTo = (w: Tensor, desired: Tensor, norms: Tensor): Tensor =>
  multiply(w, divide(desired, add(norms, EPSILON)))

const maxNormOptions = () => ({
  /** The largest norm. Default 2. */
  maxValue: option(bound, 2),
  /** Default 0. */
  axis: alongAxis(),
})
export type MaxNormOptions = OptionInputs<ReturnType<typeof maxNormOptions>>

const MaxNormBase = (configured as InOrder<['maxValue', 'axis']>)(Constraint, maxNormOptions)

/**
 * Norms of at most maxValue: w · min(|w|, maxValue) / |w|.
 * @example new constraints.MaxNorm(1).call(tensor([[3], [4]]))   // [[0.6], [0.8]]
 */
export class MaxNorm extends MaxNormBase {
  static readonly className = 'MaxNorm'
  call(w: Tensor): Tensor {
    const norms = lengths(w, this.axis)
    return scaledTo(w, clip(norms, 0, this.maxValue), norms)
  }
}

/**
 * No weight below 0: max(w, 0).
 * @example new constraints.NonNeg().call(tensor([-1, 2]))   // [0, 2]
 */
export class NonNeg extends Constraint {
  static readonly className = 'NonNeg'
  call(w: Tensor): Tensor {
    return maximum(w, 0)
  }
}

const unitNormOptions = () => ({
  /** Default 0. */
  axis: alongAxis(),
})
export type UnitNormOptions = OptionInputs<ReturnType<typeof unitNormOptions>>

const UnitNormBase = (configured as InOrder<['axis']>)(Constraint, unitNormOptions)

/**
 * Norms of 1: w / |w|.
 * @example new constraints.UnitNorm().call(tensor([[3], [4]]))   // [[0.6], [0.8]]
 */
export class UnitNorm extends UnitNormBase {
  static readonly className = 'UnitNorm'
  call(w: Tensor): Tensor {
    return divide(w, add(lengths(w, this.axis), EPSILON))
  }
}

const minMaxNormOptions = () => ({
  /** The smallest norm. Default 0. */
  minValue: option(bound, 0),
  /** The largest norm. Default 1. */
  maxValue: option(bound, 1),
  /** How far norms move to the bounds at each update, as a fraction in 0 … 1. Default 1. */
  rate: option(number({ min: 0, max: 1 }), 1),
  /** Default 0. */
  axis: alongAxis(),
})
export type MinMaxNormOptions = OptionInputs<ReturnType<typeof minMaxNormOptions>>

const MinMaxNormBase = (configured as InOrder<['minValue', 'maxValue', 'rate', 'axis']>)(Constraint, minMaxNormOptions)

/**
 * Norms between two bounds: w · (rate · clip(|w|, minValue, maxValue) + (1 − rate) · |w|) / |w|.
 * @example new constraints.MinMaxNorm({ minValue: 1, maxValue: 2 }).call(tensor([[3], [4]]))   // [[1.2], [1.6]]
 */
export class MinMaxNorm extends MinMaxNormBase {
  static readonly className = 'MinMaxNorm'

  protected override checkOptions(): void {
    if (this.minValue <= this.maxValue) return
    throw new ArgumentError(
      `MinMaxNorm: minValue must not be above maxValue, received ${this.minValue} and ${this.maxValue}`,
    )
  }

  call(w: Tensor): Tensor {
    const norms = lengths(w, this.axis)
    const desired = add(multiply(clip(norms, this.minValue, this.maxValue), this.rate), multiply(norms, 1 - this.rate))
    return scaledTo(w, desired, norms)
  }
}
