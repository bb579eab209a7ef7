// PackedReversibleEmbedding: the table of tokens of a language model, in few bits.

import { choice, configured, extent, nullable, number, option, required } from '../../core/options'
import { packedMatmul, packedTake } from '../../ops/nn/packed'
import { cast, divide, multiply, tanh } from '../../ops/numpy/elementwise'
import type { Tensor } from '../../ops/tensor'
import type { ApplyOptions } from '../../layers/call-options'
import type { CallContext } from '../../layers/context'
import { TENSOR } from '../../layers/forms'
import { initializer } from '../../layers/kinds'
import { Layer } from '../../layers/layer'
import { TensorSpec } from '../../layers/spec'
import type { LayerTraits } from '../../layers/traits'
import { addMatrix, type Matrix } from './packed-weight'

const PackedReversibleEmbeddingBase = configured(
  Layer<Tensor>,
  () => ({
    /** The number of items. */
    inputDim: required(extent),
    /** The length of a vector. */
    outputDim: required(extent),
    /** How the table is stored: see Projection. Default int8. */
    storage: option(choice('int8', 'int4'), 'int8'),
    /** Default uniform in ±0.05. */
    embeddingsInitializer: option(initializer, 'uniform'),
    /** A limit s of the scores, s · tanh(score / s). Default null: none. */
    logitSoftCap: option(nullable(number({ above: 0 })), null),
  }),
  ['inputDim', 'outputDim', 'storage'],
)

/**
 * A ReversibleEmbedding whose table has 8 or 4 bits a weight, and is not trained: row i for each index i, [batch, …] → [batch, …,
 * outputDim]; with `reverse`, vectors → scores of all items, x · tableᵀ.
 *
 *   new PackedReversibleEmbedding({ inputDim: 32000, outputDim: 512, storage: 'int4' })
 */
export class PackedReversibleEmbedding extends PackedReversibleEmbeddingBase {
  static readonly className = 'PackedReversibleEmbedding'
  /** @internal */
  static override readonly traits: LayerTraits<PackedReversibleEmbedding> = {
    form: TENSOR,
    inputDtype: () => 'int32',
    callOptions: ['reverse'],
  }
  override readonly supportsMasking = true
  private table: Matrix | null = null

  /** The table with its format. @internal */
  get matrix(): Matrix {
    return this.requireBuilt(this.table)
  }

  override build(): void {
    const shape = [this.inputDim, this.outputDim] as const
    this.table = addMatrix(this.addWeight.bind(this), this.storage, 'embeddings', shape, this.embeddingsInitializer)
  }

  call(x: Tensor, { training, extras }: CallContext): Tensor {
    const { variable } = this.matrix
    const format = this.matrix.format!
    if (extras.reverse !== true) return packedTake(variable.value, cast(x, 'int32'), format)
    const scores = packedMatmul(x, variable.value, format, training ? 'float32' : 'int8')
    const cap = this.logitSoftCap
    return cap === null ? scores : multiply(tanh(divide(scores, cap)), cap)
  }

  override computeOutputSpec({ shape }: TensorSpec, { reverse }: ApplyOptions = {}): TensorSpec {
    return new TensorSpec(reverse === true ? [...shape.slice(0, -1), this.inputDim] : [...shape, this.outputDim])
  }
}
