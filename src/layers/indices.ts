// Which layer made the indices in a tensor, and how many there are: a table beside the tensors, like that of masks. A layer that
// looks indices up compares them with its own number while a step is traced, when their values are not known yet.

import { ArgumentError } from '../core/errors'
import type { Tensor } from '../ops/tensor'

interface Indices {
  readonly maker: string
  readonly count: number
}

const known = new WeakMap<Tensor, Indices>()

/** Notes that a layer made indices in 0 … count − 1. @returns the indices */
export function madeIndices(indices: Tensor, maker: object, count: number): Tensor {
  known.set(indices, { maker: String(maker), count })
  return indices
}

/** Notes that a tensor has no other elements than some others, and zeros. @returns the tensor */
export function sameIndices(tensor: Tensor, ...others: readonly Tensor[]): Tensor {
  for (const other of others) {
    const indices = known.get(other)
    if (indices !== undefined && indices.count > (known.get(tensor)?.count ?? 0)) known.set(tensor, indices)
  }
  return tensor
}

/**
 * Refuses indices of another layer that a layer has no room for.
 * @param reader the layer that looks them up
 * @param option its option that is their number
 * @throws ArgumentError that names both layers and the number
 */
export function requireRoomFor(indices: Tensor, reader: object, option: string, room: number): void {
  const { maker, count } = known.get(indices) ?? { maker: '', count: 0 }
  if (count > room)
    throw new ArgumentError(
      `${String(reader)}: ${option} must be at least ${count}, for the indices 0 … ${count - 1} of ${maker}, received ${room}`,
    )
}
