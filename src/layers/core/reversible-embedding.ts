// ReversibleEmbedding: an Embedding that also maps vectors back to scores of the items.

import { ShapeError, formatShape } from '../../core/errors'
import { boolean, choice, configured, nullable, number, option } from '../../core/options'
import { divide, multiply, notEqual, tanh } from '../../ops/numpy/elementwise'
import { matmul } from '../../ops/linalg/linalg'
import { transpose } from '../../ops/numpy/shape'
import type { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import type { ApplyOptions } from '../call-options'
import type { CallContext } from '../context'
import { setMask } from '../masks'
import { TensorSpec } from '../spec'
import { Embedding } from './embedding'
import type { LayerTraits } from '../traits'

const ReversibleEmbeddingBase = configured(
  Embedding,
  () => ({
    /** Whether both directions share the table. Otherwise `reverse` has one of its own, [outputDim, inputDim]. Default true. */
    tieWeights: option(boolean, true),
    /** The dtype of the scores: float32. Default null: the same. */
    reverseDtype: option(nullable(choice('float32')), null),
    /** A limit s of the scores, s · tanh(score / s). Default null: none. */
    logitSoftCap: option(nullable(number({ above: 0 })), null),
  }),
  ['inputDim', 'outputDim', 'tieWeights'],
)

/**
 * An Embedding; a call with `reverse` maps vectors [batch, …, outputDim] to scores of all items [batch, …, inputDim],
 * x · embeddingsᵀ. Both directions share one table, as the first and the last layer of GPT. Press & Wolf 2016.
 *
 *   const tokens = new ReversibleEmbedding({ inputDim: 1000, outputDim: 64 })
 *   const hidden = tokens.apply(ids)                                  // [batch, steps, 64]
 *   const logits = tokens.apply(hidden, { reverse: true })            // [batch, steps, 1000]
 *
 * Keras: `keras.layers.ReversibleEmbedding`.
 * @throws DataError for an index out of range, when the layer is called on data; ShapeError for vectors of another
 * length
 */
export class ReversibleEmbedding extends ReversibleEmbeddingBase {
  static override readonly className: string = 'ReversibleEmbedding'
  /** @internal */
  static override readonly traits: LayerTraits<ReversibleEmbedding> = {
    constructorOptions: ['maskZero', 'tieWeights'],
    callOptions: ['reverse'],
    // `call` sets the mask, because only one direction makes one.
    makesMask: () => false,
    // The outputs of the reverse direction are other units.
    unitFlow: () => null,
  }
  override readonly supportsMasking: boolean = true
  private reverseTable: Variable | null = null

  /** [outputDim, inputDim], without tieWeights */
  get reverseEmbeddings(): Variable {
    return this.requireBuilt(this.reverseTable)
  }

  override computeMask(): null {
    return null
  }

  override build(): void {
    super.build()
    if (this.tieWeights) return
    this.reverseTable = this.addWeight({
      name: 'reverseEmbeddings',
      shape: [this.outputDim, this.inputDim],
      initializer: this.embeddingsInitializer,
    })
  }

  override call(x: Tensor, context?: CallContext): Tensor {
    if (context?.extras.reverse === true) return this.scoresOf(x)
    const vectors = super.call(x)
    if (this.maskZero) setMask(vectors, notEqual(x, 0))
    return vectors
  }

  private scoresOf(x: Tensor): Tensor {
    if (x.shape.at(-1) !== this.outputDim)
      throw new ShapeError(
        `${this}: with reverse, the input must be [batch, …, ${this.outputDim}], received ${formatShape(x.shape)}`,
      )
    const scores = matmul(x, this.tieWeights ? transpose(this.embeddings) : this.reverseEmbeddings)
    const cap = this.logitSoftCap
    return cap === null ? scores : multiply(tanh(divide(scores, cap)), cap)
  }

  override computeOutputSpec({ shape }: TensorSpec, { reverse }: ApplyOptions = {}): TensorSpec {
    return new TensorSpec(reverse === true ? [...shape.slice(0, -1), this.inputDim] : [...shape, this.outputDim])
  }
}
