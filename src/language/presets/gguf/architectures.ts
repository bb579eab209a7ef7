// Architectures of GGUF files, a row each: the settings and names that Hugging Face has for theirs.

import { FormatError, quoted } from '../../../core/errors'
import { recordOf, type JsonRecord } from '../../../files/containers/json'
import type { GgufMetadata } from './metadata'

/** What a GGUF file says about its model, besides the numbers of the tensors. */
export interface GgufModel {
  readonly metadata: GgufMetadata
  readonly architecture: string
  /** The rows of the table of tokens. */
  readonly vocabularySize: number
  /** Whether there is a tensor of this name. */
  has(name: string): boolean
  /** Factors by which the wave lengths of rotary positions are longer; null if there are none. */
  readonly rotaryFactors: readonly number[] | null
}

export interface Architecture {
  /** Settings of config.json besides the common ones. */
  readonly settings: (model: GgufModel) => JsonRecord
  /** Names of parts of a block that differ from the common ones. */
  readonly parts?: Readonly<Record<string, string>>
  /** Whether the two halves of the features of queries and keys alternate, as the rotations of llama.cpp need them. */
  readonly alternates?: boolean
  /** Whether scales of normalizations are stored as what multiplies, where Hugging Face stores the difference from 1. */
  readonly scalesFromZero?: boolean
}

/** Llama, and Mistral, which has the same layers. */
const llama: Architecture = {
  settings: (model) => ({
    hidden_act: 'silu',
    attention_bias: model.has('blk.0.attn_q.bias'),
    mlp_bias: model.has('blk.0.ffn_up.bias'),
    ...rotary(model),
  }),
  alternates: true,
}

const qwen: Architecture = {
  settings: (model) => ({ hidden_act: 'silu', use_sliding_window: false, attention_bias: false, ...rotary(model) }),
}

const gemmaParts = {
  ffn_norm: 'pre_feedforward_layernorm',
  post_attention_norm: 'post_attention_layernorm',
  post_ffw_norm: 'post_feedforward_layernorm',
}

const gemma2: Architecture = {
  settings: (model) => ({ ...gemmaSettings(model, 46), ...rotary(model) }),
  parts: gemmaParts,
  scalesFromZero: true,
}

const gemma3: Architecture = {
  settings(model) {
    const { rope_theta, rope_scaling } = rotary(model, 1e6)
    const local = keyed(model, 'rope.freq_base_swa')
    return {
      ...gemmaSettings(model, 62),
      model_type: 'gemma3_text',
      ...windowsOf(model),
      // Only layers without a window have scaled positions.
      rope_parameters: {
        full_attention: { rope_type: 'default', ...recordOf(rope_scaling), rope_theta },
        sliding_attention: { rope_type: 'default', rope_theta: model.metadata.number(local, 10_000) },
      },
    }
  },
  parts: gemmaParts,
  scalesFromZero: true,
}

/** Which layers have a window: all but every sixth or another one, or as a list says for each layer. */
function windowsOf(model: GgufModel): JsonRecord {
  const key = keyed(model, 'attention.sliding_window_pattern')
  const listed = model.metadata.listed(key)
  if (listed === null) return { sliding_window_pattern: model.metadata.count(key, 6) }
  return { layer_types: Array.from(listed, (hasWindow) => (hasWindow === 0 ? 'full_attention' : 'sliding_attention')) }
}

const ARCHITECTURES: Readonly<Record<string, Architecture>> = { llama, qwen2: qwen, qwen3: qwen, gemma2, gemma3 }

const keyed = ({ architecture }: GgufModel, key: string): string => `${architecture}.${key}`

/** @throws FormatError for an architecture that the table lacks */
export function architectureOf({ architecture, metadata }: GgufModel): Architecture {
  if (Object.hasOwn(ARCHITECTURES, architecture)) return ARCHITECTURES[architecture]!
  throw new FormatError(
    `${metadata.file} has a model of the architecture ${quoted(architecture)}; supported: ${Object.keys(ARCHITECTURES).join(', ')}`,
  )
}

/** The content of config.json. */
export function configOf(model: GgufModel): JsonRecord {
  const { metadata, architecture } = model
  const count = (key: string): number => metadata.count(keyed(model, key))
  const heads = count('attention.head_count')
  const experts = metadata.number(keyed(model, 'expert_count'), 0)
  if (experts > 0) throw new FormatError(`${metadata.file} has a mixture of ${experts} experts, which is not supported`)
  return {
    model_type: architecture,
    hidden_size: count('embedding_length'),
    num_hidden_layers: count('block_count'),
    intermediate_size: count('feed_forward_length'),
    num_attention_heads: heads,
    num_key_value_heads: metadata.count(keyed(model, 'attention.head_count_kv'), heads),
    head_dim: headDimOf(model),
    max_position_embeddings: count('context_length'),
    rms_norm_eps: metadata.number(keyed(model, 'attention.layer_norm_rms_epsilon')),
    vocab_size: model.vocabularySize,
    tie_word_embeddings: !model.has('output.weight'),
    ...architectureOf(model).settings(model),
  }
}

export function headDimOf(model: GgufModel): number {
  const { metadata } = model
  const size = metadata.count(keyed(model, 'embedding_length')) / metadata.count(keyed(model, 'attention.head_count'))
  return metadata.count(keyed(model, 'attention.key_length'), size)
}

/** @param layersOfLargest the layers of the model of 27 billion weights, whose scores have another scale */
function gemmaSettings(model: GgufModel, layersOfLargest: number): JsonRecord {
  const { metadata } = model
  const [width, heads, layers] = ['embedding_length', 'attention.head_count', 'block_count'].map((key) =>
    metadata.count(keyed(model, key)),
  )
  return {
    hidden_activation: 'gelu_pytorch_tanh',
    attention_bias: false,
    query_pre_attn_scalar: layers === layersOfLargest ? width! / heads! : headDimOf(model),
    sliding_window: metadata.count(keyed(model, 'attention.sliding_window')),
    attn_logit_softcapping: metadata.number(keyed(model, 'attn_logit_softcapping'), null),
    final_logit_softcapping: metadata.number(keyed(model, 'final_logit_softcapping'), null),
  }
}

interface RotarySettings extends JsonRecord {
  readonly rope_theta: number
}

function rotary(model: GgufModel, theta = 10_000): RotarySettings {
  const { metadata } = model
  const headDim = headDimOf(model)
  const features = metadata.count(keyed(model, 'rope.dimension_count'), headDim)
  const scaling = scalingOf(model)
  return {
    rope_theta: metadata.number(keyed(model, 'rope.freq_base'), theta),
    ...(features === headDim ? {} : { partial_rotary_factor: features / headDim }),
    ...(scaling === null ? {} : { rope_scaling: scaling }),
  }
}

function scalingOf(model: GgufModel): JsonRecord | null {
  const { metadata, rotaryFactors } = model
  const longest = metadata.count(keyed(model, 'context_length'))
  if (rotaryFactors !== null)
    // The factors of Llama 3 are stored one by one. LongRoPE has such factors, here the same for every length.
    return {
      rope_type: 'longrope',
      short_factor: rotaryFactors,
      long_factor: rotaryFactors,
      factor: 1,
      attention_factor: 1,
      original_max_position_embeddings: longest,
    }
  const type = metadata.text(keyed(model, 'rope.scaling.type'), 'none')
  if (type === 'none') return null
  const factorOf = (): number => metadata.number(keyed(model, 'rope.scaling.factor'))
  if (type === 'linear') return { rope_type: 'linear', factor: factorOf() }
  if (type === 'yarn') {
    const factor = factorOf()
    const original = metadata.count(keyed(model, 'rope.scaling.original_context_length'), Math.round(longest / factor))
    return { rope_type: 'yarn', factor, original_max_position_embeddings: original }
  }
  throw new FormatError(
    `${metadata.file}: the rotary positions are scaled by ${quoted(type)}; supported: none, linear, yarn`,
  )
}

/** The names of parts of a block. */
const PARTS: Readonly<Record<string, string>> = {
  attn_norm: 'input_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
  attn_q_norm: 'self_attn.q_norm',
  attn_k_norm: 'self_attn.k_norm',
  ffn_norm: 'post_attention_layernorm',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
}

const OUTSIDE: Readonly<Record<string, string>> = {
  token_embd: 'model.embed_tokens',
  output_norm: 'model.norm',
  output: 'lm_head',
}

/** The tensor with the factors of rotary positions, which belong to the settings. */
export const ROTARY_FACTORS = 'rope_freqs.weight'

/** The name that Hugging Face has for a tensor; null for one that has no name there. */
export function tensorName(name: string, { parts = {} }: Architecture): string | null {
  const match = /^(?:blk\.(\d+)\.)?(\w+)\.(weight|bias)$/.exec(name)
  if (match === null) return null
  const [, block, part = '', ending] = match
  const names = block === undefined ? OUTSIDE : { ...PARTS, ...parts }
  if (!Object.hasOwn(names, part)) return null
  return `${block === undefined ? '' : `model.layers.${block}.`}${names[part]}.${ending}`
}
