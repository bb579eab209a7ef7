// SentencePooling: the vector of a text from the features of its tokens, and what each of them counts.

import { configured, listOf, required, text } from '../../core/options'
import { matmul } from '../../ops/linalg/linalg'
import { greater, where } from '../../ops/numpy/elementwise'
import { max } from '../../ops/numpy/reduce'
import { concatenate, expandDims, reshape, slice, transpose } from '../../ops/numpy/shape'
import type { Tensor } from '../../ops/tensor'
import { LISTED } from '../../layers/forms'
import { Layer } from '../../layers/layer'
import type { BatchShape } from '../../layers/spec'
import { MAX } from '../sentences/pooling'

/** Less than any feature. */
const LEAST = -3e38

const SentencePoolingBase = configured(Layer<readonly Tensor[]>, () => ({
  /** What is put together, by the names of sentence-transformers. */
  modes: required(listOf(text)),
}))

/**
 * Σ w(t) · feature of t for each mode, or the largest of those with w(t) > 0: features [batch, steps, width] and weights [batch, modes,
 * steps] → [batch, modes · width].
 */
export class SentencePooling extends SentencePoolingBase {
  static readonly className = 'SentencePooling'
  /** @internal */
  static override readonly traits = { form: LISTED }

  call([features, weights]: readonly [Tensor, Tensor]): Tensor {
    const [batch, steps, width] = features.shape
    const { modes } = this
    const sums = matmul(weights, features)
    if (!modes.includes(MAX)) return reshape(sums, [batch!, modes.length * width!])
    const parts = modes.map((mode, i) => {
      if (mode !== MAX) return slice(sums, [0, i, 0], [batch!, 1, width!])
      const counts = greater(transpose(slice(weights, [0, i, 0], [batch!, 1, steps!]), [0, 2, 1]), 0)
      return expandDims(max(where(counts, features, LEAST), 1), 1)
    })
    return reshape(concatenate(parts, 1), [batch!, modes.length * width!])
  }

  override computeOutputShape([features]: readonly BatchShape[]): BatchShape {
    return [features![0]!, this.modes.length * features![2]!]
  }
}
