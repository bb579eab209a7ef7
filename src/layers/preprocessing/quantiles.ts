// A short summary of a distribution, from which quantiles are read. Summaries of batches are merged, so that only one
// batch is in memory.

/** Ascending values, and how many numbers each stands for: itself and those between it and the previous value. */
export interface Summary {
  readonly values: Float32Array
  readonly weights: Float32Array
}

export const EMPTY: Summary = { values: new Float32Array(0), weights: new Float32Array(0) }

/** Every 1/epsilon-th part of some numbers, or every number if there are fewer. */
export function summaryOf(numbers: ArrayLike<number>, epsilon: number): Summary {
  const sorted = Float32Array.from(numbers).sort()
  const step = Math.max(sorted.length * epsilon, 1)
  const values = sorted.filter(
    (_, i) => i >= Math.floor(step - 1) && (i - Math.floor(step - 1)) % Math.floor(step) === 0,
  )
  return { values, weights: new Float32Array(values.length).fill(step) }
}

export function merged(a: Summary, b: Summary, epsilon: number): Summary {
  const all = [a, b]
    .flatMap(({ values, weights }) => Array.from(values, (value, i) => [value, weights[i]!] as const))
    .sort(([left], [right]) => left - right)
  return compressed(
    { values: Float32Array.from(all, ([value]) => value), weights: Float32Array.from(all, ([, weight]) => weight) },
    epsilon,
  )
}

/** At most 1/epsilon values, at equal shares of all numbers. */
function compressed(summary: Summary, epsilon: number): Summary {
  if (summary.values.length * epsilon < 1) return summary
  let total = 0
  const below = summary.weights.map((weight) => (total = Math.fround(total + weight)))
  const shares = below.map((sum) => sum / total)
  // 0, ε, 2ε, … below 1, each moved up by ε.
  const ends = Array.from({ length: Math.ceil(1 / epsilon) }, (_, i) => epsilon + i * epsilon)
  const counted = interpolated(ends, shares, below)
  return {
    values: Float32Array.from(interpolated(ends, shares, summary.values)),
    weights: Float32Array.from(counted, (sum, i) => sum - (counted[i - 1] ?? 0)),
  }
}

/**
 * y at each x, by linear interpolation between points (xs, ys); outside them the first or the last y. xs and places are
 * ascending.
 */
function interpolated(places: readonly number[], xs: Float32Array, ys: Float32Array): number[] {
  let at = 0
  return places.map((x) => {
    while (at < xs.length && xs[at]! <= x) at++
    if (at === 0 || at === xs.length) return ys[Math.max(at - 1, 0)]!
    const share = (x - xs[at - 1]!) / (xs[at]! - xs[at - 1]!)
    return ys[at - 1]! + (ys[at]! - ys[at - 1]!) * share
  })
}

/** The boundaries between `bins` parts of equal size; fewer if the summary holds fewer values than parts. */
export function boundariesOf(summary: Summary, bins: number): Float32Array {
  return compressed(summary, 1 / bins).values.slice(0, -1)
}
