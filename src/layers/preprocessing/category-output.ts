// What becomes of the numbers of categories: the numbers, or a vector over all categories.

import { cast, minimum, multiply } from '../../ops/elementwise'
import { bincount } from '../../ops/segments'
import { oneHotOrZeros } from '../../ops/one-hot'
import { reshape } from '../../ops/shape'
import type { Tensor } from '../../ops/tensor'
import { ShapeError, formatShape } from '../../core/errors'
import { choice } from '../../core/options'
import type { BatchShape } from '../spec'

/** What a lookup gives. */
export type CategoryMode = 'int' | 'oneHot' | 'multiHot' | 'count' | 'tfIdf'

/** In Keras's spelling too: `multi_hot` is multiHot. */
export const categoryMode = /* @__PURE__ */ choice<CategoryMode>('int', 'oneHot', 'multiHot', 'count', 'tfIdf')

/**
 * Numbers of categories as a layer gives them: int as they are; oneHot [..., categories], where an axis of 1 at the end becomes
 * that of the categories; multiHot, count and tfIdf [batch, categories] of rows [batch, n]. Numbers outside count nowhere.
 * @param weights what each category counts; tfIdf
 * @throws ShapeError for rows of rows
 */
export function encodeCategories(where: string, numbers: Tensor, mode: CategoryMode, size: number, weights: Tensor | null = null): Tensor {
  if (mode === 'int') return numbers
  encodedShape(where, numbers.shape, mode, size)
  if (mode === 'oneHot') {
    const { shape } = numbers
    return oneHotOrZeros(shape.length > 1 && shape.at(-1) === 1 ? reshape(numbers, shape.slice(0, -1)) : numbers, size)
  }
  const rows = numbers.rank === 1 ? reshape(numbers, [numbers.shape[0]!, 1]) : numbers
  const counts = cast(bincount(rows, { minlength: size }), 'float32')
  if (mode === 'count') return counts
  return mode === 'multiHot' ? minimum(counts, 1) : multiply(counts, weights!)
}

/** The shape of the same. */
export function encodedShape(where: string, shape: BatchShape, mode: CategoryMode, size: number): BatchShape {
  if (mode === 'int') return shape
  if (mode === 'oneHot') return [...(shape.length > 1 && shape.at(-1) === 1 ? shape.slice(0, -1) : shape), size]
  if (shape.length > 2) throw new ShapeError(`${where}: outputMode '${mode}' takes rows [batch] or [batch, n], received ${formatShape(shape)}`)
  return [shape[0] ?? null, size]
}
