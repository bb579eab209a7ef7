// The classes of the layers of language models, by name. `loadModel` imports this file when a model has one of them.

import type { CustomObjects } from '../core/registry'
import { FeedForward } from './layers/feed-forward'
import { PackedReversibleEmbedding } from './layers/packed-reversible-embedding'
import { Projection } from './layers/projection'
import { SelfAttention } from './layers/self-attention'
import { TransformerBlock } from './layers/transformer-block'

/**
 * The classes of the layers here, by name. `loadModel` finds them itself; `modelFromJSON` and `loadModel` of myelin/predict need them:
 * `modelFromJSON(json, { customObjects: languageLayers })`.
 */
export const languageLayers = {
  FeedForward,
  PackedReversibleEmbedding,
  Projection,
  SelfAttention,
  TransformerBlock,
} satisfies CustomObjects
