// Equal tensors that are one weight. The converter writes a variable once for each node that reads it: the kernel of a layer that is called twice is
// two tensors, and that of an unrolled recurrent layer one for each step. Training must change them together.

import type { Shape } from '../../../core/shapes'

/** A weight and its elements. */
export interface Filled {
  readonly name: string
  readonly shape: Shape
  readonly values: Float32Array
}

/** For each weight, the name of an earlier one with the same shape and elements. Weights whose elements are all equal, such as a new bias, are not shared. */
export function sharedWeights(weights: readonly Filled[]): ReadonlyMap<string, string> {
  const first = new Map<string, Filled>()
  const found = new Map<string, string>()
  for (const each of weights) {
    if (each.values.every((x) => x === each.values[0])) continue
    const key = `${each.shape.join()}:${hashOf(each.values)}`
    const other = first.get(key)
    if (other === undefined) first.set(key, each)
    else if (each.values.every((x, i) => x === other.values[i])) found.set(each.name, other.name)
  }
  return found
}

/** FNV-1a over the bits of all elements. */
function hashOf(values: Float32Array): number {
  let hash = 0x811c9dc5
  for (const bits of new Int32Array(values.buffer, values.byteOffset, values.length))
    hash = Math.imul(hash ^ bits, 0x01000193)
  return hash
}
