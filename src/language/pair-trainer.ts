// Trains a model that encodes texts on pairs that belong together.

import { Input } from '../layers/core/input-layer'
import { Model } from '../models/model'
import type { Tensor } from '../ops/tensor'
import { ContrastiveLoss } from './layers/contrastive-loss'
import type { SentenceVectors } from './sentences/vectors'
import type { TrainerParts } from './trainer'

/** The two texts of each pair, [batch, 2, …]. */
export type PairInputs = {
  readonly tokens: Tensor
  readonly mask: Tensor
  /** What each token counts, [batch, 2, modes, steps]. */
  readonly weights: Tensor
  readonly tokenTypes?: Tensor
}

/** Pairs → the loss of each, [batch, 1]. @param scale multiplies the cosines, read when the trainer is made */
export function pairTrainer(
  vectors: SentenceVectors,
  hasTypes: boolean,
  scale: () => number,
): TrainerParts<PairInputs> {
  return {
    make() {
      const integers = (name: string): Tensor => Input({ shape: [2, null], dtype: 'int32', name })
      const [tokens, mask] = [integers('tokens'), integers('mask')]
      const weights = Input({ shape: [2, vectors.modules.pooling.modes.length, null], name: 'weights' })
      const types = hasTypes ? { tokenTypes: integers('tokenTypes') } : {}
      const loss = new ContrastiveLoss(vectors, scale())
      const outputs = loss.apply([tokens, mask, weights, ...Object.values(types)])
      return new Model<PairInputs, Tensor>({ inputs: { tokens, mask, weights, ...types }, outputs, name: 'trainer' })
    },
    metrics: () => [],
  }
}
