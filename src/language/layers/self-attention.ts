// SelfAttention: the attention of language models.

import { ArgumentError } from '../../core/errors'
import { configured } from '../../core/options'
import { softmax } from '../../ops/nn/activations'
import { attend } from '../../ops/nn/attention'
import { matmul } from '../../ops/linalg/linalg'
import { add, divide, multiply, tanh, where } from '../../ops/numpy/elementwise'
import { repeat, reshape, swapAxes, transpose } from '../../ops/numpy/shape'
import type { Tensor } from '../../ops/tensor'
import { ATTENTION_OPTIONS, both, causalMask, pairMask, windowMask } from '../../layers/attention/masks'
import { RotaryEmbedding } from '../../layers/attention/rotary-embedding'
import { requireRank } from '../../layers/checks'
import type { CallContext } from '../../layers/context'
import { TENSOR } from '../../layers/forms'
import { Layer } from '../../layers/layer'
import { RMSNormalization } from '../../layers/normalization/layer-normalization'
import type { BatchShape } from '../../layers/spec'
import type { LayerTraits } from '../../layers/traits'
import { attentionOptions } from './options'
import { Projection } from './projection'
import type { RelativePositionBias } from './relative-position-bias'

/** Its exponential is 0 relative to that of any score that is not as negative. */
const MASKED = -1e9

const SelfAttentionBase = configured(Layer<Tensor>, attentionOptions, ['numHeads', 'headDim'])

/**
 * softmax(scale · Q Kᵀ) V of projections of one sequence, [batch, steps, features] → the same shape, as language models have it: with
 * rotary positions, with fewer heads of key and value, within a sliding window, with normalized or limited scores.
 *
 *   new SelfAttention({ numHeads: 9, numKeyValueHeads: 3, headDim: 64 })
 *
 * `attentionMask` of a call hides steps, as for MultiHeadAttention.
 */
export class SelfAttention extends SelfAttentionBase {
  static readonly className = 'SelfAttention'
  /** @internal */
  static override readonly traits: LayerTraits<SelfAttention> = { form: TENSOR, callOptions: ATTENTION_OPTIONS }
  override readonly supportsMasking = true
  private readonly keyValueHeads = this.numKeyValueHeads ?? this.numHeads
  readonly query = this.projection(this.numHeads * this.headDim, this.useBias, 'query')
  readonly key = this.projection(this.keyValueHeads * this.headDim, this.useBias, 'key')
  readonly value = this.projection(this.keyValueHeads * this.headDim, this.useBias, 'value')
  /** Made in build, because its units are the features of the input. */
  outputProjection: Projection | null = null
  readonly queryNorm = this.headNorm('queryNorm')
  readonly keyNorm = this.headNorm('keyNorm')
  private readonly rotary =
    this.rotaryFrequencies === null
      ? null
      : new RotaryEmbedding({
          frequencies: this.rotaryFrequencies,
          magnitude: this.rotaryMagnitude,
          longFrequencies: this.rotaryLongFrequencies,
          originalLength: this.rotaryOriginalLength,
          name: 'rotary',
        })
  /** What is added to the scores; several layers may share it. Set it before the layer is built. Null for nothing. */
  positionBias: RelativePositionBias | null = null

  protected override checkOptions(): void {
    const { numHeads, numKeyValueHeads } = this
    if (numKeyValueHeads !== null && numHeads % numKeyValueHeads !== 0)
      throw new ArgumentError(
        `${this}: numKeyValueHeads must divide numHeads, received ${numKeyValueHeads} and ${numHeads}`,
      )
  }

  private projection(units: number, useBias: boolean, name: string): Projection {
    return new Projection({ units, useBias, storage: this.storage, name })
  }

  private headNorm(name: string): RMSNormalization | null {
    return this.queryKeyEpsilon === null ? null : new RMSNormalization({ epsilon: this.queryKeyEpsilon, name })
  }

  override build(inputShape: BatchShape): void {
    requireRank(this, inputShape, ['batch', 'steps', 'features'])
    const outer = inputShape.slice(0, -1)
    this.outputProjection = this.projection(inputShape.at(-1)!, this.useOutputBias, 'output')
    for (const part of [this.query, this.key, this.value, this.positionBias]) part?.ensureBuilt(inputShape)
    for (const part of [this.queryNorm, this.keyNorm, this.rotary]) part?.ensureBuilt([...outer, null, this.headDim])
    this.outputProjection.ensureBuilt([...outer, this.numHeads * this.headDim])
  }

  /** [batch, steps, heads · size] → [batch, steps, heads, size], normalized and rotated. */
  private placed(x: Tensor, norm: RMSNormalization | null): Tensor {
    const heads = this.split(x)
    const normal = norm === null ? heads : norm.apply(heads)
    return this.rotary === null ? normal : this.rotary.apply(normal)
  }

  private split(x: Tensor): Tensor {
    const [batch, steps, features] = x.shape
    return reshape(x, [batch!, steps!, features! / this.headDim, this.headDim])
  }

  call(x: Tensor, { attention }: CallContext): Tensor {
    const query = this.placed(this.query.apply(x), this.queryNorm)
    const key = this.placed(this.key.apply(x), this.keyNorm)
    const value = this.split(this.value.apply(x))
    const mask = attention.attentionMask ?? null
    const bias = this.positionBias?.apply(x) ?? null
    const made =
      this.attentionSoftCap === null
        ? this.attended(query, key, value, mask, bias)
        : this.limited(query, key, value, mask, bias, this.attentionSoftCap)
    return this.outputProjection!.apply(reshape(made, [x.shape[0]!, x.shape[1]!, this.numHeads * this.headDim]))
  }

  private get scale(): number {
    return this.attentionScale ?? 1 / Math.sqrt(this.headDim)
  }

  private attended(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | null, bias: Tensor | null): Tensor {
    const [batch, steps, heads] = query.shape
    const reach = this.slidingWindow === null ? Infinity : this.slidingWindow - 1
    return attend(`${this}`, query, key, value, {
      scale: this.scale,
      mask: mask && pairMask(`${this}`, mask, [batch!, heads!, steps!, steps!]),
      bias,
      before: reach,
      after: this.isCausal ? 0 : reach,
    }).result
  }

  /** Through scores that are stored, because the kernel of attention does not limit them. */
  private limited(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | null,
    bias: Tensor | null,
    cap: number,
  ): Tensor {
    const apart = (x: Tensor): Tensor => transpose(this.matched(x), [0, 2, 1, 3])
    const raw = multiply(matmul(apart(query), swapAxes(apart(key), -2, -1)), this.scale)
    const limited = multiply(tanh(divide(raw, cap)), cap)
    const scores = bias === null ? limited : add(limited, bias)
    const steps = query.shape[1]!
    let seen = this.isCausal ? causalMask(steps, steps) : null
    if (this.slidingWindow !== null) seen = both(seen, windowMask(steps, steps, this.slidingWindow))
    seen = both(mask && pairMask(`${this}`, mask, scores.shape), seen)
    const weights = softmax(seen === null ? scores : where(seen, scores, MASKED))
    return transpose(matmul(weights, apart(value)), [0, 2, 1, 3])
  }

  /** Keys or values, repeated so that each head of the query has its own. */
  private matched(heads: Tensor): Tensor {
    const times = this.numHeads / heads.shape[2]!
    return times === 1 ? heads : repeat(heads, times, 2)
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape
  }
}
