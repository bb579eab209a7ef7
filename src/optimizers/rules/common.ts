// Shared options and formulas of update rules.

import { number, nullable, option } from '../../core/options'
import { add, cast, multiply, power, sqrt, subtract } from '../../ops/numpy/elementwise'
import type { Tensor } from '../../ops/tensor'
import { apply } from '../../ops/trace'
import type { UpdateInput, UpdateResult } from '../optimizer'
import { learningRateKind } from '../rate'

/** The decay rate of a running mean or of momentum. */
export const fraction = number({ min: 0, below: 1 })
export const notNegative = number({ min: 0 })
/** The option learningRate of most rules. Each rule declares it, because it is the first option by position. */
export const learningRate = option(learningRateKind, 0.001)
/** Keeps a denominator above 0. */
export const epsilon = option(notNegative, 1e-7)

/** The options of Adam and its variants. */
const momentRows = () => ({
  /** A number, a schedule, or a function of the step. Default 0.001. */
  learningRate,
  /** The decay rate of the mean gradient. Default 0.9. */
  beta1: option(fraction, 0.9),
  /** The decay rate of the mean square. Default 0.999. */
  beta2: option(fraction, 0.999),
  /** Default 1e-7. */
  epsilon,
})
type MomentRows = ReturnType<typeof momentRows>
export type MomentTable = { [Name in keyof MomentRows]: MomentRows[Name] }
export const momentOptions: () => MomentTable = momentRows

/** The option of a rule whose weight decay is on by default. */
export const decayOption = (initial: number) => option(nullable(notNegative), initial)

/** The number of the update, from 1 on, in float32. */
export const updateNumber = ({ iterations }: Pick<UpdateInput, 'iterations'>): Tensor =>
  add(cast(iterations, 'float32'), 1)

/** p − learningRate · weightDecay · p */
export function decayed({ parameters, learningRate, weightDecay }: UpdateInput): Tensor {
  return weightDecay === 0 ? parameters : multiply(parameters, subtract(1, multiply(learningRate, weightDecay)))
}

/** β · mean + (1−β) · x */
export const running = (mean: Tensor, x: Tensor, beta: number): Tensor =>
  add(mean, multiply(subtract(x, mean), 1 - beta))

/** 1 − βᵗ, the bias correction of a running mean. */
export const filled = (beta: number, update: Tensor): Tensor => subtract(1, power(beta, update))

/** √x, or xᵉ in general. */
export const root = (x: Tensor, exponent: number): Tensor => (exponent === 0.5 ? sqrt(x) : power(x, exponent))

/** The operands of an update that is one instruction. */
export const operandsOf = ({ parameters, gradient, learningRate, slots }: UpdateInput): Tensor[] => [
  parameters,
  gradient,
  learningRate,
  ...slots,
]

/** The results of an update that is one instruction. */
export const updated = ([parameters, ...slots]: readonly Tensor[]): UpdateResult => ({
  parameters: parameters!,
  slots,
})

interface Betas {
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
}

/** Adam's update as one instruction, slots mean and variance. */
export function adamUpdate(input: UpdateInput, { beta1, beta2, epsilon }: Betas): UpdateResult {
  const { iterations, weightDecay } = input
  return updated(apply('adam', [...operandsOf(input), iterations], { beta1, beta2, epsilon, weightDecay }))
}
