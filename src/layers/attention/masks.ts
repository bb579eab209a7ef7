// Which steps of a query may look at which steps of a value.

import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import type { Shape } from '../../core/shapes'
import type { Tree } from '../../core/tree'
import { abs, cast, less, lessEqual, logicalAnd, subtract } from '../../ops/numpy/elementwise'
import { arange, expandDims, reshape } from '../../ops/numpy/shape'
import { Tensor } from '../../ops/tensor'
import type { CallOption } from '../layer'

/** The conjunction of two masks; null counts everything. */
export function both(a: Tensor | null, b: Tensor | null): Tensor | null {
  if (a === null) return b
  return b === null ? a : logicalAnd(a, b)
}

/** [1, rows, columns]: row − column. */
function distances(rows: number, columns: number): Tensor {
  const row = expandDims(arange(0, rows, 1, 'int32'), 1)
  return expandDims(subtract(arange(0, columns, 1, 'int32'), row), 0)
}

/** No step sees later steps. */
export function causalMask(rows: number, columns: number): Tensor {
  return lessEqual(distances(rows, columns), 0)
}

/** A step sees the steps fewer than `window` steps away, on both sides. */
export function windowMask(rows: number, columns: number, window: number): Tensor {
  return less(abs(distances(rows, columns)), window)
}

/** A mask of the value's steps [batch, value] → [batch, 1, 1, value], for all heads and all steps of the query. */
export function keyMask(mask: Tensor): Tensor {
  return expandDims(expandDims(mask, 1), 1)
}

/** A mask of the query's steps [batch, query] and one of the value's [batch, value] → [batch, query, value]. */
export function stepMasks(query: Tensor | null, value: Tensor | null): Tensor | null {
  return both(
    query === null ? null : expandDims(asBool(query), -1),
    value === null ? null : expandDims(asBool(value), -2),
  )
}

/**
 * Reshapes a mask of pairs, [batch, …steps] or less, so that it broadcasts to scores [batch, heads, …steps] with `rank`
 * axes, of which the last `steps` are steps.
 */
export function besideScores(mask: Tensor, rank: number, steps: number): Tensor {
  const { shape } = mask
  const split = shape.length - steps
  return shape.length >= rank
    ? mask
    : reshape(mask, [
        ...shape.slice(0, split),
        ...new Array<number>(rank - shape.length).fill(1),
        ...shape.slice(split),
      ])
}

/**
 * A call's attentionMask, checked and reshaped to broadcast to the scores [batch, heads, …query steps, …value steps].
 * @param layer names it in errors
 * @param steps how many of the scores' axes are steps
 */
export function pairMask(layer: string, attentionMask: Tensor, scores: Shape, steps = 2): Tensor {
  const mask = besideScores(asBool(attentionMask), scores.length, steps)
  if (mask.rank === scores.length && mask.shape.every((extent, i) => extent === 1 || extent === scores[i])) return mask
  const [batch, ...others] = scores
  const withoutHeads = [batch!, ...others.slice(-steps)]
  const names = steps === 2 ? ['query steps', 'value steps'] : ['…query steps', '…value steps']
  const all = scores.length === withoutHeads.length ? '' : ` or [batch, heads, ${names.join(', ')}]`
  const here = [withoutHeads, ...(all === '' ? [] : [scores])].map(formatShape).join(' or ')
  throw new ShapeError(
    `${layer}: attentionMask must be [batch, ${names.join(', ')}]${all}, here ${here}, where any extent may be 1; received ${formatShape(attentionMask.shape)}`,
  )
}

/** The options of a call of an attention layer. */
export const ATTENTION_OPTIONS: readonly CallOption[] = ['attentionMask', 'useCausalMask', 'returnAttentionScores']

/**
 * Checks the masks of an attention with a list of inputs: [queryMask, valueMask], optionally followed by keyMask.
 * @throws ArgumentError for a single tensor or a list of another length
 */
export function masksOfPair(layer: string, inputs: number, mask: Tree<Tensor | null>): Tree<Tensor | null> {
  const isList = Array.isArray(mask)
  if (isList && (mask.length === 2 || mask.length === inputs))
    return mask.length < inputs ? [...(mask as readonly Tree<Tensor | null>[]), null] : mask
  const other = mask instanceof Tensor ? `a tensor ${formatShape(mask.shape)}` : typeof mask
  const received = isList ? `a list of ${mask.length}` : other
  throw new ArgumentError(
    `${layer}: the mask must be a list, [queryMask, valueMask]${inputs === 3 ? ' or [queryMask, valueMask, keyMask]' : ''}, where null stands for none; received ${received}`,
  )
}

export function asBool(mask: Tensor): Tensor {
  return mask.dtype === 'bool' ? mask : cast(mask, 'bool')
}
