// A model from its description, and its layers by their places in the description.

import { FormatError } from '../../core/errors'
import type { Tensor } from '../../ops/tensor'
import { Input } from '../../layers/core/input-layer'
import type { Embedding } from '../../layers/core/embedding'
import { PositionEmbedding } from '../../layers/core/position-embedding'
import { ReversibleEmbedding } from '../../layers/core/reversible-embedding'
import type { Layer } from '../../layers/layer'
import { Add } from '../../layers/merging/merge'
import { Rescaling } from '../../layers/preprocessing/rescaling'
import { TensorSpec } from '../../layers/spec'
import { Model } from '../../models/model'
import { normalizationOf, type Normalization } from '../layers/options'
import { PackedReversibleEmbedding } from '../layers/packed-reversible-embedding'
import { Projection } from '../layers/projection'
import type { RelativePositionBias } from '../layers/relative-position-bias'
import { TransformerBlock } from '../layers/transformer-block'
import type { BlockPart, Description, ModelPart, ProjectionPart } from './description'

/** A layer with weights of its own. */
export type Leaf =
  | Projection
  | Normalization
  | Embedding
  | PackedReversibleEmbedding
  | PositionEmbedding
  | RelativePositionBias

/** The layers of a language model, by which files name their weights. */
export interface Network {
  readonly description: Description
  /** The layers outside of the blocks that have weights. */
  readonly parts: ReadonlyMap<ModelPart, Leaf>
  readonly blocks: readonly TransformerBlock[]
}

/** A model that continues texts, and its layers. */
export interface Transformer extends Network {
  /** Tokens [batch, steps] → scores of the next token after each step, [batch, steps, tokens]. */
  readonly model: Model<Tensor, Tensor>
  /** The symbol of the tokens, [batch, steps]. */
  readonly tokens: Tensor
  /** The symbol of the last features, before the scores: [batch, steps, width]. */
  readonly hidden: Tensor
  /** The layer that makes scores of the last features, and its call: [batch, …, width] → [batch, …, vocabulary]. */
  readonly head: Layer<Tensor>
  readonly scoresOf: (features: Tensor) => Tensor
}

/** Builds a model that continues texts. Its weights are not initialized if a file fills them. */
export function buildTransformer(description: Description, name: string): Transformer {
  const { positions, embeddingScale, finalNorm, head } = description
  if (head === undefined) throw new FormatError(`${name}: the model has no scores of tokens`)
  const parts = new Map<ModelPart, Leaf>()
  const ids = Input({ shape: [null], dtype: 'int32', name: 'tokens' })
  const tokens = tokenTable(description)
  parts.set('tokens', tokens)
  let x = tokens.apply(ids)
  if (embeddingScale !== undefined) x = new Rescaling({ scale: embeddingScale, name: 'scaledTokens' }).apply(x)
  if (positions !== undefined) {
    const table = new PositionEmbedding({ sequenceLength: positions.count, name: 'positionEmbedding' })
    parts.set('positions', table)
    x = new Add({ name: 'placedTokens' }).apply([x, table.apply(x)])
  }
  const blocks = description.blocks.map((options, i) => new TransformerBlock({ ...options, name: `block${i}` }))
  for (const block of blocks) x = block.apply(x)
  if (finalNorm !== undefined) {
    const norm = normalizationOf(finalNorm.kind, finalNorm.epsilon, 'finalNorm')
    parts.set('finalNorm', norm)
    x = norm.apply(x)
  }
  const made = head.isTied ? tiedHead(tokens) : headOf(description, parts)
  const outputs = made.scoresOf(x)
  const model = new Model({ inputs: ids, outputs, name })
  model.ensureBuilt(new TensorSpec([null, null], 'int32'))
  return { model, tokens: ids, hidden: x, ...made, description, parts, blocks }
}

function tokenTable({
  vocabularySize,
  width,
  head,
  tables = 'float32',
}: Description): ReversibleEmbedding | PackedReversibleEmbedding {
  const options = {
    inputDim: vocabularySize,
    outputDim: width,
    logitSoftCap: head?.softCap ?? null,
    name: 'tokenEmbedding',
  }
  return tables === 'float32'
    ? new ReversibleEmbedding(options)
    : new PackedReversibleEmbedding({ ...options, storage: tables })
}

function tiedHead(head: ReversibleEmbedding | PackedReversibleEmbedding): Pick<Transformer, 'head' | 'scoresOf'> {
  return { head, scoresOf: (features) => head.apply(features, { reverse: true }) }
}

function headOf(
  { vocabularySize, head, tables = 'float32' }: Description,
  parts: Map<ModelPart, Leaf>,
): Pick<Transformer, 'head' | 'scoresOf'> {
  if (head?.softCap != null)
    throw new FormatError('Scores with a limit are supported only if they share the table of tokens')
  const projection = new Projection({
    units: vocabularySize,
    useBias: head?.useBias ?? false,
    storage: tables,
    name: 'head',
  })
  parts.set('head', projection)
  return { head: projection, scoresOf: (features) => projection.apply(features) }
}

/** A projection of a block; null where this block has none. */
export function projectionOf({ attention, feedForward }: TransformerBlock, part: ProjectionPart): Projection | null {
  switch (part) {
    case 'query':
    case 'key':
    case 'value':
      return attention[part]
    case 'output':
      return attention.outputProjection
    default:
      return feedForward[part]
  }
}

/** A layer of a block; null where this block has none. */
export function partOf(block: TransformerBlock, part: BlockPart): Leaf | null {
  switch (part) {
    case 'queryNorm':
    case 'keyNorm':
      return block.attention[part]
    case 'attentionNorm':
    case 'attentionResultNorm':
    case 'feedForwardNorm':
    case 'feedForwardResultNorm':
      return block[part]
    default:
      return projectionOf(block, part)
  }
}
