// The frequencies of rotary positions from a config.json: the plain ones, and those that a longer context scales.
//
//   default     fᵢ = θ^(−2i / d)
//   linear      fᵢ / factor
//   llama3      fᵢ, fᵢ / factor for waves longer than the original context, and between the two a mean of both
//   yarn        the same by the number of rotations in the original context; magnitude 0.1 ln factor + 1
//   longrope    fᵢ / factorᵢ, with other factors for texts longer than the original context; magnitude √(1 + ln factor / ln original)

import { FormatError, quoted } from '../../core/errors'
import type { ModelConfig } from './config'
import type { BlockOptions } from './description'

export interface Rotation {
  /** The angle per step of each rotated pair of features. */
  readonly frequencies: readonly number[]
  /** Multiplies the rotated features. */
  readonly magnitude: number
  /** The most steps for which they are valid; Infinity if only the model's length limits them. */
  readonly longest: number
  /** The frequencies of texts of more steps than the original length. Default: the same. */
  readonly long?: { readonly frequencies: readonly number[]; readonly originalLength: number }
}

/** What a config says about rotations: its own record (`rope_parameters` or `rope_scaling`), and the keys beside it. */
export interface RotaryConfig {
  readonly config: ModelConfig
  readonly parameters: ModelConfig | null
  readonly theta: number
  /** The number of features of a head that are rotated. */
  readonly features: number
}

/** A kind of layers, and what a config without a record of its own means for it. */
export interface LayerRotation {
  readonly type: string
  /** The base of the frequencies. Default: that of the config, otherwise 10000. */
  readonly theta?: number | undefined
  /** Whether a record that is not nested is for these layers. Default true. */
  readonly isScaled?: boolean
}

/** The record of the rotations of one kind of layers: all layers that are scaled share one unless it is nested. */
function rotaryParameters(config: ModelConfig, { type, isScaled = true }: LayerRotation): ModelConfig | null {
  const record = config.record(['rope_parameters', 'rope_scaling'])
  return record?.record(type) ?? (isScaled ? record : null)
}

/** @param features the features of a head; a share of them may be rotated */
export function rotationOf(config: ModelConfig, features: number, layers: LayerRotation): Rotation {
  const parameters = rotaryParameters(config, layers)
  const share =
    parameters?.number('partial_rotary_factor', null) ?? config.number(['partial_rotary_factor', 'rotary_pct'], 1)
  return scaled({
    config,
    parameters,
    theta:
      parameters?.number('rope_theta', null) ?? layers.theta ?? config.number(['rope_theta', 'rotary_emb_base'], 10000),
    features: 2 * Math.floor((features * share) / 2),
  })
}

function scaled(rotary: RotaryConfig): Rotation {
  const { parameters, config } = rotary
  const plain = plainFrequencies(rotary)
  const type = parameters?.text(['rope_type', 'type'], 'default') ?? 'default'
  const none = { frequencies: plain, magnitude: 1, longest: Infinity }
  switch (type) {
    case 'default':
      return none
    case 'linear': {
      const factor = parameters!.number('factor')
      return { ...none, frequencies: plain.map((f) => f / factor) }
    }
    case 'dynamic':
      // Up to the trained length the frequencies are the plain ones; the length of the model is limited to it.
      return { ...none, longest: config.count('max_position_embeddings') }
    case 'llama3':
      return { ...none, frequencies: llama3(parameters!, plain) }
    case 'yarn':
      return yarn(rotary, parameters!, plain)
    case 'longrope':
    case 'su':
      return longRope(config, parameters!, plain)
  }
  throw new FormatError(
    `${parameters!.where}: the type of rotary positions is ${quoted(type)}; supported: default, linear, dynamic, llama3, yarn, longrope`,
  )
}

function plainFrequencies({ theta, features }: RotaryConfig): number[] {
  return Array.from({ length: features / 2 }, (_, i) => Math.fround(1 / Math.fround(theta ** ((2 * i) / features))))
}

function llama3(parameters: ModelConfig, plain: readonly number[]): number[] {
  const [factor, low, high] = ['factor', 'low_freq_factor', 'high_freq_factor'].map((key) => parameters.number(key))
  const original = parameters.count('original_max_position_embeddings')
  return plain.map((f) => {
    const wave = (2 * Math.PI) / f
    if (wave > original / low!) return f / factor!
    if (wave < original / high!) return f
    const smooth = (original / wave - low!) / (high! - low!)
    return ((1 - smooth) * f) / factor! + smooth * f
  })
}

/** Peng et al., "YaRN", 2023. */
function yarn({ config, theta, features }: RotaryConfig, parameters: ModelConfig, plain: readonly number[]): Rotation {
  const original = originalLength(config, parameters)
  const factor = parameters.number('factor', config.count('max_position_embeddings', original) / original)
  const [fast, slow] = [parameters.number('beta_fast', 32), parameters.number('beta_slow', 1)]
  const pairOf = (rotations: number): number =>
    (features * Math.log(original / (rotations * 2 * Math.PI))) / (2 * Math.log(theta))
  const truncate = parameters.flag('truncate', true)
  const low = Math.max(truncate ? Math.floor(pairOf(fast)) : pairOf(fast), 0)
  let high = Math.min(truncate ? Math.ceil(pairOf(slow)) : pairOf(slow), features - 1)
  if (high === low) high += 0.001
  const frequencies = plain.map((f, i) => {
    const ramp = Math.min(1, Math.max(0, (i - low) / (high - low)))
    return (f / factor) * ramp + f * (1 - ramp)
  })
  const magnitudeFor = (scale: number, by = 1): number => (scale <= 1 ? 1 : 0.1 * by * Math.log(scale) + 1)
  const [all, some] = [parameters.number('mscale_all_dim', null), parameters.number('mscale', null)]
  const otherwise =
    all !== null && some !== null && all !== 0 && some !== 0
      ? magnitudeFor(factor, some) / magnitudeFor(factor, all)
      : magnitudeFor(factor)
  return { frequencies, magnitude: parameters.number('attention_factor', otherwise), longest: Infinity }
}

/** Ding et al., "LongRoPE", 2024. Without factors for longer texts, the original context limits the length. */
function longRope(config: ModelConfig, parameters: ModelConfig, plain: readonly number[]): Rotation {
  const original = originalLength(config, parameters)
  const scaledBy = (key: string): readonly number[] => {
    const factors = parameters.numbers(key)
    if (factors?.length === plain.length && factors.every((each) => each > 0))
      return plain.map((f, i) => f / factors[i]!)
    throw new FormatError(`${parameters.where}: '${key}' must have ${plain.length} numbers above 0`)
  }
  const factor = parameters.number('factor', config.count('max_position_embeddings') / original)
  const otherwise = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original))
  const short = { frequencies: scaledBy('short_factor'), magnitude: parameters.number('attention_factor', otherwise) }
  if (!parameters.has('long_factor')) return { ...short, longest: original }
  return {
    ...short,
    longest: Infinity,
    long: { frequencies: scaledBy('long_factor'), originalLength: original },
  }
}

/** The key beside the record comes first, as in transformers. */
function originalLength(config: ModelConfig, parameters: ModelConfig): number {
  return (
    config.count('original_max_position_embeddings', null) ??
    parameters.count('original_max_position_embeddings', null) ??
    config.count('max_position_embeddings')
  )
}

/** The options of a block for its rotations. */
export function rotaryOptions({ frequencies, magnitude, long }: Rotation): Partial<BlockOptions> {
  return {
    rotaryFrequencies: frequencies,
    rotaryMagnitude: magnitude,
    ...(long === undefined
      ? {}
      : { rotaryLongFrequencies: long.frequencies, rotaryOriginalLength: long.originalLength }),
  }
}
