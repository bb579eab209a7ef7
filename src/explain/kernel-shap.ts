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
  const raw = Float64Array.from({ length: sizes }, (_, i) => ((n - 1) / ((i + 1) * (n - i - 1))) * (2 * (i + 1) === n ? 1 : 2))
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
  const remaining = Array.from({ length: sizes - whole }, (_, i) => pairsOf(n, whole + i + 1)).reduce((sum, count) => sum + count, 0)
  if (remaining <= left) return { whole: sizes, shares, drawn: 0 }
  return { whole, shares, drawn: left }
}

/** The coalitions of the sizes that are tried whole, and for the others random ones with their complements. */
export function drawCoalitions(n: number, { whole, shares, drawn }: CoalitionSizes, seed: number): Coalitions {
  const masks: number[][] = []
  const weights: number[] = []
  const add = (members: readonly number[], weight: number): void => {
    const mask = new Array<number>(n).fill(0)
    for (const member of members) mask[member] = 1
    masks.push(mask)
    weights.push(weight)
  }
  for (let size = 1; size <= whole; size++) {
    const weight = shares[size - 1]! / pairsOf(n, size)
    for (const members of subsets(n, size)) {
      add(members, weight)
      if (2 * size !== n) add(others(n, members), weight)
    }
  }
  const left = shares.slice(whole)
  const rest = left.reduce((sum, share) => sum + share, 0)
  const places = new Map<string, number>()
  let draws = 0
  const begin = weights.length
  const count = (members: readonly number[]): void => {
    const key = members.join()
    const known = places.get(key)
    if (known !== undefined) weights[known]! += 1
    else {
      places.set(key, weights.length)
      add(members, 1)
    }
    draws++
  }
  const random = uniforms(seed)
  // Coalitions that come again are counted, not evaluated again; so there may be some more draws than evaluations.
  for (let turn = 0; turn < 4 * drawn && weights.length - begin < drawn; turn++) {
    const members = draw(n, whole + 1 + pick(left, random() * rest), random)
    count(members)
    if (weights.length - begin < drawn || places.has(others(n, members).join())) count(others(n, members))
  }
  for (let i = begin; i < weights.length; i++) weights[i]! *= rest / draws
  return { masks: Uint8Array.from(masks.flat()), weights: Float64Array.from(weights) }
}

function* subsets(n: number, size: number, from = 0): Generator<number[], void, void> {
  if (size === 0) return yield []
  for (let first = from; first <= n - size; first++) for (const rest of subsets(n, size - 1, first + 1)) yield [first, ...rest]
}

function others(n: number, members: readonly number[]): number[] {
  const inside = new Set(members)
  return Array.from({ length: n }, (_, i) => i).filter((i) => !inside.has(i))
}

/** The index at which a running sum passes x. */
function pick(shares: Float64Array, x: number): number {
  let sum = 0
  const found = shares.findIndex((share) => (sum += share) > x)
  return found < 0 ? shares.length - 1 : found
}

/** Some of n players, rising. */
function draw(n: number, size: number, random: () => number): number[] {
  const players = Array.from({ length: n }, (_, i) => i)
  for (let i = 0; i < size; i++) {
    const j = i + Math.floor(random() * (n - i))
    ;[players[i], players[j]] = [players[j]!, players[i]!]
  }
  return players.slice(0, size).sort((a, b) => a - b)
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
export function leastSquares(n: number, { masks, weights }: Coalitions): ((gains: Float64Array, total: number) => Float64Array) | null {
  const m = n - 1
  // Within a coalition all aᵢ that are not 0 are 1, or −1 where the last player takes part: their products are 1.
  const signs = Float64Array.from(weights, (_, k) => (masks[k * n + m] === 1 ? -1 : 1))
  const apart = Array.from(weights, (_, k) => Array.from({ length: m }, (_, i) => i).filter((i) => masks[k * n + i] !== masks[k * n + m]))
  const matrix = new Float64Array(m * m)
  apart.forEach((list, k) => {
    for (const i of list) for (const j of list) matrix[i * m + j]! += weights[k]!
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
