// ContrastiveLoss: how much more likely another text of the batch is than the one that belongs to a text.

import { configured, number, required } from '../../core/options'
import { matmul } from '../../ops/linalg/linalg'
import { sparseCategoricalCrossentropy } from '../../ops/nn/crossentropies'
import { multiply } from '../../ops/numpy/elementwise'
import { arange, reshape, slice, transpose } from '../../ops/numpy/shape'
import type { Tensor } from '../../ops/tensor'
import { LISTED } from '../../layers/forms'
import { Layer } from '../../layers/layer'
import type { BatchShape } from '../../layers/spec'
import { NORMALIZATION } from '../sentences/modules'
import type { SentenceVectors } from '../sentences/vectors'

const ContrastiveLossBase = configured(Layer<readonly Tensor[]>, () => ({
  /** Multiplies the cosines. */
  scale: required(number({ above: 0 })),
}))

/**
 * −ln softmax(scale · cos(aᵢ, pⱼ) over j)ᵢ for the vectors aᵢ and pᵢ of the two texts of pair i: tokens, mask, weights of the pooling and
 * perhaps kinds of tokens, each [batch, 2, …] → [batch, 1]. The other texts of a batch are what a text does not belong to.
 *
 * Henderson et al., "Efficient Natural Language Response Suggestion", 2017. sentence-transformers: `MultipleNegativesRankingLoss`.
 */
export class ContrastiveLoss extends ContrastiveLossBase {
  static readonly className = 'ContrastiveLoss'
  /** @internal */
  static override readonly traits = { form: LISTED }
  /** The model of the vectors and the layers after it, whose weights are trained. */
  readonly model: SentenceVectors['model']
  readonly dense: SentenceVectors['dense']

  constructor(
    private readonly vectors: SentenceVectors,
    scale: number,
  ) {
    super({ scale, name: 'contrastiveLoss' })
    this.model = vectors.model
    this.dense = vectors.dense
  }

  call([tokens, mask, weights, tokenTypes]: readonly Tensor[]): Tensor {
    const batch = tokens!.shape[0]!
    const together = (x: Tensor): Tensor => reshape(x, [2 * batch, ...x.shape.slice(2)])
    const pooled = this.model.apply({
      tokens: together(tokens!),
      mask: together(mask!),
      weights: together(weights!),
      ...(tokenTypes === undefined ? {} : { tokenTypes: together(tokenTypes) }),
    })
    const unit = NORMALIZATION.apply(this.vectors.finished(pooled))
    const width = unit.shape[1]!
    const pairs = reshape(unit, [batch, 2, width])
    const [anchors, positives] = [0, 1].map((i) => reshape(slice(pairs, [0, i, 0], [batch, 1, width]), [batch, width]))
    const scores = multiply(matmul(anchors!, transpose(positives!)), this.scale)
    const losses = sparseCategoricalCrossentropy(arange(0, batch, 1, 'int32'), scores, true)
    return reshape(losses, [batch, 1])
  }

  override computeOutputShape([tokens]: readonly BatchShape[]): BatchShape {
    return [tokens![0]!, 1]
  }
}
