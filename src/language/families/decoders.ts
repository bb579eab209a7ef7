// Families that continue texts, a row each: how a config.json describes them, and the names of their weights.

import { FormatError } from '../../core/errors'
import type { ActivationName } from '../layers/options'
import type { ModelConfig } from './config'
import { shared, type BlockOptions, type Description, type Family, type Places } from './description'
import { rotaryOptions, rotationOf, type Rotation } from './rotary'

/** The names of nonlinear functions in a config.json. */
export const ACTIVATIONS: Readonly<Record<string, ActivationName>> = {
  gelu: 'gelu',
  gelu_new: 'geluTanh',
  gelu_pytorch_tanh: 'geluTanh',
  gelu_fast: 'geluTanh',
  relu: 'relu',
  silu: 'silu',
  swish: 'silu',
}

/** What a family of the kind of Llama differs in. */
interface Variation {
  readonly block?: Partial<BlockOptions>
  /** The size of a head if the config has none. Default: width / heads. */
  readonly headDim?: number
  readonly isTied?: boolean
  readonly activation?: string
  /** The kind of each layer: 'full_attention' or 'sliding_attention'. Default: all full. */
  readonly layerType?: (config: ModelConfig, layer: number) => LayerType
  /** θ of the rotations of a layer without settings of its own. Default 10000. */
  readonly theta?: (config: ModelConfig, type: LayerType) => number
  /** The kind of layers that a record of rotations is for if it is not nested. Default: all. */
  readonly scaledType?: LayerType
}

type LayerType = 'full_attention' | 'sliding_attention'

/** The names in `layer_types`; the last one is that of old files. */
const LAYER_TYPES: Readonly<Record<string, LayerType>> = {
  full_attention: 'full_attention',
  sliding_attention: 'sliding_attention',
  attention: 'full_attention',
}

/** The kinds of all layers, as the config lists them or the family has them. */
function layerTypesOf(config: ModelConfig, { layerType }: Variation): readonly LayerType[] {
  const count = config.blocks('num_hidden_layers')
  const listed = config.texts('layer_types')
  if (listed === null)
    return Array.from({ length: count }, (_, layer) => layerType?.(config, layer) ?? 'full_attention')
  if (listed.length !== count)
    throw new FormatError(
      `${config.where}: 'layer_types' must have a kind for each of the ${count} layers, it has ${listed.length}`,
    )
  return listed.map((type, layer) => {
    if (Object.hasOwn(LAYER_TYPES, type)) return LAYER_TYPES[type]!
    throw new FormatError(
      `${config.where}: 'layer_types' must have 'full_attention' or 'sliding_attention' for each layer, it has '${type}' for layer ${layer}`,
    )
  })
}

/** Llama and its relatives: rotary positions, RMS normalization, gated feed-forward layers. */
function llamaLike(config: ModelConfig, variation: Variation = {}): Description {
  const width = config.count('hidden_size')
  const numHeads = config.count('num_attention_heads')
  const headDim = config.count('head_dim', variation.headDim ?? null) ?? width / numHeads
  if (!Number.isInteger(headDim))
    throw new FormatError(
      `${config.where}: 'num_attention_heads' must divide 'hidden_size', they are ${numHeads} and ${width}`,
    )
  const epsilon = config.number('rms_norm_eps', 1e-6)
  const rotations = new Map<LayerType, Rotation>()
  const rotation = (type: LayerType): Rotation => {
    const { theta, scaledType = type } = variation
    const layers = { type, theta: theta?.(config, type), isScaled: type === scaledType }
    const known = rotations.get(type) ?? rotationOf(config, headDim, layers)
    rotations.set(type, known)
    return known
  }
  const common: BlockOptions = {
    numHeads,
    numKeyValueHeads: config.count('num_key_value_heads', numHeads),
    headDim,
    intermediateDim: config.count('intermediate_size'),
    activation: config.choice(['hidden_activation', 'hidden_act'], ACTIVATIONS, variation.activation ?? 'silu'),
    isGated: true,
    useBias: config.flag('attention_bias', false),
    useOutputBias: config.flag('attention_bias', false),
    useFeedForwardBias: config.flag('mlp_bias', false),
    normalization: 'rms',
    epsilon,
    ...variation.block,
  }
  const blocks = layerTypesOf(config, variation).map((type): BlockOptions => {
    return {
      ...common,
      ...rotaryOptions(rotation(type)),
      slidingWindow: type === 'sliding_attention' ? config.count('sliding_window') : null,
    }
  })
  const limits = [...rotations.values()].map(({ longest }) => longest)
  return {
    vocabularySize: config.count('vocab_size'),
    width,
    longest: Math.min(config.count('max_position_embeddings', 2048), ...limits),
    blocks,
    finalNorm: { kind: 'rms', epsilon },
    head: {
      isTied: config.flag('tie_word_embeddings', variation.isTied ?? false),
      softCap: config.number('final_logit_softcapping', null),
    },
  }
}

const llamaPlaces: Places = {
  prefixes: ['model.', ''],
  model: { tokens: 'embed_tokens', finalNorm: 'norm', head: 'lm_head' },
  block: 'layers.#.',
  parts: {
    query: 'self_attn.q_proj',
    key: 'self_attn.k_proj',
    value: 'self_attn.v_proj',
    output: 'self_attn.o_proj',
    queryNorm: 'self_attn.q_norm',
    keyNorm: 'self_attn.k_norm',
    gate: 'mlp.gate_proj',
    up: 'mlp.up_proj',
    down: 'mlp.down_proj',
    attentionNorm: 'input_layernorm',
    feedForwardNorm: 'post_attention_layernorm',
  },
}

const llama: Family = {
  types: ['llama'],
  kind: 'decoder',
  describe: (config) => llamaLike(config),
  places: llamaPlaces,
}

/** The window of families that have windows, if the config does not mention it. */
const WINDOW = { sliding_window: 4096 }

const mistral: Family = {
  types: ['mistral'],
  kind: 'decoder',
  describe: (config) => llamaLike(config.withDefaults(WINDOW), { layerType: windowEverywhere }),
  places: llamaPlaces,
}

function windowEverywhere(config: ModelConfig): LayerType {
  return config.has('sliding_window') ? 'sliding_attention' : 'full_attention'
}

/** Qwen: the layers from a certain one on have a window, if the config switches windows on. */
function qwenLayerType(config: ModelConfig, layer: number): LayerType {
  const isOn = config.flag('use_sliding_window', false) && config.has('sliding_window')
  return isOn && layer >= config.number('max_window_layers', 28) ? 'sliding_attention' : 'full_attention'
}

const qwen2: Family = {
  types: ['qwen2'],
  kind: 'decoder',
  describe: (config) =>
    llamaLike(config.withDefaults(WINDOW), {
      block: { useBias: true, useOutputBias: false },
      layerType: qwenLayerType,
    }),
  places: llamaPlaces,
}

const qwen3: Family = {
  types: ['qwen3'],
  kind: 'decoder',
  describe: (config) =>
    llamaLike(config.withDefaults(WINDOW), {
      block: { queryKeyEpsilon: config.number('rms_norm_eps', 1e-6) },
      headDim: 128,
      layerType: qwenLayerType,
    }),
  places: llamaPlaces,
}

/** Gemma: large vectors of tokens, and scales of normalizations around 1. */
function gemmaLike(config: ModelConfig, variation: Variation = {}): Description {
  const described = llamaLike(config, { activation: 'gelu_pytorch_tanh', isTied: true, headDim: 256, ...variation })
  return { ...described, embeddingScale: Math.sqrt(described.width) }
}

const gemma: Family = {
  types: ['gemma'],
  kind: 'decoder',
  // Its config names the exact gelu, its weights were trained with the approximation.
  describe: (config) => gemmaLike(config, { block: { activation: 'geluTanh' } }),
  places: { ...llamaPlaces, scalesFromOne: true },
}

const gemmaPlaces: Places = {
  ...llamaPlaces,
  parts: {
    ...llamaPlaces.parts,
    attentionResultNorm: 'post_attention_layernorm',
    feedForwardNorm: 'pre_feedforward_layernorm',
    feedForwardResultNorm: 'post_feedforward_layernorm',
  },
  scalesFromOne: true,
}

const gemmaScale = (config: ModelConfig): number => 1 / Math.sqrt(config.number('query_pre_attn_scalar', 256))

const gemma2: Family = {
  types: ['gemma2'],
  kind: 'decoder',
  describe: (config) =>
    gemmaLike(config.withDefaults(WINDOW), {
      block: {
        arrangement: 'both',
        attentionScale: gemmaScale(config),
        attentionSoftCap: config.number('attn_logit_softcapping', null),
      },
      layerType: (_config, layer) => (layer % 2 === 0 ? 'sliding_attention' : 'full_attention'),
    }),
  places: gemmaPlaces,
}

/** The settings that transformers leaves out of the files of models that also read images, because they are its defaults. */
const GEMMA3_DEFAULTS = {
  ...WINDOW,
  vocab_size: 262_208,
  hidden_size: 2304,
  intermediate_size: 9216,
  num_hidden_layers: 26,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  max_position_embeddings: 131_072,
}

/** Gemma 3: every sixth layer sees all steps, unless the config has another number. */
function gemma3LayerType(config: ModelConfig, layer: number): LayerType {
  const pattern = config.count('sliding_window_pattern', 6)
  // transformers writes this key beside layer_types, and reads it nowhere.
  const unread = config.count('_sliding_window_pattern', pattern)
  if (unread !== pattern)
    throw new FormatError(
      `${config.where}: '_sliding_window_pattern' is ${unread}, which transformers reads as ${pattern} without 'layer_types'. List the kind of each layer in 'layer_types'`,
    )
  return (layer + 1) % pattern === 0 ? 'full_attention' : 'sliding_attention'
}

const gemma3: Family = {
  types: ['gemma3_text', 'gemma3'],
  kind: 'decoder',
  describe(outer) {
    // Models that also read images have the settings of the text model in a record of their own.
    const config = (outer.record('text_config') ?? outer).withDefaults(GEMMA3_DEFAULTS)
    config.require('use_bidirectional_attention', [false])
    return gemmaLike(config, {
      block: {
        arrangement: 'both',
        attentionScale: gemmaScale(config),
        attentionSoftCap: config.number('attn_logit_softcapping', null),
        queryKeyEpsilon: config.number('rms_norm_eps', 1e-6),
      },
      layerType: gemma3LayerType,
      theta: (from, type) =>
        type === 'sliding_attention' ? from.number('rope_local_base_freq', 10000) : from.number('rope_theta', 1e6),
      scaledType: 'full_attention',
    })
  },
  places: { ...gemmaPlaces, prefixes: ['model.', 'model.language_model.', 'language_model.model.', ''] },
}

const phi3: Family = {
  types: ['phi3'],
  kind: 'decoder',
  describe: (config) => llamaLike(config, { layerType: windowEverywhere }),
  places: {
    ...llamaPlaces,
    parts: {
      ...llamaPlaces.parts,
      query: shared('self_attn.qkv_proj', 'query', 'key', 'value'),
      key: shared('self_attn.qkv_proj', 'query', 'key', 'value'),
      value: shared('self_attn.qkv_proj', 'query', 'key', 'value'),
      gate: shared('mlp.gate_up_proj', 'gate', 'up'),
      up: shared('mlp.gate_up_proj', 'gate', 'up'),
    },
  },
}

const gpt2: Family = {
  types: ['gpt2'],
  kind: 'decoder',
  describe(config) {
    config.require('scale_attn_weights', [true])
    config.require('scale_attn_by_inverse_layer_idx', [false])
    config.require('add_cross_attention', [false])
    const width = config.count(['n_embd', 'hidden_size'])
    const numHeads = config.count(['n_head', 'num_attention_heads'])
    const longest = config.count(['n_positions', 'max_position_embeddings'], 1024)
    const epsilon = config.number('layer_norm_epsilon', 1e-5)
    const block: BlockOptions = {
      numHeads,
      headDim: width / numHeads,
      intermediateDim: config.count('n_inner', 4 * width),
      activation: config.choice('activation_function', ACTIVATIONS, 'gelu_new'),
      useBias: true,
      useOutputBias: true,
      useFeedForwardBias: true,
      epsilon,
    }
    return {
      vocabularySize: config.count('vocab_size'),
      width,
      longest,
      positions: { count: longest, offset: 0 },
      blocks: Array.from({ length: config.blocks(['n_layer', 'num_hidden_layers']) }, () => block),
      finalNorm: { kind: 'layer', epsilon },
      head: { isTied: config.flag('tie_word_embeddings', true) },
    }
  },
  places: {
    prefixes: ['transformer.', ''],
    model: { tokens: 'wte', positions: 'wpe', finalNorm: 'ln_f', head: 'lm_head' },
    block: 'h.#.',
    isTransposed: true,
    parts: {
      query: shared('attn.c_attn', 'query', 'key', 'value'),
      key: shared('attn.c_attn', 'query', 'key', 'value'),
      value: shared('attn.c_attn', 'query', 'key', 'value'),
      output: 'attn.c_proj',
      up: 'mlp.c_fc',
      down: 'mlp.c_proj',
      attentionNorm: 'ln_1',
      feedForwardNorm: 'ln_2',
    },
  },
}

const gptNeoX: Family = {
  types: ['gpt_neox'],
  kind: 'decoder',
  describe(config) {
    const width = config.count('hidden_size')
    const numHeads = config.count('num_attention_heads')
    const headDim = width / numHeads
    const epsilon = config.number('layer_norm_eps', 1e-5)
    const useBias = config.flag('attention_bias', true)
    const rotation = rotationOf(config, headDim, { type: 'full_attention' })
    const block: BlockOptions = {
      numHeads,
      headDim,
      intermediateDim: config.count('intermediate_size'),
      activation: config.choice('hidden_act', ACTIVATIONS, 'gelu'),
      useBias,
      useOutputBias: useBias,
      useFeedForwardBias: true,
      epsilon,
      ...rotaryOptions(rotation),
      arrangement: config.flag('use_parallel_residual', true) ? 'parallel' : 'before',
    }
    return {
      vocabularySize: config.count('vocab_size'),
      width,
      longest: Math.min(config.count('max_position_embeddings', 2048), rotation.longest),
      blocks: Array.from({ length: config.blocks('num_hidden_layers') }, () => block),
      finalNorm: { kind: 'layer', epsilon },
      head: { isTied: config.flag('tie_word_embeddings', false) },
    }
  },
  places: {
    prefixes: ['gpt_neox.', ''],
    model: { tokens: 'embed_in', finalNorm: 'final_layer_norm', head: 'embed_out' },
    block: 'layers.#.',
    isByHead: true,
    parts: {
      query: shared('attention.query_key_value', 'query', 'key', 'value'),
      key: shared('attention.query_key_value', 'query', 'key', 'value'),
      value: shared('attention.query_key_value', 'query', 'key', 'value'),
      output: 'attention.dense',
      up: 'mlp.dense_h_to_4h',
      down: 'mlp.dense_4h_to_h',
      attentionNorm: 'input_layernorm',
      feedForwardNorm: 'post_attention_layernorm',
    },
  },
}

/** All families that continue texts. */
export const decoders: readonly Family[] = [llama, mistral, qwen2, qwen3, gemma, gemma2, gemma3, phi3, gpt2, gptNeoX]
