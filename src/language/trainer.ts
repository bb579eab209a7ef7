// Trains a language model: a model that shares its layers, and whose output is the loss of each row or token.

import { StateError } from '../core/errors'
import { Input } from '../layers/core/input-layer'
import { Loss } from '../losses/loss'
import type { Metric } from '../metrics/metric'
import { Model } from '../models/model'
import { sum } from '../ops/numpy/reduce'
import type { Tensor } from '../ops/tensor'
import type { CompileOptions } from '../training/compiled'
import type { Transformer } from './families/transformer'
import { NextTokenLoss } from './layers/next-token-loss'
import { PerplexityOfLosses } from './perplexity'

/** What a trainer is made of. */
export interface TrainerParts<In> {
  /** A model whose output is the loss of each target, [batch, …]. */
  make(): Model<In, Tensor>
  /** What is computed of these losses, besides their mean. */
  metrics(): Metric[]
}

/** Tokens and their targets, each [batch, steps]. */
export type NextTokenInputs = { readonly tokens: Tensor; readonly targets: Tensor }

/** Trains a model to continue texts: tokens and targets → the loss of each target, [batch, steps, 1]. */
export function nextTokenTrainer({
  tokens,
  hidden,
  head,
  scoresOf,
  description,
}: Transformer): TrainerParts<NextTokenInputs> {
  return {
    make() {
      const targets = Input({ shape: [null], dtype: 'int32', name: 'targets' })
      const loss = new NextTokenLoss(scoresOf, head, description.vocabularySize)
      return new Model({ inputs: { tokens, targets }, outputs: loss.apply([hidden, targets]), name: 'trainer' })
    },
    metrics: () => [new PerplexityOfLosses({ name: 'perplexity' })],
  }
}

/** The mean of losses that the model has computed, over those that count. */
class MeanOfLosses extends Loss {
  static readonly className = 'MeanOfLosses'

  call(_targets: Tensor, losses: Tensor): Tensor {
    return losses
  }

  /** The weights, so that the mean of an epoch is over its targets, not over its rows: the perplexity is then its exponential. */
  override batchWeight(rows: number, sampleWeight: Tensor | null): number | Tensor {
    return sampleWeight === null ? rows : sum(sampleWeight)
  }
}

/** Options of `compile` of a language model. */
export type LanguageCompileOptions = Pick<CompileOptions, 'optimizer'>

/** The trainer of a model: made when it is needed, and again after its layers have changed. */
export class Training<In> {
  private trainer: Model<In, Tensor> | null = null
  private isCompiled = false
  private options: LanguageCompileOptions | null = {}

  constructor(private readonly parts: TrainerParts<In>) {}

  /** The trainer, which may not be compiled. */
  get any(): Model<In, Tensor> {
    return (this.trainer ??= this.parts.make())
  }

  /** The trainer, compiled as before, at first with the defaults. @throws StateError if its optimizer was for other layers */
  get compiled(): Model<In, Tensor> {
    if (this.isCompiled) return this.any
    if (this.options === null)
      throw new StateError('fit: the layers of the model have changed since compile. Call compile with a new optimizer')
    this.compile(this.options)
    return this.any
  }

  /** Compiles the trainer: the loss is the mean of the targets that count. */
  compile(options: LanguageCompileOptions): void {
    const { optimizer = 'adamw' } = options
    this.any.compile({
      optimizer,
      loss: new MeanOfLosses({ reduction: 'meanWithSampleWeight' }),
      weightedMetrics: this.parts.metrics(),
    })
    this.options = options
    this.isCompiled = true
  }

  /** Frees the memory of the optimizer. The weights are freed with the model that has them. */
  dispose(): void {
    this.trainer?.dispose()
    this.trainer = null
    this.isCompiled = false
  }

  /** Notes that the layers have changed. An optimizer has state for those before, so a new one is needed; its name is enough. */
  renew(): void {
    this.trainer = null
    this.isCompiled = false
    if (typeof this.options?.optimizer === 'object') this.options = null
  }
}
