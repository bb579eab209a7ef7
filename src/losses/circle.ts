// The circle loss: attracts embeddings of the same class and repels embeddings of different classes.

import { merged } from '../core/merged'
import { ShapeError, formatShape } from '../core/errors'
import { boolean, number, option, type Kind, type OptionInputs } from '../core/options'
import type { Shape, TensorType } from '../core/shapes'
import { asTensor, type TensorLike } from '../ops/convert'
import {
  add,
  cast,
  equal,
  greater,
  logicalAnd,
  logicalNot,
  maximum,
  multiply,
  softplus,
  subtract,
  where,
} from '../ops/numpy/elementwise'
import { matmul } from '../ops/linalg/linalg'
import { logSumExp } from '../ops/numpy/reduce'
import { eye, reshape, transpose } from '../ops/numpy/shape'
import type { Tensor } from '../ops/tensor'
import { requireElements, wrongTargets } from './kinds'
import { FormulaLoss, lossOf, type Counted, type LossInOrder } from './loss'
import { NOTHING, optionsOf } from './values'
import { bothMasks } from './sample-weights'

const circleOptions = {
  /** The scale of the similarities: higher values emphasise the hardest pairs. Default 80. */
  gamma: option(number({ above: 0 }), 80),
  /** The target distance within a class; between classes it is 1 − margin. Default 0.4. */
  margin: option(number({ min: 0 }), 0.4),
  /** Whether pairs of an embedding with itself are excluded. Default true. */
  removeDiagonal: option(boolean, true),
}
export type CircleOptions = OptionInputs<typeof circleOptions>

/** A tensor, which the loss converts; null for none. It is never saved. */
const tensorOrNull: Kind<TensorLike | null> = { read: (value: TensorLike | null) => value, write: () => null }
const functionTable = merged(circleOptions, {
  /** The class of each reference, [references]. Default null: the batch is compared with itself. */
  refLabels: option(tensorOrNull, null),
  /** The embeddings the batch is compared with, [references, dimension]. Default null: the batch itself. */
  refEmbeddings: option(tensorOrNull, null),
})

/**
 * With the distances d = max(1 − ŷᵢ·ŷⱼ, 0) of embeddings and the margin m, the loss of each embedding is
 *
 * softplus( ln Σ e^(gamma·(m + d)·(d − m)) over its class + ln Σ e^(gamma·(1 + m − d)·(1 − m − d)) over the others ),
 *
 * with negative factors replaced by 0. Sun et al. 2020.
 * @param yTrue class numbers [batch]
 * @param yPred embeddings of length 1, [batch, dimension]
 * @returns [batch], 0 for an embedding without a pair
 * @throws ShapeError unless there is one class number per embedding: yTrue for the batch; refLabels for refEmbeddings,
 * or for the batch without them
 * @example losses.circle([0, 0, 1], ops.normalize(embeddings))
 */
export function circle(yTrue: TensorLike, yPred: TensorLike, options: OptionInputs<typeof functionTable> = {}): Tensor {
  const { gamma, margin, removeDiagonal, refLabels, refEmbeddings } = optionsOf(
    'circle',
    arguments,
    functionTable,
    options,
  )
  const embeddings = cast(asTensor(yPred, 'yPred'), 'float32')
  const labels = column(yTrue, 'yTrue', embeddings)
  const references = cast(asTensor(refEmbeddings ?? embeddings, 'refEmbeddings'), 'float32')
  const known =
    refLabels === null && refEmbeddings === null ? labels : column(refLabels ?? labels, 'refLabels', references)
  const distances = maximum(subtract(1, matmul(embeddings, transpose(references))), 0)
  const alike = equal(labels, transpose(known))
  const isItself = eye(alike.shape[0]!, alike.shape[1], 0, 'bool')
  const positive = removeDiagonal ? logicalAnd(alike, logicalNot(isItself)) : alike
  const near = multiply(add(distances, margin), subtract(distances, margin))
  const far = multiply(maximum(subtract(1 + margin, distances), 0), subtract(1 - margin, distances))
  const overPairs = (pairs: Tensor, value: Tensor): Tensor =>
    logSumExp(where(pairs, multiply(value, gamma), NOTHING), { axis: 1 })
  return softplus(add(overPairs(positive, near), overPairs(logicalNot(alike), far)))
}

const CircleBase = (lossOf as LossInOrder<['gamma', 'margin', 'removeDiagonal', 'reduction', 'name', 'dtype']>)(
  FormulaLoss,
  circle,
  circleOptions,
)

/**
 * Attracts embeddings of the same class and repels embeddings of different classes: yTrue class numbers [batch], yPred
 * embeddings of length 1, [batch, dimension]. Embeddings whose class occurs only once in the batch are ignored. Sun et
 * al. 2020.
 * @example new losses.Circle().apply([0, 0, 1], ops.normalize([[1, 0], [1, 1], [0, 1]]))   // 10.63
 */
export class Circle extends CircleBase {
  static readonly className = 'Circle'

  protected override counted(yTrue: Tensor, yPred: Tensor, mask: Tensor | undefined): Counted {
    const values = this.call(yTrue, yPred)
    return { values, mask: bothMasks(mask, greater(values, 0)) }
  }

  override targetsFor([batch = 1]: Shape): TensorType {
    return { shape: [batch], dtype: 'int32' }
  }

  override checkTargets(yTrue: Tensor, outputShape: Shape): void {
    if (yTrue.size !== yTrue.shape[0])
      throw wrongTargets(this.name, 'one class number for each embedding:', [outputShape[0]!], yTrue.shape, '')
    requireElements(this.name, yTrue, Number.isInteger, 'class numbers')
  }
}

/** @throws ShapeError unless there is one class number per embedding */
function column(labels: TensorLike, name: string, { shape }: Tensor): Tensor {
  const numbers = cast(asTensor(labels, name), 'int32')
  if (numbers.size !== shape[0]) {
    throw new ShapeError(
      `circle: ${name} must be one class number for each of the embeddings ${formatShape(shape)}, received ${formatShape(numbers.shape)}`,
    )
  }
  return reshape(numbers, [numbers.size, 1])
}
