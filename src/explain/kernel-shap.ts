// What KernelSHAP does besides asking the model: which coalitions are tried, how much each weighs, and the least squares that
// follow. Lundberg & Lee 2017; the choice of coalitions is that of SHAP's KernelExplainer.

import { threefryUniform } from '../core/threefry'

/** Coalitions without the empty and the whole one. */
export interface Coalitions {
  /** [coalitions, players], 1 for a player that takes part. */
  readonly masks: Uint8Array
  /** They sum to 1. */
  readonly weights: Float64Array
}

/** What is tried of the coalitions of each size, those of size s together with their complements of size n − s. */
export interface CoalitionSizes {
  /** How many sizes, from 1 on, are tried whole. */
  readonly whole: number
  /** The share of each size s = 1 … in the whole weight, with that of n − s. */
  readonly shares: Float64Array
  /** How many coalitions are drawn for the sizes that are left. */
  readonly drawn: number
}

function choose(n: number, k: number): number {
  let result = 1
  for (let i = 1; i <= k; i++) result = (result * (n - k + i)) / i
  return Math.round(result)
}

/** How many coalitions have size s, or n − s. */
function pairsOf(n: number, s: number): number {
  return choose(n, s) * (2 * s === n ? 1 : 2)
}

/** Which sizes a number of samples can hold whole: those that weigh more than what they cost, from the outside in. */
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
    // What this size would get of the samples, if they were dealt out by weight.
    if (count > left || (left * shares[whole]!) / rest < count - 1e-8) break
    left -= count
    rest -= shares[whole]!
    whole++
  }
  // Where everything can be tried, nothing is drawn.
  const remaining = Array.from({ length: sizes - whole }, (_, i) => pairsOf(n, whole + i + 1)).reduce(
    (sum, count) => sum + count,
    0,
  )
  if (remaining <= left) return { whole: sizes, shares, drawn: 0 }
  return { whole, shares, drawn: left }
}

/** Coalitions as they are found, each once. */
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

/** A text of 16 players a character. */
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

/** The coalitions of the sizes that are tried whole, and for the others random ones with their complements. */
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
  // Coalitions that come again weigh more, and are not evaluated again; so there may be more draws than evaluations.
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

/** Every coalition of a size. */
function* subsets(n: number, size: number): Generator<Uint8Array, void, void> {
  const members = Array.from({ length: size }, (_, i) => i)
  for (;;) {
    const mask = new Uint8Array(n)
    for (const member of members) mask[member] = 1
    yield mask
    // The last member that can move on does, and those behind it follow close.
    let i = size - 1
    while (i >= 0 && members[i] === n - size + i) i--
    if (i < 0) return
    members[i]!++
    for (let j = i + 1; j < size; j++) members[j] = members[j - 1]! + 1
  }
}

/** The index at which a running sum passes x. */
function pick(shares: Float64Array, x: number): number {
  let sum = 0
  const found = shares.findIndex((share) => (sum += share) > x)
  return found < 0 ? shares.length - 1 : found
}

/** A random coalition of a size. The players are left in another order. */
function draw(players: Int32Array, size: number, random: () => number): Uint8Array {
  const mask = new Uint8Array(players.length)
  for (let i = 0; i < size; i++) {
    const j = i + Math.floor(random() * (players.length - i))
    ;[players[i], players[j]] = [players[j]!, players[i]!]
    mask[players[i]!] = 1
  }
  return mask
}

/** Numbers in [0, 1) from a seed. */
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
 * Minimises Σ w (y − Σ φᵢ zᵢ)² under Σ φᵢ = total, for coalitions z with weights w. The last φ follows from the others:
 * with aᵢ = zᵢ − zₙ, (AᵀWA) φ = AᵀW (y − zₙ · total), solved by Cholesky's factor, which is made once for all rows.
 * @returns a function from gains y and their total to φ; null where the coalitions do not determine it
 */
export function leastSquares(
  n: number,
  { masks, weights }: Coalitions,
): ((gains: Float64Array, total: number) => Float64Array) | null {
  const m = n - 1
  // Within a coalition all aᵢ that are not 0 are 1, or −1 where the last player takes part: their products are 1.
  const signs = Float64Array.from(weights, (_, k) => (masks[k * n + m] === 1 ? -1 : 1))
  const apart = Array.from(weights, (_, k) =>
    Int32Array.from({ length: m }, (_, i) => i).filter((i) => masks[k * n + i] !== masks[k * n + m]),
  )
  const matrix = new Float64Array(m * m)
  // The lower half, which is all that Cholesky reads.
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

/** L [m, m] with L Lᵀ = a, in a's place; null for a matrix that is not positive definite. */
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
