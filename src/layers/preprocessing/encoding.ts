// Whole numbers as rows of zeros and ones, or of counts; CategoryEncoding.

import { ArgumentError, DataError, ShapeError, formatShape } from '../../core/errors'
import type { DType } from '../../core/dtypes'
import type { Kind } from '../../core/options'
import { boolean, choice, configured, count, custom, option, required } from '../../core/options'
import { sameShape } from '../../core/shapes'
import { cast, minimum, multiply } from '../../ops/elementwise'
import { oneHotOrZeros } from '../../ops/one-hot'
import { sum } from '../../ops/reduce'
import { bincount } from '../../ops/segments'
import { expandDims, reshape } from '../../ops/shape'
import { Tensor } from '../../ops/tensor'
import type { CallOption } from '../call-options'
import type { CallContext } from '../context'
import { TensorLayer } from '../core/tensor-layer'
import type { BatchShape } from '../spec'

export type Encoding = 'oneHot' | 'multiHot' | 'count'

/** Keras's sparse tensors, which do not exist here. */
export const notSparse: Kind<false, boolean> = /* @__PURE__ */ custom<false, boolean>(
  (value, where) => {
    if (!boolean.read(value, where)) return false
    throw new ArgumentError(`${where} must be false: there are no sparse tensors`)
  },
  () => false,
)

/**
 * Indices [batch, …] in rows of `depth`. An index outside counts nowhere.
 *
 * - oneHot: a row for each index, with a last axis of 1 in its place: [batch, 1] → [batch, depth], [batch, n] → [batch, n, depth]
 * - multiHot: a row for each sample, 1 where an index occurs: [batch, n] → [batch, depth], [batch, n, m] → [batch, m, depth]
 * - count: the same with how often it occurs, or with the sum of its weights
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

// A row for every index, which takes much room, only where there are several axes to count over.
function countOf(indices: Tensor, depth: number, weights: Tensor | null): Tensor {
  if (indices.rank === 2)
    return cast(
      bincount(indices, { minlength: depth, weights: weights === null ? null : reshape(weights, indices.shape) }),
      'float32',
    )
  const rows = oneHotOrZeros(indices, depth)
  return sum(weights === null ? rows : multiply(rows, reshape(weights, [...rows.shape.slice(0, -1), 1])), 1)
}

/** The shape of what `encode` gives. */
export function encodedShape(shape: BatchShape, encoding: Encoding, depth: number): BatchShape {
  if (encoding === 'oneHot') return [...(shape.length > 1 && shape.at(-1) === 1 ? shape.slice(0, -1) : shape), depth]
  return [...shape.slice(0, 1), ...shape.slice(2), depth]
}

/**
 * Tokens 0 … numTokens − 1, [batch, …], as rows of numTokens: see `outputMode`. In training and out of it.
 *
 *   new CategoryEncoding({ numTokens: 4 }).apply([[0, 1], [3, 3]])                        // [[1, 1, 0, 0], [0, 0, 0, 1]]
 *   new CategoryEncoding({ numTokens: 4, outputMode: 'count' }).apply([[0, 1], [3, 3]])   // [[1, 1, 0, 0], [0, 0, 0, 2]]
 *
 * A call may say `countWeights`, of the shape of the tokens: how much each counts. Data are checked where they are at hand; inside a
 * trace a token outside counts nowhere.
 *
 * Keras: `keras.layers.CategoryEncoding`; there [n] is the tokens of one sample, here it is one token for each of n.
 * @throws DataError for a token outside, when it is called on data
 */
export class CategoryEncoding extends configured(TensorLayer, () => ({
  /** How many tokens there are. */
  numTokens: required(count),
  /** 'oneHot', a row for each token; 'multiHot', which tokens a sample has; 'count', how often. Default multiHot. */
  outputMode: option(choice('oneHot', 'multiHot', 'count'), 'multiHot'),
  /** Must be false. */
  sparse: option(notSparse, false),
})) {
  static readonly className = 'CategoryEncoding'

  override get inputDtype(): DType {
    return 'int32'
  }

  protected override get callOptions(): readonly CallOption[] {
    return ['countWeights']
  }

  call(x: Tensor, { said: { countWeights } }: CallContext): Tensor {
    if (Tensor.symbolOf(x) === null) this.validateInput(x)
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

  /** @throws DataError for the first token that is not among 0 … numTokens − 1 */
  override validateInput({ data }: Tensor): void {
    const { numTokens } = this
    const wrong = data.find((token: number) => !(token >= 0 && token < numTokens && Number.isInteger(token)))
    if (wrong !== undefined)
      throw new DataError(`${this}: the tokens must be integers in 0 … ${numTokens - 1}, received ${wrong}`)
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return encodedShape(inputShape, this.outputMode, this.numTokens)
  }
}
