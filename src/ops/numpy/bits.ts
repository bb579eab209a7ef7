// Operations on the bits of int32, element by element. They are chains of steps that every bundle has: the conjunction
// and disjunction of whole words, sums, products and quotients.

import { commonType } from '../../core/dtypes'
import { ArgumentError } from '../../core/errors'
import type { TensorLike } from '../convert'
import { asTensor, toTensor } from '../convert'
import { Tensor } from '../tensor'
import { apply } from '../trace'
import { takeAlong } from './along'
import {
  cast,
  clip,
  floorDivide,
  less,
  lessEqual,
  logicalAnd,
  logicalNot,
  minimum,
  multiply,
  notEqual,
  subtract,
  where,
} from './elementwise'

/**
 * An operand as int32 or bool. Numbers and arrays of numbers are int32.
 * @throws ArgumentError for float32, and for a number that is no 32-bit integer
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

/**
 * The bits that are set in a and in b, of int32. Two bool give bool.
 * @throws ArgumentError for float32
 * @example ops.bitwiseAnd(12, 10)   // 8
 */
export const bitwiseAnd = (a: TensorLike, b: TensorLike): Tensor => both(...pair('bitwiseAnd', a, b))

/**
 * The bits that are set in a or in b, of int32. Two bool give bool.
 * @throws ArgumentError for float32
 * @example ops.bitwiseOr(12, 10)   // 14
 */
export const bitwiseOr = (a: TensorLike, b: TensorLike): Tensor => either(...pair('bitwiseOr', a, b))

/**
 * The bits that are set in exactly one of a and b, of int32. Two bool give bool.
 * @throws ArgumentError for float32
 * @example ops.bitwiseXor(12, 10)   // 6
 */
export function bitwiseXor(a: TensorLike, b: TensorLike): Tensor {
  const [left, right] = pair('bitwiseXor', a, b)
  return left.dtype === 'bool' ? notEqual(left, right) : subtract(either(left, right), both(left, right))
}

/**
 * All bits of int32 inverted: −1 − x. A bool is negated.
 * @throws ArgumentError for float32
 * @example ops.bitwiseNot(5)   // -6
 */
export function bitwiseNot(x: TensorLike): Tensor {
  const value = asIntegers(x, 'bitwiseNot')
  return value.dtype === 'bool' ? logicalNot(value) : subtract(-1, value)
}

/** The number of bits of an int32. */
const BITS = 32
/** 2ⁱ as int32, and 0 after the last bit. */
const powers = (): Tensor =>
  new Tensor(
    Int32Array.from({ length: BITS + 1 }, (_, i) => (i < BITS ? 1 << i : 0)),
    [BITS + 1],
    'int32',
  )

const integers = (x: TensorLike, name: string): Tensor => cast(asIntegers(x, name), 'int32')

/**
 * a · 2ᵇ, of int32: the bits of a move up by b places, and those that leave are lost. 0 unless 0 ≤ b < 32. bool counts as 0
 * and 1.
 * @throws ArgumentError for float32
 * @example ops.leftShift(3, 2)   // 12
 */
export function leftShift(a: TensorLike, b: TensorLike): Tensor {
  const [value, places] = [integers(a, 'leftShift'), integers(b, 'leftShift')]
  if (typeof b === 'number') return multiply(value, b >= 0 && b < BITS ? 1 << b : 0)
  return multiply(value, takeAlong(powers(), where(less(places, 0), BITS, minimum(places, BITS)), 0))
}

/**
 * ⌊a / 2ᵇ⌋, of int32: the bits of a move down by b places, and the sign fills the places above. 0 or −1, by the sign of a,
 * unless 0 ≤ b < 32. bool counts as 0 and 1.
 * @throws ArgumentError for float32
 * @example ops.rightShift(-8, 1)   // -4
 */
export function rightShift(a: TensorLike, b: TensorLike): Tensor {
  const [value, places] = [integers(a, 'rightShift'), integers(b, 'rightShift')]
  // 2³¹ is no int32.
  const most = BITS - 2
  const sign = clip(value, -1, 0)
  if (typeof b === 'number') return b >= 0 && b <= most ? floorDivide(value, 1 << b) : sign
  const isInside = logicalAnd(lessEqual(0, places), lessEqual(places, most))
  return where(isInside, floorDivide(value, takeAlong(powers(), clip(places, 0, most), 0)), sign)
}
