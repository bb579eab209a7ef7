// Blocks and slices along one axis, used by other ops. Public ops are in shape.ts.

import { DataError } from '../../core/errors'
import { asTensor, type TensorLike } from '../convert'
import { cast } from './elementwise'
import type { Tensor } from '../tensor'
import { apply, isData } from '../trace'

/** The block of elements start … start + size − 1 of one axis. */
export function sliceAlong(x: Tensor, axis: number, start: number, size: number): Tensor {
  const starts = x.shape.map((_, i) => (i === axis ? start : 0))
  return apply('slice', [x], { starts, sizes: x.shape.map((extent, i) => (i === axis ? size : extent)) })[0]!
}

/**
 * result[…, i, …] = x[…, indices[i], …] for int32 indices. An index outside the axis gives NaN, the least int32
 * or true.
 */
export function takeAlong(x: Tensor, indices: Tensor, axis: number): Tensor {
  return apply('gather', [x, indices], { axis })[0]!
}

/** The position of the first number that is not an integer in low … high − 1; −1 if there is none. */
export function firstOutside(data: ArrayLike<number>, low: number, high: number): number {
  // A callback for each element takes several times as long.
  for (let i = 0; i < data.length; i++) {
    const index = data[i]!
    if (!(index >= low && index < high && Math.floor(index) === index)) return i
  }
  return -1
}

/** Indices as int32. @throws DataError for an index outside −extent … extent − 1, unless they are traced */
export function readIndices(where: string, indices: TensorLike, extent: number): Tensor {
  const index = asTensor(indices, where)
  if (extent > 0 && isData(index)) {
    const { data } = index
    const at = firstOutside(data, -extent, extent)
    if (at >= 0)
      throw new DataError(
        `${where}: the indices must be integers in −${extent} … ${extent - 1}, received ${data[at]} as element ${at}`,
      )
  }
  return cast(index, 'int32')
}
