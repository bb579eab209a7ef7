// Operations on the bits of int32, element by element. Some are composed of steps that every bundle contains, the others have a kernel.

import { operand } from '../kinds'
import { arg, op, unaryOp } from '../op'
import { commonType } from '../../core/dtypes'
import { ArgumentError } from '../../core/errors'
import { asTensor, toTensor, type TensorLike } from '../convert'
import type { Tensor } from '../tensor'
import { apply, joined } from '../trace'
import { BitOperation } from '../../engine/primitives/bits'
import { broadcastShapes } from '../../core/shapes'
import { needAlgebra } from '../families'
import { broadcastTo } from './shape'
import { cast, clip, floorDivide, logicalNot, multiply, notEqual, subtract } from './elementwise'

/**
 * An operand as int32 or bool. Numbers and arrays of numbers are int32.
 * @throws ArgumentError for float32, and for a number that is not a 32-bit integer
 */
export function asIntegers(x: TensorLike, name: string): Tensor {
  const value = asTensor(x, name)
  if (value.dtype === 'int32' || value.dtype === 'bool') return value
  if (typeof x !== 'number' && !Array.isArray(x))
    throw new ArgumentError(`${name}: expected int32 or bool, received ${value.dtype}. Convert it with ops.cast`)
  // The tensor holds numbers rounded to float32.
  const wrong = [x].flat(Infinity).find((each) => Number(each) !== (Number(each) | 0))
  if (wrong !== undefined) throw new ArgumentError(`${name}: expected 32-bit integers, received ${String(wrong)}`)
  return toTensor(x, name, 'int32')
}

/** Two operands of one dtype: bool if both are, else int32. */
function pair(name: string, a: TensorLike, b: TensorLike): [Tensor, Tensor] {
  const [left, right] = [asIntegers(a, name), asIntegers(b, name)]
  const dtype = commonType([left.dtype, right.dtype])
  return [cast(left, dtype), cast(right, dtype)]
}

const both = (a: Tensor, b: Tensor): Tensor => apply('logicalAnd', [a, b], {})[0]!
const either = (a: Tensor, b: Tensor): Tensor => apply('logicalOr', [a, b], {})[0]!

/** An operation of the kernel of bits on two int32, which broadcast. */
function elementwise(kind: 'xor' | 'shiftLeft' | 'shiftRight', a: Tensor, b: Tensor): Tensor {
  needAlgebra()
  const shape = broadcastShapes(kind, [a.shape, b.shape])
  return joined(kind, [a, b], ([x, y]) => {
    const operands = [broadcastTo(x!, shape), broadcastTo(y!, shape)]
    return apply('routine', operands, { routine: new BitOperation(kind) })[0]!
  })
}

const ofTwo = () => [arg('x', operand), arg('y', operand)] as const

export const bitwiseAnd = op(ofTwo, {
  /**
   * The bits that are set in x and in y, of int32. Two bool give bool.
   * @throws ArgumentError for float32
   * @example ops.bitwiseAnd(12, 10)   // 8
   */
  bitwiseAnd(x, y): Tensor {
    return both(...pair('bitwiseAnd', x, y))
  },
})

export const bitwiseOr = op(ofTwo, {
  /**
   * The bits that are set in x or in y, of int32. Two bool give bool.
   * @throws ArgumentError for float32
   * @example ops.bitwiseOr(12, 10)   // 14
   */
  bitwiseOr(x, y): Tensor {
    return either(...pair('bitwiseOr', x, y))
  },
})

export const bitwiseXor = op(ofTwo, {
  /**
   * The bits that are set in exactly one of x and y, of int32. Two bool give bool.
   * @throws ArgumentError for float32
   * @example ops.bitwiseXor(12, 10)   // 6
   */
  bitwiseXor(x, y): Tensor {
    const [left, right] = pair('bitwiseXor', x, y)
    if (left.dtype === 'bool') return notEqual(left, right)
    return elementwise('xor', left, right)
  },
})

/**
 * All bits of int32 inverted: −1 − x. A bool is negated.
 * @throws ArgumentError for float32
 * @example ops.bitwiseNot(5)   // -6
 */
export const bitwiseNot = unaryOp('bitwiseNot', (x) => {
  const value = asIntegers(x, 'bitwiseNot')
  return value.dtype === 'bool' ? logicalNot(value) : subtract(-1, value)
})

/** The number of bits of an int32. */
const BITS = 32
const integers = (x: TensorLike, name: string): Tensor => cast(asIntegers(x, name), 'int32')

export const leftShift = op(ofTwo, {
  /**
   * x · 2ʸ, of int32: the bits of x move up by y places, and those that leave are lost. 0 unless 0 ≤ y < 32. bool counts as 0
   * and 1.
   * @throws ArgumentError for float32
   * @example ops.leftShift(3, 2)   // 12
   */
  leftShift(x, y): Tensor {
    const [value, places] = [integers(x, 'leftShift'), integers(y, 'leftShift')]
    if (typeof y === 'number') return multiply(value, y >= 0 && y < BITS ? 1 << y : 0)
    return elementwise('shiftLeft', value, places)
  },
})

export const rightShift = op(ofTwo, {
  /**
   * ⌊x / 2ʸ⌋, of int32: the bits of x move down by y places, and the sign fills the places above. 0 or −1, by the sign of x,
   * unless 0 ≤ y < 32. bool counts as 0 and 1.
   * @throws ArgumentError for float32
   * @example ops.rightShift(-8, 1)   // -4
   */
  rightShift(x, y): Tensor {
    const [value, places] = [integers(x, 'rightShift'), integers(y, 'rightShift')]
    // 2³¹ is not an int32.
    const most = BITS - 2
    if (typeof y === 'number') return y >= 0 && y <= most ? floorDivide(value, 1 << y) : clip(value, -1, 0)
    return elementwise('shiftRight', value, places)
  },
})
