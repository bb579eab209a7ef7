// CategoryEncoding: integers as rows of zeros and ones, or of counts.

import { ArgumentError, DataError, ShapeError, formatShape } from '../../core/errors'
import { choice, configured, extent, option, required, sparse } from '../../core/options'
import { sameShape } from '../../core/shapes'
import { cast, minimum, multiply } from '../../ops/numpy/elementwise'
import { oneHotOrZeros } from '../../ops/nn/one-hot'
import { sum } from '../../ops/numpy/reduce'
import { countsOf } from '../../ops/math/counts'
import { expandDims, reshape } from '../../ops/numpy/shape'
import { Tensor } from '../../ops/tensor'
import type { CallContext } from '../context'
import type { BatchShape } from '../spec'
import { TENSOR } from '../forms'
import { requireRoomFor } from '../indices'
import { Layer } from '../layer'
import type { LayerTraits } from '../traits'

export type Encoding = 'oneHot' | 'multiHot' | 'count'

/**
 * Encodes indices [batch, …] as rows of length `depth`. An index out of range is ignored.
 *
 * - oneHot: a row for each index, in place of a last axis of 1: [batch, 1] → [batch, depth], [batch, n] → [batch, n,
 *   depth]
 * - multiHot: a row for each sample, 1 where an index occurs: [batch, n] → [batch, depth], [batch, n, m] → [batch, m,
 *   depth]
 * - count: like multiHot, with the number of occurrences, or with the sum of their weights
 *
 * [batch] is one index for each sample.
 */
export function encode(indices: Tensor, encoding: Encoding, depth: number, weights: Tensor | null = null): Tensor {
  const { shape } = indices
  if (encoding === 'oneHot')
    return oneHotOrZeros(shape.length > 1 && shape.at(-1) === 1 ? reshape(indices, shape.slice(0, -1)) : indices, depth)
  if (shape.length === 0) throw new ShapeError(`${encoding} needs indices [batch, …], received a single one`)
  const counts = countOf(shape.length === 1 ? expandDims(indices, 1) : indices, depth, weights)
  return encoding === 'multiHot' ? minimum(counts, 1) : counts
}

// Only with several axes to count over does it make a row for every index, which takes much memory.
function countOf(indices: Tensor, depth: number, weights: Tensor | null): Tensor {
  if (indices.rank === 2)
    return cast(countsOf(indices, depth, weights === null ? null : reshape(weights, indices.shape)), 'float32')
  const rows = oneHotOrZeros(indices, depth)
  return sum(weights === null ? rows : multiply(rows, reshape(weights, [...rows.shape.slice(0, -1), 1])), 1)
}

/** The shape of the result of `encode`. */
export function encodedShape(shape: BatchShape, encoding: Encoding, depth: number): BatchShape {
  if (encoding === 'oneHot') return [...(shape.length > 1 && shape.at(-1) === 1 ? shape.slice(0, -1) : shape), depth]
  return [...shape.slice(0, 1), ...shape.slice(2), depth]
}

const CategoryEncodingBase = configured(
  Layer<Tensor>,
  () => ({
    /** The number of tokens. */
    numTokens: required(extent),
    /**
     * 'oneHot', a row for each token; 'multiHot', which tokens a sample has; 'count', how often each occurs. Default
     * multiHot.
     */
    outputMode: option(choice('oneHot', 'multiHot', 'count'), 'multiHot'),
    /** Changes nothing: there are no sparse tensors. true warns. Default false. */
    sparse: option(sparse, false),
  }),
  ['numTokens', 'outputMode', 'sparse'],
)

/**
 * Encodes tokens 0 … numTokens − 1, [batch, …], as rows of length numTokens: see `outputMode`. The same in training and
 * inference.
 *
 *   new CategoryEncoding({ numTokens: 4 }).apply([[0, 1], [3, 3]])                      // [[1, 1, 0, 0], [0, 0, 0, 1]]
 *   new CategoryEncoding({ numTokens: 4, outputMode: 'count' }).apply([[0, 1], [3, 3]]) // [[1, 1, 0, 0], [0, 0, 0, 2]]
 *
 * A call takes `countWeights`, the weight of each token, of the shape of the tokens. The layer checks tokens when it is
 * called on data; inside a trace, a token out of range is ignored.
 *
 * Keras: `keras.layers.CategoryEncoding`; there [n] is n tokens of one sample, here one token of each of n samples.
 * @throws DataError for a token out of range, when the layer is called on data; ArgumentError if a layer before it makes more than
 * numTokens indices
 */
export class CategoryEncoding extends CategoryEncodingBase {
  static readonly className = 'CategoryEncoding'
  /** @internal */
  static override readonly traits: LayerTraits<CategoryEncoding> = {
    form: TENSOR,
    inputDtype: () => 'int32',
    callOptions: ['countWeights'],
    validateInput: requireTokens,
  }

  call(x: Tensor, { extras: { countWeights } }: CallContext): Tensor {
    if (Tensor.symbolOf(x) === null) requireTokens(this, x)
    else requireRoomFor(x, this, 'numTokens', this.numTokens)
    return encode(
      cast(x, 'int32'),
      this.outputMode,
      this.numTokens,
      countWeights == null ? null : this.weightsFor(x, countWeights),
    )
  }

  private weightsFor(x: Tensor, weights: Tensor): Tensor {
    if (this.outputMode !== 'count')
      throw new ArgumentError(`${this}: countWeights are for outputMode 'count', not for '${this.outputMode}'`)
    if (sameShape(x.shape, weights.shape)) return cast(weights, 'float32')
    throw new ShapeError(
      `${this}: countWeights must be of the shape of the tokens, ${formatShape(x.shape)}, received ${formatShape(weights.shape)}`,
    )
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return encodedShape(inputShape, this.outputMode, this.numTokens)
  }
}

/** @throws DataError for the first token outside 0 … numTokens − 1 */
function requireTokens(layer: CategoryEncoding, { data }: Tensor): void {
  const { numTokens } = layer
  const wrong = data.find((token: number) => !(token >= 0 && token < numTokens && Number.isInteger(token)))
  if (wrong !== undefined)
    throw new DataError(`${layer}: the tokens must be integers in 0 … ${numTokens - 1}, received ${wrong}`)
}
