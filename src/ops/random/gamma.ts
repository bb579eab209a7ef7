// Gamma and beta distributions.

import { operand, shape as shapeKind } from '../kinds'
import { arg, op } from '../op'
import type { Shape } from '../../core/shapes'
import { asTensor, type TensorLike } from '../convert'
import {
  add,
  cast,
  divide,
  exp,
  greater,
  less,
  log,
  logicalAnd,
  logicalNot,
  logicalOr,
  maximum,
  multiply,
  sigmoid,
  square,
  sqrt,
  stopGradient,
  subtract,
  where,
} from '../numpy/elementwise'
import { broadcastTo } from '../numpy/shape'
import type { Tensor } from '../tensor'
import { ofFloats } from './arguments'
import { gaussian } from './gaussian'
import { streamsOf } from './generator'

/**
 * The number of instructions of a tape cannot depend on data, so the rejection of Marsaglia and Tsang has a fixed number of rounds. A round
 * fails with a probability of at most 0.049 (for α = 1), all seven with 7·10⁻¹⁰. The number is then d, which is close to the mode.
 */
const ROUNDS = 7
/** The streams of one draw: two of each round, and one for α < 1. */
const STREAMS = 2 * ROUNDS + 1

/** A positive parameter, broadcast to the shape of the result. Draws have no gradient. */
export function parameterOf(where: string, x: TensorLike, shape: Shape): Tensor {
  return stopGradient(broadcastTo(cast(asTensor(x, where), 'float32'), shape))
}

interface GammaDraw {
  /** Gamma with the parameter max(α, α + 1 for α < 1). */
  readonly scaled: Tensor
  /** The logarithm of the factor that turns it into one with the parameter α: ln(u) / α for α < 1, else 0. */
  readonly boost: Tensor
}

/**
 * Marsaglia and Tsang 2000: d v with d = α − 1/3, v = (1 + x / √(9d))³ and x normal, accepted with the probability
 * min(1, e^(x²/2 + d − dv + d ln v)), is gamma with α ≥ 1. For α < 1, gamma with α + 1 times u^(1/α).
 */
function drawGamma(alpha: Tensor, draw: (stream: number) => Tensor): GammaDraw {
  const isSmall = less(alpha, 1)
  const d = subtract(where(isSmall, add(alpha, 1), alpha), 1 / 3)
  const c = divide(1, sqrt(multiply(d, 9)))
  const half = 2 ** -24
  let found: Tensor | null = null
  let cube: Tensor | null = null
  for (let round = 0; round < ROUNDS; round++) {
    const x = gaussian(draw(2 * round), 1)
    const root = add(multiply(c, x), 1)
    const v = multiply(multiply(root, root), root)
    const safe = maximum(v, 1e-30)
    const limit = add(multiply(square(x), 0.5), multiply(d, add(subtract(1, v), log(safe))))
    const accepted = logicalAnd(greater(v, 0), less(log(add(draw(2 * round + 1), half)), limit))
    const next: Tensor = logicalOr(found ?? accepted, accepted)
    cube = cube === null ? where(accepted, v, 1) : where(logicalAnd(logicalNot(found!), accepted), v, cube)
    found = next
  }
  const u = add(draw(2 * ROUNDS), half)
  return { scaled: multiply(d, cube!), boost: where(isSmall, divide(log(u), alpha), 0) }
}

export const gamma = op(
  () => [arg('shape', shapeKind), arg('alpha', operand), ...ofFloats()],
  {
    /**
     * Gamma-distributed numbers with the density x^(α − 1) e^(−x) / Γ(α); the mean and the variance are α.
     * @param alpha α > 0, a number or a tensor that broadcasts to the shape; NaN gives NaN
     * @param dtype 'float32' or null. Default null.
     * @param seed a number gives the same numbers every time, a SeedGenerator new ones each time. Default null.
     * @returns float32, without a gradient with respect to α
     * @example random.gamma([3], 2.5, { seed: 7 })
     * Keras: `keras.random.gamma`.
     */
    gamma(shape, alpha, _dtype = null, seed = null): Tensor {
      const shapes = parameterOf('gamma: alpha', alpha, shape)
      const { scaled, boost } = drawGamma(shapes, streamsOf(shape, seed))
      return where(greater(shapes, 0), multiply(scaled, exp(boost)), NaN)
    },
  },
  { within: 'random' },
)

export const beta = op(
  () => [arg('shape', shapeKind), arg('alpha', operand), arg('beta', operand), ...ofFloats()],
  {
    /**
     * Beta-distributed numbers in 0 … 1 with the density ∝ x^(α − 1) (1 − x)^(β − 1): x / (x + y) for gamma-distributed x and y.
     * @param alpha α > 0, a number or a tensor that broadcasts to the shape; NaN gives NaN
     * @param beta β > 0, likewise
     * @param dtype 'float32' or null. Default null.
     * @param seed a number gives the same numbers every time, a SeedGenerator new ones each time. Default null.
     * @returns float32, without gradients
     * @example random.beta([3], 0.5, 0.5, { seed: 7 })
     * Keras: `keras.random.beta`.
     */
    beta(shape, alpha, beta, _dtype = null, seed = null): Tensor {
      const draw = streamsOf(shape, seed)
      const [a, b] = [parameterOf('beta: alpha', alpha, shape), parameterOf('beta: beta', beta, shape)]
      const [x, y] = [drawGamma(a, draw), drawGamma(b, (stream) => draw(STREAMS + stream))]
      // Logarithms, because small parameters give numbers that underflow.
      const logOf = ({ scaled, boost }: GammaDraw): Tensor => add(log(scaled), boost)
      return where(logicalAnd(greater(a, 0), greater(b, 0)), sigmoid(subtract(logOf(x), logOf(y))), NaN)
    },
  },
  { within: 'random' },
)
