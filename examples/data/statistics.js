// Random numbers for reproducible examples.

/**
 * Random numbers in [0, 1), the same for the same seed: mulberry32, Ettinger 2017.
 *
 * @param {number} seed
 */
export function generator(seed) {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The indices 0 … count − 1 in a random order. */
export function shuffled(count, random) {
  const order = Int32Array.from({ length: count }, (_, i) => i)
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[order[i], order[j]] = [order[j], order[i]]
  }
  return order
}

export const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length

export const median = (values) => quantile(values, 0.5)

/** The value below which this share of the values lies, interpolated. */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b)
  const at = share * (sorted.length - 1)
  const below = Math.floor(at)
  return sorted[below] + (at - below) * ((sorted[below + 1] ?? sorted[below]) - sorted[below])
}

/** The median of some runs with the quantiles `share` and 1 − share, 0 for the least and the greatest: `88.2 (88.1–88.4)`. */
export function withRange(values, digits = 1, share = 0) {
  const [low, middle, high] = [share, 0.5, 1 - share].map((each) => quantile(values, each).toFixed(digits))
  return values.length === 1 ? middle : `${middle} (${low}–${high})`
}
