// The binomial distribution.

import { operand, shape as shapeKind } from '../kinds'
import { arg, op } from '../op'
import type { TensorLike } from '../convert'
import {
  abs,
  add,
  divide,
  floor,
  greater,
  greaterEqual,
  less,
  lessEqual,
  log,
  log1p,
  logicalAnd,
  logicalNot,
  logicalOr,
  maximum,
  minimum,
  multiply,
  power,
  sqrt,
  square,
  subtract,
  where,
} from '../numpy/elementwise'
import { zeros } from '../numpy/shape'
import type { Tensor } from '../tensor'
import { ofFloats } from './arguments'
import { parameterOf } from './gamma'
import { streamsOf } from './generator'

/** Up to this mean, inversion needs few steps. */
const SMALL_MEAN = 10
/** The largest number that inversion gives: with a mean of 10, one uniform number exceeds it with a probability of 10⁻⁹. */
const STEPS = 36
/**
 * The rounds of rejection. A round fails with a probability of at most 0.3 (for n = 20, p = ½), all of them with 4·10⁻¹⁰. The number is
 * then the mode.
 */
const ROUNDS = 18

type Draw = (stream: number) => Tensor

/** The number of sums of probabilities P(0) + … + P(k) below one uniform number; P(k + 1) = P(k) (n − k) p / ((k + 1) q). */
function inverted(n: Tensor, p: Tensor, draw: Draw): Tensor {
  const u = add(draw(0), 2 ** -24)
  const odds = divide(p, subtract(1, p))
  let probability: Tensor = power(subtract(1, p), n)
  let sum: Tensor = probability
  let k: Tensor = zeros(n.shape)
  let isOpen: Tensor = greater(u, sum)
  for (let i = 0; i < STEPS; i++) {
    const next: Tensor = multiply(probability, multiply(odds, divide(maximum(subtract(n, i), 0), i + 1)))
    // The search ends where probabilities are smaller than the steps of u, because rounded sums can stay below u.
    isOpen = logicalAnd(isOpen, logicalAnd(greater(u, sum), greaterEqual(next, 2 ** -26)))
    k = where(isOpen, i + 1, k)
    probability = next
    sum = add(sum, next)
  }
  return k
}

/** ln k! − (k + ½) ln(k + 1) + (k + 1) − ½ ln 2π: Stirling's series. */
function tailOf(k: Tensor): Tensor {
  const next = add(k, 1)
  const inverse = divide(1, square(next))
  return divide(subtract(1 / 12, multiply(subtract(1 / 360, multiply(inverse, 1 / 1260)), inverse)), next)
}

/** Hörmann 1993 (BTRS) for means of at least 10: transformed rejection with a squeeze. */
function rejected(n: Tensor, p: Tensor, draw: Draw): Tensor {
  const q = subtract(1, p)
  const spread = sqrt(multiply(multiply(n, p), q))
  const b = add(multiply(spread, 2.53), 1.15)
  const a = add(add(multiply(b, 0.0248), multiply(p, 0.01)), -0.0873)
  const c = add(multiply(n, p), 0.5)
  const squeeze = subtract(0.92, divide(4.2, b))
  const scale = multiply(add(divide(5.1, b), 2.83), spread)
  const mode = floor(multiply(add(n, 1), p))
  const shift = multiply(add(n, 2), p)
  // (k + ½) ln(r (n − k + 1) / (k + 1)) with r = p / q. Logarithms of numbers near 1 keep their digits as ln(1 + x).
  const part = (k: Tensor): Tensor =>
    multiply(add(k, 0.5), log1p(divide(subtract(shift, add(k, 1)), multiply(q, add(k, 1)))))
  const ofMode = add(subtract(tailOf(mode), part(mode)), tailOf(subtract(n, mode)))
  let found: Tensor | null = null
  let result: Tensor = mode
  for (let round = 0; round < ROUNDS; round++) {
    const u = subtract(add(draw(2 * round), 2 ** -24), 0.5)
    const v = add(draw(2 * round + 1), 2 ** -24)
    const edge = subtract(0.5, abs(u))
    const k = floor(add(multiply(add(divide(multiply(a, 2), edge), b), u), c))
    const isInside = logicalAnd(greaterEqual(k, 0), lessEqual(k, n))
    const safe = minimum(maximum(k, 0), n)
    const isClear = logicalAnd(greaterEqual(edge, 0.07), lessEqual(v, squeeze))
    const height = log(divide(multiply(v, scale), add(divide(a, square(edge)), b)))
    const between = multiply(add(n, 1), log1p(divide(subtract(safe, mode), add(subtract(n, safe), 1))))
    const limit = subtract(add(add(ofMode, between), part(safe)), add(tailOf(safe), tailOf(subtract(n, safe))))
    const accepted: Tensor = logicalAnd(isInside, logicalOr(isClear, lessEqual(height, limit)))
    result = where(found === null ? accepted : logicalAnd(accepted, logicalNot(found)), safe, result)
    found = found === null ? accepted : logicalOr(found, accepted)
  }
  return result
}

export const binomial = op(
  () => [arg('shape', shapeKind), arg('counts', operand), arg('probabilities', operand), ...ofFloats()],
  {
    /**
     * The number of successes in `counts` trials that each succeed with a probability p. The mean is n p, the variance n p (1 − p).
     * @param counts n ≥ 0, a number or a tensor that broadcasts to the shape, exact up to 2²⁴
     * @param probabilities p in 0 … 1, likewise. Other numbers give NaN.
     * @param dtype 'float32' or null. Default null.
     * @param seed a number gives the same numbers every time, a SeedGenerator new ones each time. Default null.
     * @returns whole numbers as float32, without gradients
     * @example random.binomial([4], 10, 0.3, { seed: 7 })
     * Keras: `keras.random.binomial`.
     */
    binomial(shape, counts, probabilities, _dtype = null, seed = null): Tensor {
      const draw = streamsOf(shape, seed)
      const n = parameterOf('binomial: counts', counts, shape)
      const chance = parameterOf('binomial: probabilities', probabilities, shape)
      const isLikely = greater(chance, 0.5)
      const p = where(isLikely, subtract(1, chance), chance)
      const successes = drawn(counts, probabilities, n, p, draw)
      const result = where(isLikely, subtract(n, successes), successes)
      const isValid = logicalAnd(greaterEqual(n, 0), logicalAnd(greaterEqual(chance, 0), lessEqual(chance, 1)))
      return where(isValid, result, NaN)
    },
  },
  { within: 'random' },
)

/** Parameters that are numbers choose one algorithm; for tensors, both are computed. */
function drawn(counts: TensorLike, probabilities: TensorLike, n: Tensor, p: Tensor, draw: Draw): Tensor {
  if (typeof counts === 'number' && typeof probabilities === 'number') {
    const mean = counts * Math.min(probabilities, 1 - probabilities)
    return (mean < SMALL_MEAN ? inverted : rejected)(n, p, draw)
  }
  const isSmall = less(multiply(n, p), SMALL_MEAN)
  const large = rejected(where(isSmall, 4 * SMALL_MEAN, n), where(isSmall, 0.5, p), draw)
  return where(isSmall, inverted(where(isSmall, n, 0), p, draw), large)
}
