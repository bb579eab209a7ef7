// Pooling: one vector for a text, from the features of its tokens, as sentence-transformers has it. What the tokens count is known before
// the features are: layers/sentence-pooling.ts multiplies them.

import { FormatError, quoted } from '../../core/errors'
import { Tensor } from '../../ops/tensor'
import type { ModelConfig } from '../families/config'

/** The tokens of a text that count: the first one, and the one after the last. */
export interface TokenRange {
  readonly from: number
  readonly to: number
}

/** Writes what each token counts into a row of zeros. */
type PoolingMode = (row: Float32Array, range: TokenRange) => void

/** The mean in which token t of 1, 2, 3 … has the weight t. */
const weightedMean: PoolingMode = (row, { from, to }) => {
  const total = ((to - from) * (from + 1 + to)) / 2
  for (let token = from; token < to; token++) row[token] = (token + 1) / total
}

/** By the names in the files. A maximum is over the tokens that have 1. */
const MODES: Readonly<Record<string, PoolingMode>> = {
  cls: (row, { from }) => row.fill(1, from, from + 1),
  max: (row, { from, to }) => row.fill(1, from, to),
  mean: (row, { from, to }) => row.fill(1 / (to - from), from, to),
  mean_sqrt_len_tokens: (row, { from, to }) => row.fill(1 / Math.sqrt(to - from), from, to),
  weightedmean: weightedMean,
  lasttoken: (row, { to }) => row.fill(1, to - 1, to),
}

/** The mode whose vector is not a sum. */
export const MAX = 'max'

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

/** What the tokens of texts count, float32 [texts, modes, steps]. */
export function poolingWeights({ modes }: Pooling, texts: readonly TokenRange[], steps: number): Tensor {
  const weights = new Float32Array(texts.length * modes.length * steps)
  texts.forEach((range, i) =>
    modes.forEach((mode, m) => {
      const at = (i * modes.length + m) * steps
      MODES[mode]!(weights.subarray(at, at + steps), range)
    }),
  )
  return new Tensor(weights, [texts.length, modes.length, steps], 'float32')
}
