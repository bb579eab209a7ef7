// A model that encodes texts, from its description.

import { Input } from '../../layers/core/input-layer'
import { Embedding } from '../../layers/core/embedding'
import { PositionEmbedding } from '../../layers/core/position-embedding'
import { Add } from '../../layers/merging/merge'
import { Reshape } from '../../layers/reshaping/reshape'
import { TensorSpec } from '../../layers/spec'
import { Model } from '../../models/model'
import type { Tensor } from '../../ops/tensor'
import { normalizationOf } from '../layers/options'
import { PackedReversibleEmbedding } from '../layers/packed-reversible-embedding'
import { RelativePositionBias } from '../layers/relative-position-bias'
import { TransformerBlock } from '../layers/transformer-block'
import type { Description, ModelPart } from './description'
import type { Leaf, Network } from './transformer'

/** The inputs of an encoder, each int32 [batch, steps]. */
export type EncoderInputs = {
  readonly tokens: Tensor
  /** 1 where there is a token, 0 where there is padding. */
  readonly mask: Tensor
  /** The kind of each token, for models that have kinds. */
  readonly tokenTypes?: Tensor
}

/** A model that encodes texts, and its layers. */
export interface Encoder extends Network {
  /** Tokens → features of each step, [batch, steps, width]. */
  readonly model: Model<EncoderInputs, Tensor>
}

/** Builds a model that encodes texts. Its weights are not initialized if a file fills them. */
export function buildEncoder(description: Description, name: string): Encoder {
  const parts = new Map<ModelPart, Leaf>()
  const [tokens, mask] = [integers('tokens'), integers('mask')]
  const tokenTypes = description.tokenTypes === undefined ? null : integers('tokenTypes')
  let x = embedded(description, parts, tokens, tokenTypes)
  const { positionBias: biasOptions } = description
  const positionBias =
    biasOptions === undefined ? null : new RelativePositionBias({ ...biasOptions, name: 'positionBias' })
  if (positionBias !== null) parts.set('positionBias', positionBias)
  const blocks = description.blocks.map((options, i) => new TransformerBlock({ ...options, name: `block${i}` }))
  // Each step attends to the same ones: [batch, 1, steps].
  const attentionMask = new Reshape({ targetShape: [1, -1], name: 'seenSteps' }).apply(mask)
  for (const block of blocks) {
    block.attention.positionBias = positionBias
    x = block.apply(x, { attentionMask })
  }
  const inputs: EncoderInputs = { tokens, mask, ...(tokenTypes === null ? {} : { tokenTypes }) }
  const model = new Model({ inputs, outputs: x, name })
  const spec = new TensorSpec([null, null], 'int32')
  model.ensureBuilt({ tokens: spec, mask: spec, ...(tokenTypes === null ? {} : { tokenTypes: spec }) })
  return { model, description, parts, blocks }
}

const integers = (name: string): Tensor => Input({ shape: [null], dtype: 'int32', name })

/** The normalized sum of the vectors of tokens, their positions and their kinds. */
function embedded(
  { vocabularySize, width, positions, tokenTypes: kinds, embeddingNorm, tables = 'float32' }: Description,
  parts: Map<ModelPart, Leaf>,
  tokens: Tensor,
  tokenTypes: Tensor | null,
): Tensor {
  const vectors = (inputDim: number, name: string): Embedding => new Embedding({ inputDim, outputDim: width, name })
  const ofTokens = { inputDim: vocabularySize, outputDim: width, name: 'tokenEmbedding' }
  const table =
    tables === 'float32' ? new Embedding(ofTokens) : new PackedReversibleEmbedding({ ...ofTokens, storage: tables })
  parts.set('tokens', table)
  const found = table.apply(tokens)
  const terms = [found]
  if (tokenTypes !== null) {
    const types = vectors(kinds!, 'tokenTypeEmbedding')
    parts.set('tokenTypes', types)
    terms.push(types.apply(tokenTypes))
  }
  if (positions !== undefined) {
    const places = new PositionEmbedding({
      sequenceLength: positions.count - positions.offset,
      name: 'positionEmbedding',
    })
    parts.set('positions', places)
    terms.push(places.apply(found))
  }
  const sum = terms.length === 1 ? found : new Add({ name: 'placedTokens' }).apply(terms)
  if (embeddingNorm === undefined) return sum
  const norm = normalizationOf(embeddingNorm.kind, embeddingNorm.epsilon, 'embeddingNorm')
  parts.set('embeddingNorm', norm)
  return norm.apply(sum)
}
