// Points and weights of Gauss–Legendre quadrature on [0, 1].

export interface Quadrature {
  /** Ascending. */
  readonly points: Float64Array
  /** They sum to 1. */
  readonly weights: Float64Array
}

/**
 * ∫₀¹ f(t) dt ≈ Σ wᵢ f(tᵢ), exact for polynomials up to degree 2n − 1. The points are the roots of the Legendre polynomial Pₙ,
 * found by Newton's method from cos(π (i + ¾) / (n + ½)).
 */
export function gaussLegendre(n: number): Quadrature {
  const points = new Float64Array(n)
  const weights = new Float64Array(n)
  for (let i = 0; i < n; i++) {
    let x = Math.cos((Math.PI * (i + 0.75)) / (n + 0.5))
    let slope = 1
    for (let turn = 0; turn < 100; turn++) {
      // (k + 1) P_{k+1} = (2k + 1) x P_k − k P_{k−1}
      let [before, value] = [0, 1]
      for (let k = 0; k < n; k++) [before, value] = [value, ((2 * k + 1) * x * value - k * before) / (k + 1)]
      slope = (n * (x * value - before)) / (x * x - 1)
      const step = value / slope
      x -= step
      if (Math.abs(step) < 1e-15) break
    }
    points[n - 1 - i] = (1 + x) / 2
    weights[n - 1 - i] = 1 / ((1 - x * x) * slope * slope)
  }
  return { points, weights }
}
