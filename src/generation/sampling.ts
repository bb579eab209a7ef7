// Draws the next token from the scores of all tokens. Does not use the model.

import { ArgumentError, DataError } from '../core/errors'
import { count, nullable, number, option, type ValuesOf } from '../core/options'

export interface SamplingOptions {
  /**
   * Divides the scores: values below 1 favour likely tokens. 0 always takes the likeliest. Default 0; topK and topP
   * require one above 0.
   */
  readonly temperature?: number
  /** Draw only from this many of the likeliest tokens. Default null: all. */
  readonly topK?: number | null
  /** Draw only from the likeliest tokens that together have this probability. Default null: all. */
  readonly topP?: number | null
  /** Draw only from tokens that have at least this share of the probability of the likeliest one. Default null: all. */
  readonly minP?: number | null
  /**
   * Above 1, tokens that the sequence already has become less likely: positive scores are divided by it, negative ones multiplied. It
   * also counts without a temperature. Default 1.
   */
  readonly repetitionPenalty?: number
}

export type Sampling = Required<SamplingOptions>

export const samplingTable = {
  temperature: option(nullable(number({ min: 0 })), null),
  topK: option(nullable(count), null),
  topP: option(nullable(number({ above: 0, max: 1 })), null),
  minP: option(nullable(number({ min: 0, max: 1 })), null),
  repetitionPenalty: option(number({ above: 0 }), 1),
}

/** @throws ArgumentError for topK, topP or minP without a temperature, where none of them changes the result */
export function readSampling({ temperature, ...others }: ValuesOf<typeof samplingTable>): Sampling {
  const limit = (['topK', 'topP', 'minP'] as const).find((name) => others[name] !== null)
  if (temperature === null && limit !== undefined) {
    throw new ArgumentError(
      `generate: ${limit} limits the tokens to draw from and needs a temperature above 0, such as temperature: 1; without a temperature the likeliest token is always taken`,
    )
  }
  return { temperature: temperature ?? 0, ...others }
}

/** The index of the largest score; the first of equal ones. */
function likeliest(scores: Float32Array): number {
  let best = 0
  for (let i = 1; i < scores.length; i++) if (scores[i]! > scores[best]!) best = i
  return best
}

/** The scores with the repetition penalty (Keskar et al., "CTRL", 2019), as a copy if they change. */
export function penalized(scores: Float32Array, penalty: number, before: readonly number[]): Float32Array {
  if (penalty === 1) return scores
  const changed = scores.slice()
  for (const token of new Set(before)) {
    const score = changed[token]!
    changed[token] = score > 0 ? score / penalty : score * penalty
  }
  return changed
}

/**
 * @param raw logits; −∞ for tokens that cannot come
 * @param uniform in [0, 1)
 * @param before the tokens of the sequence so far
 * @throws DataError for scores that have no largest one: NaN, ∞, or only −∞
 */
export function sampleFrom(
  raw: Float32Array,
  { temperature, topK, topP, minP, repetitionPenalty }: Sampling,
  uniform: number,
  before: readonly number[],
): number {
  const scores = penalized(raw, repetitionPenalty, before)
  const best = likeliest(scores)
  const wrong = scores.findIndex((score) => Number.isNaN(score) || score === Infinity)
  if (wrong >= 0 || scores[best] === -Infinity)
    throw new DataError(
      `generate: the score of token ${Math.max(wrong, 0)} is ${scores[Math.max(wrong, 0)]}, so that no token is the likeliest. Are there weights that are NaN or infinite?`,
    )
  if (temperature === 0) return best
  const weights = Float64Array.from(scores, (score) => Math.exp((score - scores[best]!) / temperature))
  let tokens: ArrayLike<number> & Iterable<number> = Uint32Array.from(scores, (_, token) => token)
  // Likeliest first; equal ones by index.
  if (topK !== null || topP !== null)
    tokens = Uint32Array.from(tokens)
      .sort((a, b) => weights[b]! - weights[a]! || a - b)
      .subarray(0, topK ?? scores.length)
  let total = sumOf(tokens, weights)
  if (minP !== null) {
    // The weight of the likeliest token is 1.
    tokens = Array.from(tokens).filter((token) => weights[token]! >= minP)
    total = sumOf(tokens, weights)
  }
  if (topP !== null) {
    const kept: number[] = []
    let sum = 0
    for (const token of tokens) {
      kept.push(token)
      sum += weights[token]!
      if (sum >= topP * total) break
    }
    tokens = kept
    total = sum
  }
  let left = uniform * total
  for (const token of tokens) {
    left -= weights[token]!
    if (left < 0) return token
  }
  return tokens[tokens.length - 1]!
}

function sumOf(tokens: Iterable<number>, weights: Float64Array): number {
  let sum = 0
  for (const token of tokens) sum += weights[token]!
  return sum
}
