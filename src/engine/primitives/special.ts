// Functions that JavaScript's Math lacks, for the interpreter: in float64, and for 32-bit integers. Kernels
// compute them in other ways.

import { LEAST_FACTOR, LEAST_SQUARED, LEAST_STATE } from '../../../assembly/shared/vanishing'

const flushed = (x: number, least: number): number => (Math.abs(x) < least ? 0 : x)
/** x as a factor of a product. */
export const factorOf = (x: number): number => flushed(x, LEAST_FACTOR)
/** x as it is kept. */
export const stateOf = (x: number): number => flushed(x, LEAST_STATE)
/** x² in a mean of squares. */
export const squareOf = (x: number): number => flushed(x, LEAST_SQUARED) ** 2

const TWO_OVER_SQRT_PI = 2 / Math.sqrt(Math.PI)

/** erf(x) = 2/√π ∫₀ˣ e^(−t²) dt; relative error below 1e-14. */
export function erf(x: number): number {
  const magnitude = Math.abs(x)
  if (Number.isNaN(x)) return x
  if (magnitude > 6) return Math.sign(x)
  if (magnitude < 3) {
    // erf(x) = 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (1·3·5 … (2n+1)); every term is positive, so nothing cancels.
    let term = x
    let sum = x
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
      term *= (2 * x * x) / (2 * n + 1)
      sum += term
    }
    return TWO_OVER_SQRT_PI * Math.exp(-x * x) * sum
  }
  // erfc(x) = e^(−x²)/√π · 1/(x + (1/2)/(x + (2/2)/(x + (3/2)/(x + …)))), from the inside out
  let fraction = magnitude
  for (let n = 60; n >= 1; n--) fraction = magnitude + n / 2 / fraction
  return Math.sign(x) * (1 - Math.exp(-x * x) / Math.sqrt(Math.PI) / fraction)
}

/** φ(0) = 1/√2π, the peak of the normal density. */
export const NORMAL_PEAK = 1 / Math.sqrt(2 * Math.PI)

/** Φ(−t) for t ≥ 0, the tail of the normal distribution, with a small relative error for any t. */
function normalTail(t: number): number {
  if (t < 3) return (1 - erf(t * Math.SQRT1_2)) / 2
  // φ(t) · 1/(t + 1/(t + 2/(t + 3/(t + …)))), from the inside out
  let fraction = t
  for (let n = 100; n >= 1; n--) fraction = t + n / fraction
  return (NORMAL_PEAK * Math.exp((-t * t) / 2)) / fraction
}

/** x Φ(x), Φ the normal distribution function. */
export function gelu(x: number): number {
  const t = Math.abs(x)
  if (x === 0) return x
  if (t === Infinity) return Math.max(x, 0)
  return Math.max(x, 0) - t * normalTail(t)
}

/** Φ(x) + x φ(x) */
export function geluSlope(x: number): number {
  const t = Math.abs(x)
  const slope = t === Infinity ? 0 : t * NORMAL_PEAK * Math.exp((-t * t) / 2) - normalTail(t)
  return x < 0 ? -slope : 1 + slope
}

/** v = √(8/π) (x + 0.044715 x³), whose sigmoid is ½ (1 + tanh(v/2)) */
export const GELU_TANH = { linear: 1.5957691216057308, cubic: 0.07135481627260025 }

/** ½x (1 + tanh(√(2/π) (x + 0.044715 x³))) */
export function geluTanh(x: number): number {
  const slope = GELU_TANH.linear + GELU_TANH.cubic * x * x
  return x === -Infinity ? -0 : x * sigmoid(x * slope)
}

/** x·s for a gate s of x that is eˣ far below 0, computed as in the kernel, where s would be denormal in float32. */
export function gated(x: number, s: number): number {
  if (x < -87) return x === -Infinity ? -0 : x * Math.exp(x)
  return x * s
}

/** tanh(log(1 + eˣ)) */
export function tanhSoftplus(x: number): number {
  return Math.tanh(softplus(x))
}

/** The x with erf(x) = y: Winitzki's closed form as a start, then Newton's method. */
export function erfInv(y: number): number {
  if (!(Math.abs(y) < 1)) return Math.abs(y) === 1 ? y * Infinity : NaN
  if (y === 0) return y
  const a = 0.147
  const l = Math.log1p(-y * y)
  const b = 2 / (Math.PI * a) + l / 2
  let x = Math.sign(y) * Math.sqrt(Math.sqrt(b * b - l / a) - b)
  for (let i = 0; i < 4; i++) x -= (erf(x) - y) / (TWO_OVER_SQRT_PI * Math.exp(-x * x))
  return x
}

/** log(1 + eˣ) without overflow. */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))
}

/** 1 / (1 + e^(−x)) without overflow. */
export function sigmoid(x: number): number {
  const small = Math.exp(-Math.abs(x))
  return (x >= 0 ? 1 : small) / (1 + small)
}

/** Rounds half to even. */
export function roundHalfEven(x: number): number {
  const rounded = Math.round(x)
  if (Math.abs(x % 1) === 0.5 && rounded % 2 !== 0) return rounded - 1
  return rounded
}

/** C's powf: unlike JavaScript's **, 1 to any power is 1, and so is −1 to ±Inf. */
export function power(x: number, y: number): number {
  return x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y
}

/** aᵇ of 32-bit integers, wrapped. For b < 0 the fraction is dropped: ±1 for a = ±1, else 0. */
export function integerPower(a: number, b: number): number {
  if (b < 0 && Math.abs(a) !== 1) return 0
  let [power, square] = [1, a]
  for (let digits = b >>> 0; digits > 0; digits >>>= 1) {
    if (digits % 2 === 1) power = Math.imul(power, square)
    square = Math.imul(square, square)
  }
  return power
}

/** x − ⌊x/y⌋·y like Python's %: the sign of y, also for zeros. y = ±Inf gives x, or y if the signs differ. */
export function modulo(x: number, y: number): number {
  const remainder = x % y
  if (remainder === 0) return y < 0 ? -0 : 0
  return remainder < 0 === y < 0 ? remainder : remainder + y
}

/** ⌊x/y⌋ as NumPy's floor_divide: ±Inf for x/0, NaN for infinite x; ±0 for infinite y, or −1 where the signs differ. */
export function floorDivide(x: number, y: number): number {
  if (Math.abs(x) === Infinity && y !== 0) return NaN
  const quotient = Math.floor(x / y)
  return quotient === 0 && x !== 0 && x < 0 !== y < 0 ? -1 : quotient
}

/** ⌊a/b⌋ of 32-bit integers, wrapped; 0 where b is 0, as in NumPy. */
export function floorQuotient(a: number, b: number): number {
  return b === 0 ? 0 : Math.floor(a / b) | 0
}

/** a − ⌊a/b⌋·b of 32-bit integers: the sign of b; 0 where b is 0. */
export function floorRemainder(a: number, b: number): number {
  return b === 0 ? 0 : a - Math.floor(a / b) * b
}
