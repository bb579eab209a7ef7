// SmoothGrad compared with normal noise on a cubic, and the quadrature of integrated gradients with polynomials.

import { describe, expect, it } from 'vitest'
import { Input, Model, ops } from '../../src'
import { integratedGradients, smoothGrad } from '../../src/entries/explain'
import { gaussLegendre } from '../../src/explain/quadrature'

/** f(x) = Σ xᵢᵖ */
function powers(p: number): Model {
  const x = Input({ shape: [3] })
  return new Model({ inputs: x, outputs: ops.sum(ops.power(x, p), 1, true) })
}

describe('smoothGrad', () => {
  it('is the mean gradient under noise whose size follows the range of the row', async () => {
    const cubic = powers(3)
    // E 3 (x + ε)² = 3 (x² + σ²)
    for (const [row, noise] of [
      [[1, 0, -1], 0.25],
      [[10, 8, 6], 0.1],
    ] as const) {
      const σ = noise * (Math.max(...row) - Math.min(...row))
      const { attributions, value } = await smoothGrad(cubic, [[...row]], { samples: 4000, noise, seed: 3 })
      row.forEach((x, i) => {
        const error = (3 * Math.sqrt(4 * x * x * σ * σ + 2 * σ ** 4)) / Math.sqrt(4000)
        expect(Math.abs(attributions.data[i]! - 3 * (x * x + σ * σ))).toBeLessThan(5 * error)
      })
      expect(value.data[0]).toBeCloseTo(
        row.reduce((sum: number, x) => sum + x ** 3, 0),
        2,
      )
    }
  })

  it('depends only on the seed and the row', async () => {
    const cubic = powers(3)
    const x = [
      [1, 2, 3],
      [0, 1, -2],
      [4, 4, 5],
    ]
    const of = async (rows: number[][], options: object): Promise<number[][]> =>
      (await smoothGrad(cubic, rows, { samples: 8, ...options })).attributions.toArray()
    const all = await of(x, { seed: 1 })
    expect(await of(x, { seed: 1 })).toEqual(all)
    expect(await of(x, { seed: 2 })).not.toEqual(all)
    const close = (a: number[][], b: number[][]): void =>
      a.flat().forEach((each, i) => expect(each).toBeCloseTo(b.flat()[i]!, 3))
    close(await of(x, { seed: 1, batchSize: 9 }), all)
    close(await of([x[2]!], { seed: 1 }), [all[2]!])
  })
})

describe('gaussLegendre', () => {
  it.each([1, 2, 3, 8, 50, 200])('with %i points integrates polynomials of twice the degree', (n) => {
    const { points, weights } = gaussLegendre(n)
    for (const degree of [0, 1, n, 2 * n - 1]) {
      const sum = points.reduce((total, t, i) => total + weights[i]! * t ** degree, 0)
      expect(sum * (degree + 1)).toBeCloseTo(1, 11)
    }
    expect(points.every((t, i) => t > (points[i - 1] ?? 0) && t < 1)).toBe(true)
  })

  it('makes integrated gradients of polynomials exact with few points', async () => {
    // d/dx x⁴ has degree 3: two points.
    const { attributions, gap } = await integratedGradients(powers(4), [[1, -2, 0.5]], { points: 2 })
    ;[1, 16, 0.0625].forEach((each, i) => expect(attributions.data[i]).toBeCloseTo(each, 4))
    expect(gap.data[0]).toBeCloseTo(0, 4)
    expect(
      Math.abs((await integratedGradients(powers(4), [[1, -2, 0.5]], { points: 1 })).gap.data[0]!),
    ).toBeGreaterThan(1)
  })
})
