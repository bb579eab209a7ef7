// Parts of a tensor by position, as with Python's brackets.

import { operand, unchecked } from '../kinds'
import { arg, op } from '../op'
import { ArgumentError, ShapeError, formatShape, quoted } from '../../core/errors'
import { sliceAlong, takeAlong } from './along'
import { requireInteger } from '../arguments'
import { asTensor, type TensorLike } from '../convert'
import { flip, expandDims, reshape, squeeze, take } from './shape'
import { Tensor } from '../tensor'
import { joined } from '../trace'
import { Variable } from '../variable'

/**
 * What one position of a key selects: a number, one element of an axis, which disappears; `'start:stop:step'`, some of an axis, as in
 * Python; null, a new axis of extent 1; `'...'`, all axes that the other positions do not select from; a vector or tensor of integers, the elements at
 * these indices.
 */
export type ItemKey = number | null | string | readonly number[] | Tensor | Int32Array

const RANGE = /^(-?\d+)?:(-?\d+)?(?::(-?\d+)?)?$/

export const getItem = op(() => [arg('x', operand), arg('key', unchecked<ItemKey | readonly ItemKey[]>())], {
  /**
   * x[key] of Python: `getItem(x, [0, ':', '1:3'])` is x[0, :, 1:3].
   * @param key what each axis selects, from the first on; see `ItemKey`. At most one is a list of indices.
   * @throws ShapeError for more axes than x has and for a number outside its axis; ArgumentError for another key
   * @example ops.getItem([[1, 2, 3], [4, 5, 6]], [':', '::-2'])   // [[3, 1], [6, 4]]
   */
  getItem(x, key): Tensor {
    const value = asTensor(x, 'getItem')
    const keys = Array.isArray(key) ? Array.from<unknown>(key) : [key]
    const used = keys.filter((each) => each !== null && each !== '...').length
    const dots = keys.filter((each) => each === '...').length
    if (used > value.rank || dots > 1)
      throw new ShapeError(
        `getItem: a key for the shape ${formatShape(value.shape)} may select from ${value.rank} axes and contain '...' once, received ${used} axes and ${dots} times '...'`,
      )
    const lists = keys.filter(isList).length
    if (lists > 1 || (lists === 1 && keys.some((each) => typeof each === 'number')))
      throw new ArgumentError('getItem: a list of indices cannot be combined with another one or with numbers')
    let [result, axis] = [value, 0]
    for (const each of keys) {
      if (each === '...') axis += value.rank - used
      else if (each === null) result = expandDims(result, axis++)
      else if (typeof each === 'string') result = rangeOf(result, axis++, each)
      else if (isList(each)) {
        const before = result.rank
        result = take(result, each, axis)
        axis += result.rank - before + 1
      } else result = elementOf(result, axis, each)
    }
    return result
  },
})

/** Whether a key is a list of indices, whose elements `take` checks. */
function isList(key: unknown): key is TensorLike {
  return Array.isArray(key) || ArrayBuffer.isView(key) || key instanceof Tensor || key instanceof Variable
}

function elementOf(x: Tensor, axis: number, key: unknown): Tensor {
  const [index, extent] = [requireInteger('getItem: each of the key', key), x.shape[axis]!]
  if (index < -extent || index >= extent)
    throw new ShapeError(`getItem: ${index} is outside axis ${axis} of ${formatShape(x.shape)}`)
  return squeeze(sliceAlong(x, axis, index < 0 ? index + extent : index, 1), axis)
}

function rangeOf(x: Tensor, axis: number, key: string): Tensor {
  const parts = RANGE.exec(key)
  const step = Number(parts?.[3] ?? 1)
  if (parts === null || step === 0)
    throw new ArgumentError(`getItem: a range must be 'start:stop' or 'start:stop:step', received ${quoted(key)}`)
  const extent = x.shape[axis]!
  const [least, most] = step > 0 ? [0, extent] : [-1, extent - 1]
  const bound = (text: string | undefined, otherwise: number): number => {
    if (text === undefined) return otherwise
    const at = Number(text)
    return Math.min(Math.max(at < 0 ? at + extent : at, least), most)
  }
  const from = bound(parts[1], step > 0 ? least : most)
  const to = bound(parts[2], step > 0 ? most : least)
  const count = Math.max(0, Math.ceil((to - from) / step))
  if (step === 1 || count < 2) return sliceAlong(x, axis, count === 0 ? 0 : from, count)
  return joined(`every ${axis} ${from} ${step} ${count}`, [x], ([value]) =>
    step > 0
      ? every(value!, axis, from, step, count)
      : every(flip(value!, axis), axis, extent - 1 - from, -step, count),
  )
}

/** `count` elements of an axis, every `step`-th from `from` on. */
function every(x: Tensor, axis: number, from: number, step: number, count: number): Tensor {
  if (step === 1) return sliceAlong(x, axis, from, count)
  // Blocks of `step` elements with one of the elements at the same position of each: a view, which needs no copy.
  const place = Math.max(0, from + count * step - x.shape[axis]!)
  if (place > Math.min(from, step - 1)) {
    const indices = Int32Array.from({ length: count }, (_, i) => from + i * step)
    return takeAlong(x, new Tensor(indices, [count], 'int32'), axis)
  }
  const blocks = reshape(
    sliceAlong(x, axis, from - place, count * step),
    x.shape.flatMap((extent, i) => (i === axis ? [count, step] : [extent])),
  )
  return squeeze(sliceAlong(blocks, axis + 1, place, 1), axis + 1)
}
