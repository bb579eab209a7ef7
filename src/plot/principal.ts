// The first two principal components of rows, by orthogonal iteration in float64.

export interface Components {
  /** [rows, 2], row by row. */
  readonly scores: Float64Array
  /** The shares of the variance. */
  readonly shares: readonly [number, number]
}

/** Directions of almost equal variance need many more iterations, but each of them is as good as the exact one. */
const ITERATIONS = 80

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

/**
 * Scores of the centred rows along the two directions of the largest variance.
 * @param data [rows, columns]
 * @param chosen the rows from which the directions are found
 */
export function principalComponents(
  data: ArrayLike<number>,
  rows: number,
  columns: number,
  chosen: readonly number[],
): Components {
  const mean = new Float64Array(columns)
  for (const row of chosen) for (let i = 0; i < columns; i++) mean[i]! += data[row * columns + i]! / chosen.length
  const score = (row: number, direction: Float64Array): number => {
    let sum = 0
    for (let i = 0; i < columns; i++) sum += (data[row * columns + i]! - mean[i]!) * direction[i]!
    return sum
  }
  const centred = chosen.map((row) => Float64Array.from(mean, (each, i) => data[row * columns + i]! - each))
  /** Xᵀ X v / rows, without the part along an earlier direction. */
  const step = (from: Float64Array, earlier: Float64Array | null): { to: Float64Array; variance: number } => {
    const to = new Float64Array(columns)
    for (const row of centred) {
      let along = 0
      for (let i = 0; i < columns; i++) along += row[i]! * from[i]!
      along /= chosen.length
      for (let i = 0; i < columns; i++) to[i]! += along * row[i]!
    }
    if (earlier !== null) {
      const along = dot(to, earlier)
      for (let i = 0; i < columns; i++) to[i]! -= along * earlier[i]!
    }
    return { to, variance: Math.sqrt(dot(to, to)) }
  }
  const find = (earlier: Float64Array | null, least: number): { direction: Float64Array; variance: number } => {
    // A start without a pattern, so that it is not orthogonal to the direction; any fixed one would do.
    let direction = Float64Array.from({ length: columns }, (_, i) => Math.sin(12.9898 * (i + 1)))
    let variance = 0
    for (let i = 0; i < ITERATIONS; i++) {
      const next = step(direction, earlier)
      // A smaller variance is a rounding error, which has no direction.
      if (next.variance <= least) return { direction: new Float64Array(columns), variance: 0 }
      const before = variance
      variance = next.variance
      direction = next.to.map((each) => each / variance)
      if (i > 4 && Math.abs(variance - before) <= 1e-8 * variance) break
    }
    // The largest element is positive, so that the sign does not depend on the start.
    const largest = direction.reduce((best, each) => (Math.abs(each) > Math.abs(best) + 1e-12 ? each : best), 0)
    return { direction: largest < 0 ? direction.map((each) => -each) : direction, variance }
  }
  const first = find(null, 0)
  const second =
    columns > 1 ? find(first.direction, 1e-12 * first.variance) : { direction: new Float64Array(columns), variance: 0 }
  let total = 0
  for (const row of centred) total += dot(row, row) / chosen.length
  const scores = new Float64Array(2 * rows)
  for (let row = 0; row < rows; row++) {
    scores[2 * row] = score(row, first.direction)
    scores[2 * row + 1] = score(row, second.direction)
  }
  const shareOf = (variance: number): number => (total === 0 ? 0 : Math.min(1, variance / total))
  return { scores, shares: [shareOf(first.variance), shareOf(second.variance)] }
}
