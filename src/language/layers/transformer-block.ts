// TransformerBlock: an attention and a feed-forward layer with their normalizations and skip connections.

import { StateError } from '../../core/errors'
import { merged } from '../../core/merged'
import { boolean, choice, configured, option } from '../../core/options'
import type { Config } from '../../core/registry'
import { remat } from '../../ops/control/remat'
import { add } from '../../ops/numpy/elementwise'
import type { Tensor } from '../../ops/tensor'
import { ATTENTION_OPTIONS } from '../../layers/attention/masks'
import type { CallContext } from '../../layers/context'
import { TENSOR } from '../../layers/forms'
import { Layer } from '../../layers/layer'
import type { BatchShape } from '../../layers/spec'
import type { LayerTraits } from '../../layers/traits'
import { FeedForward } from './feed-forward'
import { attentionOptions, feedForwardOptions, normOptions, normalizationOf, type Normalization } from './options'
import { LoraBranch } from './lora-branch'
import { SelfAttention } from './self-attention'

const TransformerBlockBase = configured(
  Layer<Tensor>,
  () =>
    merged(attentionOptions(), feedForwardOptions(), normOptions(), {
      /**
       * Where the normalizations N are.
       *
       * - 'before': h = x + A(N(x)), y = h + F(N(h)): GPT-2, Llama
       * - 'after': h = N(x + A(x)), y = N(h + F(h)): BERT
       * - 'both': h = x + N(A(N(x))), y = h + N(F(N(h))): Gemma 2
       * - 'parallel': y = x + A(N(x)) + F(N(x)): GPT-NeoX
       *
       * Default before.
       */
      arrangement: option(choice('before', 'after', 'both', 'parallel'), 'before'),
      /** Whether training computes the block again for the gradient, in place of keeping its inner values. Default false. */
      recompute: option(boolean, false),
    }),
  ['numHeads', 'headDim', 'intermediateDim'],
)

/**
 * One block of a transformer, [batch, steps, features] → the same shape. Vaswani et al. 2017; its options are those of SelfAttention
 * and FeedForward.
 *
 *   new TransformerBlock({ numHeads: 4, headDim: 16, intermediateDim: 256 })
 *
 * Keras Hub: `keras_hub.layers.TransformerDecoder`, and with `isCausal: false` `TransformerEncoder`.
 */
export class TransformerBlock extends TransformerBlockBase {
  static readonly className = 'TransformerBlock'
  /** @internal */
  static override readonly traits: LayerTraits<TransformerBlock> = { form: TENSOR, callOptions: ATTENTION_OPTIONS }
  override readonly supportsMasking = true
  readonly attention = new SelfAttention({
    name: 'attention',
    numHeads: this.numHeads,
    numKeyValueHeads: this.numKeyValueHeads,
    headDim: this.headDim,
    useBias: this.useBias,
    useOutputBias: this.useOutputBias,
    isCausal: this.isCausal,
    slidingWindow: this.slidingWindow,
    attentionScale: this.attentionScale,
    attentionSoftCap: this.attentionSoftCap,
    rotaryFrequencies: this.rotaryFrequencies,
    rotaryMagnitude: this.rotaryMagnitude,
    rotaryLongFrequencies: this.rotaryLongFrequencies,
    rotaryOriginalLength: this.rotaryOriginalLength,
    queryKeyEpsilon: this.queryKeyEpsilon,
    storage: this.storage,
  })
  readonly feedForward = new FeedForward({
    name: 'feedForward',
    intermediateDim: this.intermediateDim,
    activation: this.activation,
    isGated: this.isGated,
    useFeedForwardBias: this.useFeedForwardBias,
    storage: this.storage,
  })
  readonly attentionNorm = this.norm('attentionNorm')
  readonly feedForwardNorm = this.norm('feedForwardNorm')
  /** The normalization of the attention's result; null unless the arrangement is 'both'. */
  readonly attentionResultNorm = this.arrangement === 'both' ? this.norm('attentionResultNorm') : null
  /** The normalization of the feed-forward layer's result; null unless the arrangement is 'both'. */
  readonly feedForwardResultNorm = this.arrangement === 'both' ? this.norm('feedForwardResultNorm') : null

  private norm(name: string): Normalization {
    return normalizationOf(this.normalization, this.epsilon, name)
  }

  /** Builds its parts for the shape that all of them get, so that none of them is traced. */
  override build(inputShape: BatchShape): void {
    const { attention, feedForward, attentionNorm, feedForwardNorm, attentionResultNorm, feedForwardResultNorm } = this
    const norms = [attentionNorm, feedForwardNorm, attentionResultNorm, feedForwardResultNorm]
    for (const part of [attention, feedForward, ...norms]) part?.ensureBuilt(inputShape)
  }

  call(x: Tensor, { training, attention: { attentionMask } }: CallContext): Tensor {
    const compute = (h: Tensor): Tensor => this.compute(h, attentionMask ?? null)
    return training && this.recompute ? remat(compute)(x) : compute(x)
  }

  private compute(x: Tensor, attentionMask: Tensor | null): Tensor {
    const attend = (h: Tensor): Tensor => this.attention.apply(h, attentionMask === null ? {} : { attentionMask })
    const { attentionNorm, feedForward, feedForwardNorm, attentionResultNorm, feedForwardResultNorm } = this
    switch (this.arrangement) {
      case 'before': {
        const h = add(x, attend(attentionNorm.apply(x)))
        return add(h, feedForward.apply(feedForwardNorm.apply(h)))
      }
      case 'after': {
        const h = attentionNorm.apply(add(x, attend(x)))
        return feedForwardNorm.apply(add(h, feedForward.apply(h)))
      }
      case 'both': {
        const h = add(x, attentionResultNorm!.apply(attend(attentionNorm.apply(x))))
        return add(h, feedForwardResultNorm!.apply(feedForward.apply(feedForwardNorm.apply(h))))
      }
      case 'parallel':
        return add(add(x, attend(attentionNorm.apply(x))), feedForward.apply(feedForwardNorm.apply(x)))
    }
  }

  /** @throws StateError for a block with an adapter or with a bias that blocks share, because its options describe neither */
  override getConfig(): Config {
    const advice = 'Write the model with saveToPreset of its CausalLM or TextEmbedder'
    if (this.allLayers.some((layer) => layer instanceof LoraBranch))
      throw new StateError(
        `${this} has adapters, which its options do not describe. ${advice}, and the adapters with saveLora; or call disableLora before`,
      )
    if (this.attention.positionBias !== null)
      throw new StateError(
        `${this} shares a bias of positions with other blocks, which its options do not describe. ${advice}`,
      )
    return super.getConfig()
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape
  }
}
