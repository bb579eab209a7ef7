// Trains a language model on rows of tokens: a model that shares its layers, and whose output is the loss of each token.

import { Input } from '../layers/core/input-layer'
import { Loss } from '../losses/loss'
import { Model } from '../models/model'
import type { Tensor } from '../ops/tensor'
import type { CompileOptions } from '../training/compiled'
import type { Transformer } from './families/transformer'
import { NextTokenLoss } from './layers/next-token-loss'
import { PerplexityOfLosses } from './perplexity'

/** Tokens and their targets, each [batch, steps] → the loss of each target, [batch, steps, 1]. */
export type Trainer = Model<{ tokens: Tensor; targets: Tensor }, Tensor>

/** The model that trains a transformer. */
export function trainerOf({ tokens, hidden, head, scoresOf, description }: Transformer): Trainer {
  const targets = Input({ shape: [null], dtype: 'int32', name: 'targets' })
  const loss = new NextTokenLoss(scoresOf, head, description.vocabularySize)
  return new Model({ inputs: { tokens, targets }, outputs: loss.apply([hidden, targets]), name: 'trainer' })
}

/** The mean of losses that the model has computed, over the tokens that count. */
class MeanOfLosses extends Loss {
  static readonly className = 'MeanOfLosses'

  call(_targets: Tensor, losses: Tensor): Tensor {
    return losses
  }
}

/** Options of `compile` of a language model. */
export type LanguageCompileOptions = Pick<CompileOptions, 'optimizer'>

/** Compiles a trainer: the loss is the mean of the targets that count, and the perplexity its exponential. */
export function compileTrainer(trainer: Trainer, { optimizer = 'adamw' }: LanguageCompileOptions): void {
  trainer.compile({
    optimizer,
    loss: new MeanOfLosses({ reduction: 'meanWithSampleWeight' }),
    weightedMetrics: [new PerplexityOfLosses({ name: 'perplexity' })],
  })
}
