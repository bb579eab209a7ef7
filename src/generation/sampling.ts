// Draws the next token from the scores of all tokens. Does not use the model.

import { ArgumentError, DataError } from '../core/errors'
import { count, nullable, number, option, type ValuesOf } from '../core/options'
import { Ranking } from './ranking'

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

/** @throws DataError for scores that have no largest one: NaN, ∞, or only −∞ */
function likeliest(scores: Float32Array): number {
  let [best, wrong] = [0, -1]
  let most = scores[0]!
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i]!
    if (score > most) [most, best] = [score, i]
    // Also true of NaN.
    if (wrong < 0 && !(score < Infinity)) wrong = i
  }
  if (wrong >= 0 || most === -Infinity)
    throw new DataError(
      `generate: the score of token ${Math.max(wrong, 0)} is ${scores[Math.max(wrong, 0)]}, so that no token is the likeliest. Are there weights that are NaN or infinite?`,
    )
  return best
}

/** e^((score − the largest) / temperature) of each score: probabilities, but for a common factor. */
function weightsOf(scores: Float32Array, most: number, temperature: number): Float64Array {
  const weights = new Float64Array(scores.length)
  for (let i = 0; i < weights.length; i++) weights[i] = Math.exp((scores[i]! - most) / temperature)
  return weights
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
  if (temperature === 0) return best
  const weights = weightsOf(scores, scores[best]!, temperature)
  if (topK === null && topP === null && minP === null) return drawnFrom(weights, uniform)
  const ranking = new Ranking(weights)
  // The weight of the likeliest token is 1; tokens that cannot come have 0.
  const likely = ranking.upTo(topK ?? Infinity, (weight) => weight > 0 && weight >= (minP ?? 0))
  const kept = topP === null ? likely : ranking.upToMass(topP * likely.mass, likely.tokens)
  return ranking.tokenAt(uniform * kept.mass, kept.tokens)
}

/** A token of all, in the order of their indices. */
function drawnFrom(weights: Float64Array, uniform: number): number {
  let total = 0
  for (const weight of weights) total += weight
  let left = uniform * total
  // Rounded sums may leave something after all tokens.
  let last = 0
  for (let token = 0; token < weights.length; token++) {
    if (weights[token] === 0) continue
    last = token
    left -= weights[token]!
    if (left < 0) break
  }
  return last
}
