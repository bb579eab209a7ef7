// KernelSHAP without the model: which coalitions are evaluated, their weights, and the least squares. Lundberg & Lee
// 2017; coalitions are chosen as in SHAP's KernelExplainer.

import { threefryUniform } from '../core/threefry'

/** Coalitions, without the empty and the full one. */
export interface Coalitions {
  /** [coalitions, players], 1 for a member. */
  readonly masks: Uint8Array
  /** They sum to 1. */
  readonly weights: Float64Array
}

/** Which coalitions to evaluate by size; size s includes the complements, of size n − s. */
export interface CoalitionSizes {
  /** The number of sizes, from 1 on, whose coalitions are all evaluated. */
  readonly whole: number
  /** For each size s = 1 …, the share of the total weight of s and n − s together. */
  readonly shares: Float64Array
  /** The number of coalitions to draw for the other sizes. */
  readonly drawn: number
}

function choose(n: number, k: number): number {
  let result = 1
  for (let i = 1; i <= k; i++) result = (result * (n - k + i)) / i
  return Math.round(result)
}

/** The number of coalitions of size s or n − s. */
function pairsOf(n: number, s: number): number {
  return choose(n, s) * (2 * s === n ? 1 : 2)
}

/**
 * Decides which sizes are evaluated completely: those whose share of the samples by weight covers their number of
 * coalitions, from size 1 on.
 */
export function coalitionSizes(n: number, samples: number): CoalitionSizes {
  const sizes = Math.floor(n / 2)
  const raw = Float64Array.from(
    { length: sizes },
    (_, i) => ((n - 1) / ((i + 1) * (n - i - 1))) * (2 * (i + 1) === n ? 1 : 2),
  )
  const total = raw.reduce((sum, weight) => sum + weight, 0)
  const shares = raw.map((weight) => weight / total)
  let left = samples
  let rest = 1
  let whole = 0
  while (whole < sizes) {
    const count = pairsOf(n, whole + 1)
    // The number of samples this size would get, if they were distributed by weight.
    if (count > left || (left * shares[whole]!) / rest < count - 1e-8) break
    left -= count
    rest -= shares[whole]!
    whole++
  }
  // If all remaining coalitions fit, nothing is drawn.
  const remaining = Array.from({ length: sizes - whole }, (_, i) => pairsOf(n, whole + i + 1)).reduce(
    (sum, count) => sum + count,
    0,
  )
  if (remaining <= left) return { whole: sizes, shares, drawn: 0 }
  return { whole, shares, drawn: left }
}

/** Distinct coalitions with their weights. */
class Collection {
  private readonly masks: Uint8Array[] = []
  private readonly weights: number[] = []
  private readonly places = new Map<string, number>()

  get size(): number {
    return this.masks.length
  }

  /** Adds to the weight of a coalition. */
  add(mask: Uint8Array, weight: number): void {
    const key = keyOf(mask)
    const place = this.places.get(key)
    if (place !== undefined) {
      this.weights[place]! += weight
      return
    }
    this.places.set(key, this.masks.length)
    this.masks.push(mask)
    this.weights.push(weight)
  }

  has(mask: Uint8Array): boolean {
    return this.places.has(keyOf(mask))
  }

  scaled(first: number, by: number): Coalitions {
    const n = this.masks[0]?.length ?? 0
    const masks = new Uint8Array(this.masks.length * n)
    this.masks.forEach((mask, k) => masks.set(mask, k * n))
    return { masks, weights: Float64Array.from(this.weights, (weight, k) => (k < first ? weight : weight * by)) }
  }
}

/** A string with 16 players per character. */
function keyOf(mask: Uint8Array): string {
  let key = ''
  for (let start = 0; start < mask.length; start += 16) {
    let bits = 0
    for (let i = start; i < Math.min(start + 16, mask.length); i++) bits = 2 * bits + mask[i]!
    key += String.fromCharCode(bits)
  }
  return key
}

const complementOf = (mask: Uint8Array): Uint8Array => mask.map((each) => 1 - each)

/** All coalitions of the complete sizes, and random ones with their complements for the others. */
export function drawCoalitions(n: number, { whole, shares, drawn }: CoalitionSizes, seed: number): Coalitions {
  const found = new Collection()
  for (let size = 1; size <= whole; size++) {
    const weight = shares[size - 1]! / pairsOf(n, size)
    for (const mask of subsets(n, size)) {
      found.add(mask, weight)
      if (2 * size !== n) found.add(complementOf(mask), weight)
    }
  }
  const left = shares.slice(whole)
  const rest = left.reduce((sum, share) => sum + share, 0)
  const begin = found.size
  const random = uniforms(seed)
  const players = Int32Array.from({ length: n }, (_, i) => i)
  let draws = 0
  // A repeated coalition gains weight without another evaluation, so there may be more draws than evaluations.
  for (let turn = 0; turn < 4 * drawn && found.size - begin < drawn; turn++) {
    const mask = draw(players, whole + 1 + pick(left, random() * rest), random)
    for (const each of [mask, complementOf(mask)]) {
      if (found.size - begin >= drawn && !found.has(each)) continue
      found.add(each, 1)
      draws++
    }
  }
  return found.scaled(begin, rest / Math.max(1, draws))
}

/** All coalitions of a size. */
function* subsets(n: number, size: number): Generator<Uint8Array, void, void> {
  const members = Array.from({ length: size }, (_, i) => i)
  for (;;) {
    const mask = new Uint8Array(n)
    for (const member of members) mask[member] = 1
    yield mask
    // Advance the last member that can move; those after it follow directly.
    let i = size - 1
    while (i >= 0 && members[i] === n - size + i) i--
    if (i < 0) return
    members[i]!++
    for (let j = i + 1; j < size; j++) members[j] = members[j - 1]! + 1
  }
}

/** The index at which the running sum exceeds x. */
function pick(shares: Float64Array, x: number): number {
  let sum = 0
  const found = shares.findIndex((share) => (sum += share) > x)
  return found < 0 ? shares.length - 1 : found
}

/** A random coalition of a size. Permutes `players`. */
function draw(players: Int32Array, size: number, random: () => number): Uint8Array {
  const mask = new Uint8Array(players.length)
  for (let i = 0; i < size; i++) {
    const j = i + Math.floor(random() * (players.length - i))
    ;[players[i], players[j]] = [players[j]!, players[i]!]
    mask[players[i]!] = 1
  }
  return mask
}

/** Random numbers in [0, 1) from a seed. */
function uniforms(seed: number): () => number {
  const block = new Float32Array(1024)
  let at = block.length
  let stream = 0
  return () => {
    if (at === block.length) {
      threefryUniform(seed, 0, stream++, block)
      at = 0
    }
    return block[at++]!
  }
}

/**
 * Minimises Σ w (y − Σ φᵢ zᵢ)² subject to Σ φᵢ = total, for coalitions z with weights w. The constraint eliminates the
 * last φ: with aᵢ = zᵢ − zₙ, (AᵀWA) φ = AᵀW (y − zₙ · total), solved with a Cholesky factor that is computed once for
 * all rows.
 * @returns a function from gains y and their total to φ; null if the coalitions do not determine φ
 */
export function leastSquares(
  n: number,
  { masks, weights }: Coalitions,
): ((gains: Float64Array, total: number) => Float64Array) | null {
  const m = n - 1
  // Within a coalition all nonzero aᵢ are equal: 1, or −1 if the last player is a member. So their products are 1.
  const signs = Float64Array.from(weights, (_, k) => (masks[k * n + m] === 1 ? -1 : 1))
  const apart = Array.from(weights, (_, k) =>
    Int32Array.from({ length: m }, (_, i) => i).filter((i) => masks[k * n + i] !== masks[k * n + m]),
  )
  const matrix = new Float64Array(m * m)
  // Only the lower triangle, which is all that Cholesky reads.
  apart.forEach((list, k) => {
    const weight = weights[k]!
    for (let a = 0; a < list.length; a++) {
      const row = list[a]! * m
      for (let b = 0; b <= a; b++) matrix[row + list[b]!]! += weight
    }
  })
  const factor = cholesky(m, matrix)
  if (factor === null) return null
  return (gains, total) => {
    const φ = new Float64Array(n)
    apart.forEach((list, k) => {
      const rest = weights[k]! * (signs[k]! * gains[k]! + (signs[k]! < 0 ? total : 0))
      for (const i of list) φ[i]! += rest
    })
    for (let i = 0; i < m; i++) {
      for (let k = 0; k < i; k++) φ[i]! -= factor[i * m + k]! * φ[k]!
      φ[i]! /= factor[i * m + i]!
    }
    for (let i = m - 1; i >= 0; i--) {
      for (let k = i + 1; k < m; k++) φ[i]! -= factor[k * m + i]! * φ[k]!
      φ[i]! /= factor[i * m + i]!
    }
    φ[m] = φ.reduce((left, each) => left - each, total)
    return φ
  }
}

/** L [m, m] with L Lᵀ = a, overwriting a; null if the matrix is not positive definite. */
function cholesky(m: number, a: Float64Array): Float64Array | null {
  const largest = Array.from({ length: m }, (_, i) => a[i * m + i]!).reduce((x, y) => Math.max(x, y), 0)
  for (let i = 0; i < m; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * m + j]!
      for (let k = 0; k < j; k++) sum -= a[i * m + k]! * a[j * m + k]!
      if (i !== j) a[i * m + j] = sum / a[j * m + j]!
      else if (sum > 1e-12 * largest) a[i * m + i] = Math.sqrt(sum)
      else return null
    }
  }
  return a
}
