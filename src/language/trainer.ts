// Trains a language model on rows of tokens: a model that shares its layers, and whose output is the loss of each token.

import { StateError } from '../core/errors'
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
function trainerOf({ tokens, hidden, head, scoresOf, description }: Transformer): Trainer {
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
function compileTrainer(trainer: Trainer, { optimizer = 'adamw' }: LanguageCompileOptions): void {
  trainer.compile({
    optimizer,
    loss: new MeanOfLosses({ reduction: 'meanWithSampleWeight' }),
    weightedMetrics: [new PerplexityOfLosses({ name: 'perplexity' })],
  })
}

/** The trainer of a model: made when it is needed, and again after its layers have changed. */
export class Training {
  private trainer: Trainer | null = null
  private isCompiled = false
  private options: LanguageCompileOptions | null = {}

  constructor(private readonly transformer: Transformer) {}

  /** The trainer, which may not be compiled. */
  get any(): Trainer {
    return (this.trainer ??= trainerOf(this.transformer))
  }

  /** The trainer, compiled as before, at first with the defaults. @throws StateError if its optimizer was for other layers */
  get compiled(): Trainer {
    if (this.isCompiled) return this.any
    if (this.options === null)
      throw new StateError('fit: the layers of the model have changed since compile. Call compile with a new optimizer')
    this.compile(this.options)
    return this.any
  }

  compile(options: LanguageCompileOptions): void {
    compileTrainer(this.any, options)
    this.options = options
    this.isCompiled = true
  }

  /** Notes that the layers have changed. An optimizer has state for those before, so a new one is needed; its name is enough. */
  renew(): void {
    this.trainer = null
    this.isCompiled = false
    if (typeof this.options?.optimizer === 'object') this.options = null
  }
}
