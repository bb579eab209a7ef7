// Pooling: one vector for a text, from the features of its tokens, as sentence-transformers has it.

import { FormatError, quoted } from '../../core/errors'
import type { ModelConfig } from '../families/config'

/** The features of the tokens of one text, [tokens, width], within an array. */
interface TokenFeatures {
  readonly data: ArrayLike<number>
  /** The index of the first number. */
  readonly at: number
  /** The first token that counts, and the one after the last. */
  readonly from: number
  readonly to: number
  readonly width: number
}

type PoolingMode = (features: TokenFeatures) => Float64Array

/** Σ w(t) · feature of t */
function sum({ data, at, from, to, width }: TokenFeatures, weight: (token: number) => number = () => 1): Float64Array {
  const total = new Float64Array(width)
  for (let token = from; token < to; token++) {
    const factor = weight(token)
    for (let i = 0; i < width; i++) total[i]! += factor * data[at + token * width + i]!
  }
  return total
}

const one = (features: TokenFeatures, token: number): Float64Array => sum({ ...features, from: token, to: token + 1 })

function largest({ data, at, from, to, width }: TokenFeatures): Float64Array {
  const result = new Float64Array(width).fill(-Infinity)
  for (let token = from; token < to; token++)
    for (let i = 0; i < width; i++) result[i] = Math.max(result[i]!, data[at + token * width + i]!)
  return result
}

/** The mean in which token t of 1, 2, 3 … has the weight t. */
function weightedMean(features: TokenFeatures): Float64Array {
  const { from, to } = features
  const total = ((to - from) * (from + 1 + to)) / 2
  return sum(features, (token) => (token + 1) / total)
}

/** By the names in the files, in the order in which several are put together. */
const MODES: Readonly<Record<string, PoolingMode>> = {
  cls: (features) => one(features, features.from),
  max: largest,
  mean: (features) => sum(features, () => 1 / (features.to - features.from)),
  mean_sqrt_len_tokens: (features) => sum(features, () => 1 / Math.sqrt(features.to - features.from)),
  weightedmean: weightedMean,
  lasttoken: (features) => one(features, features.to - 1),
}

/** The switches of older files. */
const SWITCHES: Readonly<Record<string, string>> = {
  pooling_mode_cls_token: 'cls',
  pooling_mode_max_tokens: 'max',
  pooling_mode_mean_tokens: 'mean',
  pooling_mode_mean_sqrt_len_tokens: 'mean_sqrt_len_tokens',
  pooling_mode_weightedmean_tokens: 'weightedmean',
  pooling_mode_lasttoken: 'lasttoken',
}

/** How the features of tokens become one vector. */
export interface Pooling {
  /** The names of what is put together. */
  readonly modes: readonly string[]
  /** Whether the tokens of the prompt count. */
  readonly countsPrompt: boolean
}

export const MEAN_POOLING: Pooling = { modes: ['mean'], countsPrompt: true }

/** @throws FormatError for a mode that is not supported */
export function readPooling(config: ModelConfig): Pooling {
  const isOne = typeof config.content['pooling_mode'] === 'string'
  const listed = isOne ? [config.text('pooling_mode')] : config.texts('pooling_mode')
  const switched = Object.keys(SWITCHES).filter((key) => config.flag(key, false))
  const modes = listed ?? switched.map((key) => SWITCHES[key]!)
  const unknown = modes.find((mode) => !Object.hasOwn(MODES, mode))
  if (unknown !== undefined)
    throw new FormatError(
      `${config.where}: 'pooling_mode' is ${quoted(unknown)}; supported: ${Object.keys(MODES).join(', ')}`,
    )
  return { modes: modes.length === 0 ? MEAN_POOLING.modes : modes, countsPrompt: config.flag('include_prompt', true) }
}

/** The vector of one text; several modes are put together. */
export function pooled({ modes }: Pooling, features: TokenFeatures): Float32Array {
  const { width } = features
  const result = new Float32Array(modes.length * width)
  modes.forEach((mode, i) => result.set(MODES[mode]!(features), i * width))
  return result
}
