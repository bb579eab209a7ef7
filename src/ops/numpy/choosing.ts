// Ops that choose elements, or find where they are.

import { operand, operandOrNull, operands, unchecked } from '../kinds'
import { arg, op, opOf, optional, unaryOp } from '../op'
import { ArgumentError, ShapeError, StateError, formatShape } from '../../core/errors'
import { sizeOf, type Shape } from '../../core/shapes'
import { requireList, requireShape } from '../arguments'
import { asTensor, type TensorLike } from '../convert'
import * as elementwise from './elementwise'
import { add, cast, clip, floorDivide, less, mod } from './elementwise'
import { Tensor } from '../tensor'
import { together } from '../trace'

export const select = op(
  () => [arg('condlist', operands), arg('choicelist', operands), optional('default', operandOrNull)],
  {
    /**
     * At each position the element of the first choice whose condition is true, and the default where no condition is true. All operands
     * broadcast; choices of several dtypes are converted to the highest.
     * @param default_ also by its name, { default: 9 }. Default 0
     * @example ops.select([[true, false, false], [true, true, false]], [[1, 2, 3], [4, 5, 6]], 9)   // [1, 5, 9]
     */
    select(condlist, choicelist, default_ = 0): Tensor {
      const conditions = requireList('select: condlist', condlist).map((_, i) =>
        asTensor(condlist[i]!, 'select: condlist'),
      )
      const choices = requireList('select: choicelist', choicelist).map((_, i) => choicelist[i]!)
      if (conditions.length === 0 || conditions.length !== choices.length)
        throw new ArgumentError(
          `select: expected one choice for each of at least one condition, received ${conditions.length} conditions and ${choices.length} choices`,
        )
      return conditions
        .slice(0, -1)
        .reduceRight(
          (others, condition, i) => elementwise.where(condition, choices[i]!, others),
          elementwise.where(conditions.at(-1)!, choices.at(-1)!, default_ ?? 0),
        )
    },
  },
)

export interface WhereOptions {
  /** The elements where the condition is true. */
  readonly x1: TensorLike
  /** The elements where the condition is false. */
  readonly x2: TensorLike
}

/** The signatures of `where`. */
interface Where {
  /** condition ? x1 : x2, element by element; without x1 and x2 the positions where the condition is true, as `nonzero`. */
  (condition: TensorLike): Tensor[]
  (condition: TensorLike, x1: TensorLike, x2: TensorLike): Tensor
  (condition: TensorLike, choices: WhereOptions): Tensor
  (condition: TensorLike, x1: null | undefined, x2?: null): Tensor[]
}

export const where = opOf<Where>(
  () => [arg('condition', operand), optional('x1', operandOrNull), optional('x2', operandOrNull)],
  {
    where(condition: TensorLike, x1: TensorLike | null = null, x2: TensorLike | null = null): Tensor | Tensor[] {
      if (x1 === null && x2 === null) return nonzero(condition)
      if (x1 === null || x2 === null)
        throw new ArgumentError('where: give both x1 and x2, or neither: the positions where the condition is true')
      return elementwise.where(condition, x1, x2)
    },
  },
)

/**
 * The positions of the elements that are not 0, in row-major order: one int32 vector for each axis. The length of the
 * result depends on data, so x cannot be a symbol.
 * @throws StateError in a traced function; ShapeError for a scalar
 * @example ops.nonzero([[1, 0], [0, 2]])   // rows [0, 1], columns [0, 1]
 */
export const nonzero = unaryOp('nonzero', (x): Tensor[] => {
  const value = asTensor(x, 'nonzero')
  if (Tensor.symbolOf(value) !== null)
    throw new StateError(
      'nonzero: the shape of the result depends on data, which a traced function does not have. Use where or multiply by a mask instead',
    )
  if (value.rank === 0) throw new ShapeError('nonzero: expected at least one axis, received a scalar')
  const { data } = value
  // All elements have 32 bits, and the bits of 0 and −0 are 0 without the sign. The loop has no branch, which halves its time for data in
  // random order.
  const bits = new Int32Array(data.buffer, data.byteOffset, data.length)
  const sign = value.dtype === 'float32' ? 1 : 0
  const places = new Int32Array(bits.length)
  let count = 0
  for (let i = 0; i < bits.length; i++) {
    const bit = bits[i]! << sign
    places[count] = i
    count += (bit | -bit) >>> 31
  }
  const flat = new Tensor(places.slice(0, count), [count], 'int32')
  return value.rank === 1 ? [flat] : unravelIndex(flat, value.shape)
})

export const unravelIndex = op(() => [arg('indices', operand), arg('shape', unchecked<number | Shape>())], {
  /**
   * The position of each flat index, in row-major order, in a tensor of a shape: one int32 tensor for each axis. Negative indices
   * count from the end; those outside are clipped to the first or the last element.
   * @example ops.unravelIndex([5, 2], [2, 4])   // [1, 0] and [1, 2]
   */
  unravelIndex(indices, shape): Tensor[] {
    const extents = requireShape('unravelIndex', typeof shape === 'number' ? [shape] : shape)
    const size = sizeOf(extents)
    const places = cast(asTensor(indices, 'unravelIndex'), 'int32')
    if (size === 0 && places.size > 0)
      throw new ShapeError(`unravelIndex: a tensor of shape ${formatShape(extents)} has no elements`)
    return [
      ...together(`unravelIndex ${extents.join()}`, [places], ([index]) => {
        const inside = clip(index!, -size, size - 1)
        let rest = elementwise.where(less(inside, 0), add(inside, size), inside)
        const positions = extents.map(() => rest)
        for (let axis = extents.length - 1; axis >= 0; axis--) {
          positions[axis] = mod(rest, extents[axis]!)
          rest = floorDivide(rest, extents[axis]!)
        }
        return positions
      }),
    ]
  },
})
