// What a config.json says about a model, in the words of this library, and where the files have its weights.

import type { WeightKind } from '../layers/packed-weight'
import type { TransformerBlock } from '../layers/transformer-block'
import type { ModelConfig } from './config'

/** The options of one block, without its name. */
export type BlockOptions = Exclude<ConstructorParameters<typeof TransformerBlock>[0], number>

export interface NormDescription {
  readonly kind: 'rms' | 'layer'
  readonly epsilon: number
}

/** A transformer: everything that its weights do not say. */
export interface Description {
  readonly vocabularySize: number
  /** The features of each step. */
  readonly width: number
  /** The most steps that the positions allow. */
  readonly longest: number
  /** Multiplies the vectors of tokens. Default 1. */
  readonly embeddingScale?: number
  /** A table of positions, of which the first `offset` rows are not used; without it the blocks rotate. */
  readonly positions?: { readonly count: number; readonly offset: number }
  /** The number of kinds of tokens, each with a vector that is added. Encoders have them. */
  readonly tokenTypes?: number
  /** Normalizes the sum of the vectors. */
  readonly embeddingNorm?: NormDescription
  readonly blocks: readonly BlockOptions[]
  /** How the table of tokens and the matrix of the scores are stored. Default float32. */
  readonly tables?: WeightKind
  /** Normalizes the result of the last block. */
  readonly finalNorm?: NormDescription
  /** How scores of tokens are made of the result; encoders have none. */
  readonly head?: Head
  /** A number for each head and group of distances that all blocks add to the scores of attention. */
  readonly positionBias?: { readonly numHeads: number; readonly buckets: number; readonly maxDistance: number }
}

/**
 * A description whose matrices are stored in few bits. Tables of tokens and the matrix of the scores have 8 bits at least, because
 * errors of scores are errors of the result.
 */
export function withWeights(description: Description, weights: WeightKind): Description {
  const blocks = description.blocks.map((options) => ({ ...options, storage: weights }))
  return { ...description, blocks, tables: weights === 'float32' ? 'float32' : 'int8' }
}

export interface Head {
  /** Whether the table of tokens is also the matrix of the scores. */
  readonly isTied: boolean
  /** Whether a bias is added. Default false. */
  readonly useBias?: boolean
  /** A limit s of the scores: s · tanh(score / s). Default null. */
  readonly softCap?: number | null
}

/** The projections of a block. */
export const PROJECTIONS = ['query', 'key', 'value', 'output', 'gate', 'up', 'down'] as const
export type ProjectionPart = (typeof PROJECTIONS)[number]

/** The layers of a block that have weights. */
export const BLOCK_PARTS = [
  ...PROJECTIONS,
  'queryNorm',
  'keyNorm',
  'attentionNorm',
  'attentionResultNorm',
  'feedForwardNorm',
  'feedForwardResultNorm',
] as const
export type BlockPart = (typeof BLOCK_PARTS)[number]

/** The layers outside of blocks that have weights. */
export type ModelPart = 'tokens' | 'positions' | 'tokenTypes' | 'embeddingNorm' | 'finalNorm' | 'head' | 'positionBias'

/** A layer's place in a file: the name of its weights without `.weight` and `.bias`. */
export type Place = string | SharedPlace

/** A layer whose weights are some rows of a tensor that several layers share. */
export interface SharedPlace {
  readonly name: string
  /** The layers that share it, in the order of their rows. */
  readonly of: readonly ProjectionPart[]
}

/** Where the files of a family have the weights. */
export interface Places {
  /** What the names of all layers but the head may begin with; files of the model without its head have the last. */
  readonly prefixes: readonly string[]
  readonly model: Readonly<Partial<Record<ModelPart, string>>>
  /** What the names of a block's layers begin with; # is its number. */
  readonly block: string
  readonly parts: Readonly<Partial<Record<BlockPart, Place>>>
  /** Whether matrices are stored as [inputs, outputs]. Default false. */
  readonly isTransposed?: boolean
  /** Whether the rows of a shared tensor alternate head by head. Default false: layer by layer. */
  readonly isByHead?: boolean
  /** Whether the files have the scales of RMS normalizations minus 1. Default false. */
  readonly scalesFromOne?: boolean
}

/** One family of models: the row of the table. */
export interface Family {
  /** The values of `model_type` in config.json. */
  readonly types: readonly string[]
  /** Whether it continues texts, or encodes them. */
  readonly kind: 'decoder' | 'encoder'
  /** @throws FormatError for settings that are missing, invalid or not supported */
  describe(config: ModelConfig): Description
  readonly places: Places
}

/** The layers that share a tensor. */
export function shared(name: string, ...of: readonly ProjectionPart[]): SharedPlace {
  return { name, of }
}
