// Products of packed weights and rows of packed tables: engine/primitives/packed.ts. Only layers call them.

import { PackedMatmul, PackedRows, type PackedFormat } from '../../engine/primitives/packed'
import { needPacked } from '../families'
import type { Tensor } from '../tensor'
import { apply } from '../trace'

/**
 * x · Wᵀ for packed weights W [outputs, inputs].
 * @param x float32 [… , inputs]
 * @param packed int8, of `packedShape(format)`
 * @param activations how x is read: 'int8' rounds each 32 neighbouring numbers to integers within ±127, for predictions; 'float32'
 *   is exact. Gradients are the same: rounding counts as the identity
 * @internal
 */
export function packedMatmul(
  x: Tensor,
  packed: Tensor,
  format: PackedFormat,
  activations: 'int8' | 'float32' = 'int8',
): Tensor {
  needPacked()
  const kind = activations === 'int8' ? 'rounded' : 'exact'
  return apply('routine', [x, packed], { routine: new PackedMatmul(format, kind) })[0]!
}

/**
 * The rows of a packed table with some numbers, float32 [… ids, inputs].
 * @param packed int8, of `packedShape(format)`
 * @param ids int32
 * @internal
 */
export function packedTake(packed: Tensor, ids: Tensor, format: PackedFormat): Tensor {
  needPacked()
  return apply('routine', [packed, ids], { routine: new PackedRows(format) })[0]!
}
