// The order of rows: drawn one after another, so that it is fast and the same everywhere.

import { ArgumentError, quoted } from '../../core/errors'
import { permutationKey, permute } from '../../core/permute'
import { requireInteger, requireShape } from '../arguments'
import { nextSeed } from './seed'

function emptyOrder(length: number): Int32Array {
  return new Int32Array(requireShape('permutation', [length])[0]!)
}

/** 0 … length − 1 in random order. The same seed gives the same order everywhere. */
export function permutation(length: number, seed?: number, out?: Int32Array): Int32Array {
  requireInteger('permutation: length', length, 0)
  const order = out ?? emptyOrder(length)
  if (!(order instanceof Int32Array) || order.length < length) {
    throw new ArgumentError(
      `permutation: out must be an Int32Array of at least ${length} elements, received ${quoted(order)}`,
    )
  }
  permute(order, length, permutationKey(requireInteger('permutation: seed', seed ?? nextSeed())))
  return order
}
