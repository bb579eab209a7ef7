// Rules that need each weight separately, in its shape: for a norm, for rows and columns, or as a matrix. Names,
// defaults and formulas are Keras's.

import { ArgumentError } from '../../core/errors'
import {
  boolean,
  configured,
  custom,
  idle,
  iterations,
  listOf,
  nullable,
  number,
  option,
  type OptionInputs,
  type Kind,
  type InOrder,
} from '../../core/options'
import { exactly } from '../../core/tuples'
import {
  add,
  divide,
  greater,
  logicalAnd,
  maximum,
  minimum,
  multiply,
  power,
  rsqrt,
  sqrt,
  square,
  subtract,
  where,
} from '../../ops/numpy/elementwise'
import { matmul } from '../../ops/linalg/linalg'
import { mean, sum } from '../../ops/numpy/reduce'
import { expandDims, transpose } from '../../ops/numpy/shape'
import type { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import { matchKind, matches, patternOf, type Match } from '../match'
import { Optimizer, type OptimizerOptions, type UpdateInput, type UpdateResult } from '../optimizer'
import type { Slot } from '../parameters'
import {
  adamUpdate,
  decayOption,
  decayed,
  epsilon,
  filled,
  fraction,
  momentOptions,
  notNegative,
  running,
  updateNumber,
  learningRate,
} from './common'

/** √Σx² */
const length = (x: Tensor): Tensor => sqrt(sum(square(x)))
/** √(Σx²/n) */
const rootMeanSquare = (x: Tensor): Tensor => sqrt(mean(square(x)))

export type LambOptions = OptionInputs<ReturnType<typeof momentOptions>> & OptimizerOptions

const LambBase = (configured as InOrder<['learningRate', 'beta1', 'beta2', 'epsilon', 'weightDecay']>)(
  Optimizer,
  momentOptions,
)

/**
 * Adam with steps proportional to the norm of the weight, for large batches: m ← β₁ m + (1−β₁) g, v ← β₂ v + (1−β₂) g²,
 * u = m/(1−β₁ᵗ) / (√(v/(1−β₂ᵗ)) + ε), w ← w − learningRate · |w|/|u| · u; where w or u is 0 the factor is 1. The norms
 * are per weight.
 *
 *   model.compile({ optimizer: new Lamb({ learningRate: 0.01, weightDecay: 0.01 }), loss: 'mse' })
 *
 * You et al. 2019; Keras: `keras.optimizers.Lamb`. Default learning rate 0.001.
 */
export class Lamb extends LambBase {
  static readonly className = 'Lamb'

  // Steps are as long as the weights, times the rate.
  protected override readonly isGuarded = true

  protected declareSlots(): readonly string[] {
    return ['mean', 'variance']
  }

  protected override seesApart(): boolean {
    return true
  }

  protected update(input: UpdateInput): UpdateResult {
    const {
      gradient,
      learningRate,
      slots: [m, v],
    } = input
    const { beta1, beta2, epsilon } = this
    const t = updateNumber(input)
    const average = running(m!, gradient, beta1)
    const variance = running(v!, square(gradient), beta2)
    const step = divide(divide(average, filled(beta1, t)), add(sqrt(divide(variance, filled(beta2, t))), epsilon))
    const weights = decayed(input)
    const [weightNorm, stepNorm] = [length(weights), length(step)]
    const ratio = where(logicalAnd(greater(weightNorm, 0), greater(stepNorm, 0)), divide(weightNorm, stepNorm), 1)
    return { parameters: subtract(weights, multiply(step, multiply(ratio, learningRate))), slots: [average, variance] }
  }
}

const adafactorOptions = () => ({
  /** A number, a schedule, or a function of the step. Default 0.001. */
  learningRate,
  /** The exponent d of the decay rate 1 − tᵈ of the mean squares in update t, at most 0. Default −0.8. */
  beta2Decay: option(number({ max: 0 }), -0.8),
  /** Added to squares of gradients. Default 1e-30. */
  epsilon1: option(notNegative, 1e-30),
  /** The smallest root mean square of a weight by which steps are scaled. Default 0.001. */
  epsilon2: option(notNegative, 1e-3),
  /** The largest root mean square of a step before it is scaled. Default 1. */
  clipThreshold: option(number({ above: 0 }), 1),
  /** Changes nothing, as in Keras: the rate is at most 1/√t. false warns. Default true. */
  relativeStep: option(
    idle(boolean, [true], 'the rate is at most 1/√t, in Keras also with false. RMSprop and Adam have constant rates'),
    true,
  ),
})
export type AdafactorOptions = OptionInputs<ReturnType<typeof adafactorOptions>> & OptimizerOptions

/** The smallest normal float32. */
const LEAST = 2 ** -126

const AdafactorBase = (
  configured as InOrder<
    ['learningRate', 'beta2Decay', 'epsilon1', 'epsilon2', 'clipThreshold', 'relativeStep', 'weightDecay']
  >
)(Optimizer, adafactorOptions)

/**
 * Divides gradients as RMSprop does, but stores only the mean squares of the rows and columns of a matrix. In update t,
 * with β = 1 − t^beta2Decay and s = g² + ε₁: r ← β r + (1−β) · mean of s along the last axis, c ← β c + (1−β) · mean
 * along the axis before it, v = r c / mean r; a weight with fewer than two axes has v ← β v + (1−β) s itself. Then u =
 * g/√v, w ← w − max(ε₂, rms w) · min(learningRate, 1/√t) · u / max(1, rms u / clipThreshold).
 *
 *   model.compile({ optimizer: new Adafactor({ learningRate: 0.01 }), loss: 'mse' })
 *
 * Shazeer & Stern 2018; Keras: `keras.optimizers.Adafactor`. Default learning rate 0.001.
 */
export class Adafactor extends AdafactorBase {
  static readonly className = 'Adafactor'

  protected declareSlots({ shape: { length: rank } }: Variable): readonly (string | Slot)[] {
    const others = Array.from({ length: Math.max(0, rank - 2) }, (_, axis) => axis)
    return rank < 2
      ? ['variance']
      : [
          { name: 'rows', axes: [...others, rank - 2] },
          { name: 'columns', axes: [...others, rank - 1] },
        ]
  }

  protected override seesApart(): boolean {
    return true
  }

  // If the new squares have all the weight, the old ones cancel, and the mean may be 0.
  protected override readonly isGuarded = true

  protected update(input: UpdateInput): UpdateResult {
    const { gradient, learningRate } = input
    const t = updateNumber(input)
    const { variance, slots } = this.squares(input, power(t, this.beta2Decay))
    // If a row and a column have no gradient, their product is too small for float32.
    const direction = multiply(gradient, rsqrt(maximum(variance, LEAST)))
    const weights = decayed(input)
    const rate = multiply(maximum(rootMeanSquare(weights), this.epsilon2), minimum(learningRate, rsqrt(t)))
    const step = multiply(direction, divide(rate, maximum(divide(rootMeanSquare(direction), this.clipThreshold), 1)))
    return { parameters: subtract(weights, step), slots }
  }

  /** @param part the weight of the new gradient: 1 − β */
  private squares({ gradient, slots }: UpdateInput, part: Tensor): { variance: Tensor; slots: readonly Tensor[] } {
    const squares = add(square(gradient), this.epsilon1)
    const towards = (old: Tensor, now: Tensor): Tensor => add(old, multiply(subtract(now, old), part))
    if (slots.length === 1) {
      const variance = towards(slots[0]!, squares)
      return { variance, slots: [variance] }
    }
    // Not the mean of squares, whose sum may overflow float32.
    const along = (x: Tensor, axis: number, keepDims = false): Tensor =>
      sum(divide(x, x.shape.at(axis)!), axis, keepDims)
    const rows = towards(slots[0]!, along(squares, -1))
    const columns = towards(slots[1]!, along(squares, -2))
    return {
      variance: multiply(expandDims(divide(rows, along(rows, -1, true)), -1), expandDims(columns, -2)),
      slots: [rows, columns],
    }
  }
}

/** A regular expression as a string, as in Keras; or anything else that `match` accepts. */
const pattern: Kind<Match> = custom((value, where) => {
  if (typeof value !== 'string') return matchKind.read(value, where)
  try {
    void new RegExp(value)
  } catch {
    throw new ArgumentError(`${where} must be a regular expression, received '${value}'`)
  }
  return value
}, matchKind.write)

const muonOptions = () => ({
  /** AdamW's β₁. Default 0.9. */
  adamBeta1: option(fraction, 0.9),
  /** AdamW's β₂. Default 0.999. */
  adamBeta2: option(fraction, 0.999),
  /** The weight decay of weights that AdamW updates. Default 0.004; null for none. */
  adamWeightDecay: decayOption(0.004),
  /** AdamW's ε. Default 1e-7. */
  epsilon,
  /** The weight decay of matrices. Default 0.004; null for none. */
  weightDecay: decayOption(0.004),
  /**
   * Weights for AdamW: regular expressions for their names as strings, or anything that a group's `match` accepts.
   * Default none.
   */
  excludeLayers: option(nullable(listOf(pattern)), null),
  /** Whether AdamW updates weights with `embedding` in their names. Default true. */
  excludeEmbeddings: option(boolean, true),
  /** a of the iteration. Default 3.4445. */
  muonA: option(number(), 3.4445),
  /** b of the iteration. Default −4.775. */
  muonB: option(number(), -4.775),
  /** c of the iteration. Default 2.0315. */
  muonC: option(number(), 2.0315),
  /** AdamW's learning rate relative to that of matrices. Default 1. */
  adamLrRatio: option(notNegative, 1),
  /** The decay rate of the momentum. Default 0.95. */
  momentum: option(fraction, 0.95),
  /** The number of iterations. Default 5. */
  nsSteps: option(iterations, 5),
  /** Uses Nesterov's momentum. Default true. */
  nesterov: option(boolean, true),
  /**
   * The root mean square of a step at learning rate 1, chosen to match AdamW's rates; null for √(1/max(rows, columns)).
   * Default 0.2.
   */
  rmsRate: option(nullable(notNegative), 0.2),
})
export type MuonOptions = OptionInputs<ReturnType<typeof muonOptions>> & OptimizerOptions

const MuonBase = configured(Optimizer, muonOptions, [
  'learningRate',
  'adamBeta1',
  'adamBeta2',
  'adamWeightDecay',
  'epsilon',
  'weightDecay',
])

/**
 * Orthogonalised momentum for the matrices within a network: m ← momentum · m + g, G = g + momentum · m (without
 * nesterov, G = m), w ← w − learningRate · rmsRate · √max(rows, columns) · O(G), where O(G) approximates U Vᵀ of G = U
 * S Vᵀ: X = G/|G|, then nsSteps times X ← a X + (b A + c A²) X with A = X Xᵀ (Newton & Schulz).
 *
 * For a matrix [m,n] with m ≤ n it costs nsSteps · (2 m² n + m³) multiplications.
 *
 * Only matrices are updated this way. AdamW updates weights with another number of axes, embeddings, and the weights
 * that `excludeLayers` selects, which should include the last layer.
 *
 *   model.compile({ optimizer: new Muon({ excludeLayers: ['output'] }), loss: 'mse' })
 *
 * Jordan et al. 2024, Liu et al. 2025; Keras: `keras.optimizers.Muon`. Default learning rate 0.001.
 */
export class Muon extends MuonBase {
  static readonly className = 'Muon'

  private readonly excluding = (this.excludeLayers ?? []).map((match) =>
    typeof match === 'string' ? patternOf(match) : match,
  )

  /** Whether the weight is updated as a matrix. */
  protected override seesApart(weight: Variable): boolean {
    if (weight.shape.length !== 2 || (this.excludeEmbeddings && weight.name.toLowerCase().includes('embedding')))
      return false
    return !this.excluding.some((match) => matches(match, weight))
  }

  protected declareSlots(weight: Variable): readonly string[] {
    return this.seesApart(weight) ? ['momentum'] : ['mean', 'variance']
  }

  protected override decayOf(weight: Variable): number | null {
    return this.seesApart(weight) ? this.weightDecay : this.adamWeightDecay
  }

  // The iteration diverges for most coefficients other than the defaults.
  protected override readonly isGuarded = true

  protected update(input: UpdateInput): UpdateResult {
    return input.slots.length === 1 ? this.updateMatrix(input) : this.updateRest(input)
  }

  private updateMatrix(input: UpdateInput): UpdateResult {
    const {
      gradient,
      learningRate,
      slots: [m],
    } = input
    const { momentum, nesterov, rmsRate } = this
    const after = add(multiply(m!, momentum), gradient)
    const direction = this.orthogonal(nesterov ? add(gradient, multiply(after, momentum)) : after)
    const size = rmsRate === null ? 1 : rmsRate * Math.sqrt(Math.max(...gradient.shape))
    return { parameters: subtract(decayed(input), multiply(direction, multiply(learningRate, size))), slots: [after] }
  }

  private updateRest(input: UpdateInput): UpdateResult {
    const { adamBeta1: beta1, adamBeta2: beta2, epsilon, adamLrRatio } = this
    // The weight decay is scaled by the learning rate itself.
    const corrected = {
      ...input,
      parameters: decayed(input),
      learningRate: multiply(input.learningRate, adamLrRatio),
      weightDecay: 0,
    }
    return adamUpdate(adamLrRatio === 1 ? input : corrected, { beta1, beta2, epsilon })
  }

  /** G [m,n] → approximately U Vᵀ [m,n] */
  private orthogonal(matrix: Tensor): Tensor {
    const { muonA: a, muonB: b, muonC: c, nsSteps } = this
    const [rows, columns] = exactly(matrix.shape, 2)
    const isTall = rows > columns
    const wide = isTall ? transpose(matrix) : matrix
    let x = divide(wide, add(length(wide), 1e-7))
    for (let i = 0; i < nsSteps; i++) {
      const gram = matmul(x, transpose(x))
      const inner = add(multiply(gram, b), matmul(multiply(gram, c), gram))
      x = add(multiply(x, a), matmul(inner, x))
    }
    return isTall ? transpose(x) : x
  }
}
