// Families that encode texts, a row each: how a config.json describes them, and the names of their weights.

import { FormatError } from '../../core/errors'
import type { ModelConfig } from './config'
import { ACTIVATIONS } from './decoders'
import type { BlockOptions, Description, Family, ModelPart, Places } from './description'

/** The keys of a config.json by what they mean, if they are not those of BERT. */
interface Keys {
  readonly width: string
  readonly numHeads: string
  readonly numBlocks: string
  readonly intermediateDim: string
  readonly activation: string
}

const BERT_KEYS: Keys = {
  width: 'hidden_size',
  numHeads: 'num_attention_heads',
  numBlocks: 'num_hidden_layers',
  intermediateDim: 'intermediate_size',
  activation: 'hidden_act',
}

/** What a family of the kind of BERT differs in. */
interface Variation {
  readonly keys?: Keys
  /** The epsilon if the config has none. Default 1e-12. */
  readonly epsilon?: number
  /** The rows of the table of positions before that of the first step. Default 0. */
  readonly offset?: number
  readonly hasTokenTypes?: boolean
}

/** BERT and its relatives: learnt positions, and normalizations after each layer. */
function bertLike(config: ModelConfig, variation: Variation): Description {
  config.require('position_embedding_type', ['absolute'])
  config.require('is_decoder', [false])
  config.require('add_cross_attention', [false])
  const { keys = BERT_KEYS, offset = 0 } = variation
  const width = config.count(keys.width)
  const numHeads = config.count(keys.numHeads)
  if (width % numHeads !== 0)
    throw new FormatError(
      `${config.where}: '${keys.numHeads}' must divide '${keys.width}', they are ${numHeads} and ${width}`,
    )
  const count = config.count('max_position_embeddings', 512)
  if (offset >= count)
    throw new FormatError(`${config.where}: 'max_position_embeddings' must be more than ${offset}, it is ${count}`)
  const epsilon = config.number('layer_norm_eps', variation.epsilon ?? 1e-12)
  const block: BlockOptions = {
    numHeads,
    headDim: width / numHeads,
    intermediateDim: config.count(keys.intermediateDim),
    activation: config.choice(keys.activation, ACTIVATIONS, 'gelu'),
    isCausal: false,
    arrangement: 'after',
    useBias: true,
    useOutputBias: true,
    useFeedForwardBias: true,
    epsilon,
  }
  return {
    vocabularySize: config.count('vocab_size'),
    width,
    longest: count - offset,
    positions: { count, offset },
    ...(variation.hasTokenTypes === true ? { tokenTypes: config.count('type_vocab_size', 2) } : {}),
    embeddingNorm: { kind: 'layer', epsilon },
    blocks: Array.from({ length: config.blocks(keys.numBlocks) }, () => block),
  }
}

const EMBEDDINGS: Readonly<Partial<Record<ModelPart, string>>> = {
  tokens: 'embeddings.word_embeddings',
  positions: 'embeddings.position_embeddings',
  tokenTypes: 'embeddings.token_type_embeddings',
  embeddingNorm: 'embeddings.LayerNorm',
}

const bertPlaces: Places = {
  prefixes: ['', 'bert.'],
  model: EMBEDDINGS,
  block: 'encoder.layer.#.',
  parts: {
    query: 'attention.self.query',
    key: 'attention.self.key',
    value: 'attention.self.value',
    output: 'attention.output.dense',
    up: 'intermediate.dense',
    down: 'output.dense',
    attentionNorm: 'attention.output.LayerNorm',
    feedForwardNorm: 'output.LayerNorm',
  },
}

const bert: Family = {
  types: ['bert'],
  kind: 'encoder',
  describe: (config) => bertLike(config, { hasTokenTypes: true }),
  places: bertPlaces,
}

/** RoBERTa: the positions begin after the number of the token of padding. */
const roberta: Family = {
  types: ['roberta', 'xlm-roberta', 'camembert'],
  kind: 'encoder',
  describe: (config) => bertLike(config, { hasTokenTypes: true, offset: config.index('pad_token_id', 1) + 1 }),
  places: { ...bertPlaces, prefixes: ['', 'roberta.'] },
}

const DISTILBERT_KEYS: Keys = {
  width: 'dim',
  numHeads: 'n_heads',
  numBlocks: 'n_layers',
  intermediateDim: 'hidden_dim',
  activation: 'activation',
}

const distilbert: Family = {
  types: ['distilbert'],
  kind: 'encoder',
  describe: (config) => bertLike(config, { keys: DISTILBERT_KEYS }),
  places: {
    prefixes: ['', 'distilbert.'],
    model: EMBEDDINGS,
    block: 'transformer.layer.#.',
    parts: {
      query: 'attention.q_lin',
      key: 'attention.k_lin',
      value: 'attention.v_lin',
      output: 'attention.out_lin',
      up: 'ffn.lin1',
      down: 'ffn.lin2',
      attentionNorm: 'sa_layer_norm',
      feedForwardNorm: 'output_layer_norm',
    },
  },
}

/** MPNet: one table of biases by distance serves all blocks. transformers fixes the number of its groups and its farthest distance. */
const mpnet: Family = {
  types: ['mpnet'],
  kind: 'encoder',
  describe(config) {
    config.require('relative_attention_num_buckets', [32])
    // transformers fixes the number of the token of padding, whatever the config says.
    const described = bertLike(config, { offset: 2 })
    return {
      ...described,
      positionBias: { numHeads: config.count('num_attention_heads'), buckets: 32, maxDistance: 128 },
    }
  },
  places: {
    prefixes: ['', 'mpnet.'],
    model: { ...EMBEDDINGS, positionBias: 'encoder.relative_attention_bias' },
    block: 'encoder.layer.#.',
    parts: {
      query: 'attention.attn.q',
      key: 'attention.attn.k',
      value: 'attention.attn.v',
      output: 'attention.attn.o',
      up: 'intermediate.dense',
      down: 'output.dense',
      attentionNorm: 'attention.LayerNorm',
      feedForwardNorm: 'output.LayerNorm',
    },
  },
}

/** All families that encode texts. */
export const encoders: readonly Family[] = [bert, roberta, distilbert, mpnet]
