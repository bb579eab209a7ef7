// Perplexity: exp of the mean cross-entropy of a token.

import { boolean, configured, option } from '../core/options'
import { exp } from '../ops/numpy/elementwise'
import { sparseCategoricalCrossentropy } from '../ops/nn/crossentropies'
import type { Tensor } from '../ops/tensor'
import { MeanOfValues } from '../metrics/mean'

abstract class ExpOfMean extends MeanOfValues {
  override result(): Tensor {
    return exp(super.result())
  }
}

const PerplexityBase = configured(ExpOfMean, () => ({
  /** Whether predictions are scores, and not probabilities. Default false. */
  fromLogits: option(boolean, false),
}))

/**
 * exp of the mean of −ln p[y]: between how many equally likely tokens the model chooses on average. Targets are tokens [batch, steps],
 * predictions [batch, steps, tokens]; tokens of weight 0 do not count.
 *
 *   model.compile({ loss, weightedMetrics: [new Perplexity({ fromLogits: true })] })
 *
 * Keras Hub: `keras_hub.metrics.Perplexity`.
 */
export class Perplexity extends PerplexityBase {
  static override readonly className = 'Perplexity'

  protected override values(yTrue: Tensor, yPred: Tensor): Tensor {
    return sparseCategoricalCrossentropy(yTrue, yPred, this.fromLogits)
  }
}

/** The perplexity of predictions that are cross-entropies already. */
export class PerplexityOfLosses extends ExpOfMean {
  static override readonly className = 'PerplexityOfLosses'

  protected override values(_yTrue: Tensor, losses: Tensor): Tensor {
    return losses
  }
}
