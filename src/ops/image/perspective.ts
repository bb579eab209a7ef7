// Changes of perspective, as functions of points.

import { solve } from '../linalg/factorization'
import { sliceAlong } from '../numpy/along'
import { add, divide, multiply, negative } from '../numpy/elementwise'
import { concatenate, onesLike, zerosLike } from '../numpy/shape'
import type { Tensor } from '../tensor'

/** Maps points, in pixels: x along the columns and y along the rows, in shapes that broadcast. */
export type PointMap = (x: Tensor, y: Tensor) => readonly [x: Tensor, y: Tensor]

/**
 * The change of perspective that maps four points to four others, each [batch, 4, 2]:
 *
 *   x′ = (h₀ x + h₁ y + h₂) / d      y′ = (h₃ x + h₄ y + h₅) / d      d = h₆ x + h₇ y + 1
 */
export function perspective(from: Tensor, to: Tensor): PointMap {
  // Each [batch, 4, 1].
  const [u, v] = [sliceAlong(from, 2, 0, 1), sliceAlong(from, 2, 1, 1)]
  const [x, y] = [sliceAlong(to, 2, 0, 1), sliceAlong(to, 2, 1, 1)]
  const [zero, one] = [zerosLike(u), onesLike(u)]
  const last = (of: Tensor): Tensor[] => [negative(multiply(of, u)), negative(multiply(of, v))]
  const system = concatenate(
    [
      concatenate([u, v, one, zero, zero, zero, ...last(x)], 2),
      concatenate([zero, zero, zero, u, v, one, ...last(y)], 2),
    ],
    1,
  )
  const entries = solve(system, concatenate([x, y], 1))
  // Each [batch, 1, 1].
  const h = (i: number): Tensor => sliceAlong(entries, 1, i, 1)
  return (x, y) => {
    const depth = add(add(multiply(h(6), x), multiply(h(7), y)), 1)
    const along = (i: number): Tensor => divide(add(add(multiply(h(i), x), multiply(h(i + 1), y)), h(i + 2)), depth)
    return [along(0), along(3)]
  }
}
