// Random orders of rows. The numbers are drawn one after another, which is fast and gives the same order everywhere.

import { whole } from '../kinds'
import { arg, op, optional } from '../op'
import { custom, nullable } from '../../core/options'
import { ArgumentError, quoted } from '../../core/errors'
import { permutationKey, permute } from '../../core/permute'
import { requireShape } from '../arguments'
import { nextSeed } from './seed'

function emptyOrder(length: number): Int32Array {
  return new Int32Array(requireShape('permutation', [length])[0]!)
}

/** Where the order is written. */
const int32Array = /* @__PURE__ */ custom<Int32Array>(
  (value, what) => {
    if (value instanceof Int32Array) return value
    throw new ArgumentError(`${what} must be an Int32Array, received ${quoted(value)}`)
  },
  () => null,
)

export const permutation = op(
  () => [arg('length', whole(0)), optional('seed', nullable(whole())), optional('out', nullable(int32Array))],
  {
    /** 0 … length − 1 in random order. The same seed gives the same order everywhere. */
    permutation(length, seed = null, out = null): Int32Array {
      const order = out ?? emptyOrder(length)
      if (order.length < length)
        throw new ArgumentError(`permutation: out must have at least ${length} elements, received ${order.length}`)
      permute(order, length, permutationKey(seed ?? nextSeed()))
      return order
    },
  },
  { within: 'random' },
)
