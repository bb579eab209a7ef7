// NextTokenLoss: the cross-entropy of the next tokens, without the scores of all tokens in memory.

import { configured } from '../../core/options'
import { sparseCategoricalCrossentropy } from '../../ops/nn/crossentropies'
import { concatenate, reshape, slice } from '../../ops/numpy/shape'
import type { Tensor } from '../../ops/tensor'
import { remat } from '../../ops/control/remat'
import { LISTED } from '../../layers/forms'
import { Layer } from '../../layers/layer'
import type { BatchShape } from '../../layers/spec'

/** Scores that are in memory at once: 16 MiB of numbers. */
const STRIP = 2 ** 22
const MOST_STRIPS = 64

const NextTokenLossBase = configured(Layer<readonly Tensor[]>, () => ({}))

/**
 * −ln of the softmax of the scores at the target: features [batch, steps, width] and targets [batch, steps] → [batch, steps, 1].
 *
 * The scores [batch · steps, vocabulary] are computed in strips of rows, in the forward pass and again in the backward pass, so that they
 * are never in memory as a whole.
 */
export class NextTokenLoss extends NextTokenLossBase {
  static readonly className = 'NextTokenLoss'
  /** @internal */
  static override readonly traits = { form: LISTED }

  /** @param scoresOf features [rows, width] → scores [rows, vocabulary] @param head its layer, which becomes part of this one */
  constructor(
    private readonly scoresOf: (features: Tensor) => Tensor,
    readonly head: Layer<Tensor>,
    private readonly vocabularySize: number,
  ) {
    super({ name: 'nextTokenLoss' })
  }

  call([features, targets]: readonly [Tensor, Tensor]): Tensor {
    const [batch, steps, width] = features.shape
    const rows = batch! * steps!
    const flat = reshape(features, [rows, width!])
    const wanted = reshape(targets, [rows])
    const size = Math.max(Math.floor(STRIP / this.vocabularySize), Math.ceil(rows / MOST_STRIPS), 1)
    const strips: Tensor[] = []
    for (let from = 0; from < rows; from += size) {
      const count = Math.min(size, rows - from)
      strips.push(this.ofStrip(slice(flat, [from, 0], [count, width!]), slice(wanted, [from], [count])))
    }
    return reshape(strips.length === 1 ? strips[0]! : concatenate(strips, 0), [batch!, steps!, 1])
  }

  private ofStrip(features: Tensor, targets: Tensor): Tensor {
    const loss = (x: Tensor): Tensor => sparseCategoricalCrossentropy(targets, this.scoresOf(x), true)
    return remat(loss)(features)
  }

  override computeOutputShape([features]: readonly BatchShape[]): BatchShape {
    return [...features!.slice(0, 2), 1]
  }
}
