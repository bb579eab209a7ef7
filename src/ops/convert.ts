// Converts what ops take to tensors: variables, and data as data.ts does.

import { requireArguments } from '../core/arguments'
import type { DType } from '../core/dtypes'
import { MAX_DATA_ELEMENTS, type Shape } from '../core/shapes'
import { isBranch } from '../core/tree'
import { requireNumber, requireShape } from './arguments'
import { fromData, fromTyped, isShaped, isTypedArray, requireCount, requireDTypeOf } from './data'
import type { ArgumentKind } from './kinds'
import { Tensor, type NestedArray, type TypedArray } from './tensor'
import { apply } from './trace'
import { Variable, type TensorLike } from './variable'

export { storeNumbers } from './data'
export type { ShapedData, TypedArray } from './tensor'
export type { TensorLike } from './variable'

/**
 * The argument type for a tree of tensors: at each leaf anything that converts to a tensor. A list cannot hold
 * plain numbers, because a list of numbers is one tensor. Types that accept data already stay unchanged.
 */
export type InputsOf<In> = Variable extends In ? In : InputsWithin<In>
type InputsWithin<In> = In extends Tensor
  ? TensorLike
  : In extends null | undefined
    ? In
    : In extends readonly unknown[]
      ? { readonly [Key in keyof In]: Exclude<InputsOf<In[Key]>, NestedArray> }
      : In extends object
        ? { readonly [Key in keyof In]: InputsOf<In[Key]> }
        : never

/** The result type for such a tree: a Tensor at each leaf. */
export type TensorsOf<In> = Variable extends In ? Tensor : TensorsWithin<In>
type TensorsWithin<In> = In extends Tensor | null | undefined ? In : { [Key in keyof In]: TensorsOf<In[Key]> }

/**
 * Creates a tensor.
 * @param values a number, nested arrays, or a typed array
 * @param shape of the result; that of the values when omitted
 * @param dtype default float32, bool for booleans, int32 for Int32Array
 * @throws DataError for ragged arrays and values that are not numbers; ShapeError when the sizes differ
 */
export function tensor(values: TensorLike, shape?: Shape, dtype?: DType): Tensor {
  requireArguments('tensor', arguments, 3)
  if (shape === undefined) return toTensor(values, 'tensor', dtype)
  const extents = requireShape('tensor', shape, MAX_DATA_ELEMENTS)
  // Frequent, so without another tensor between.
  if (isTypedArray(values)) {
    requireCount('tensor', values, extents)
    return fromTyped(values, extents, 'tensor', requireDTypeOf('tensor', dtype))
  }
  const { data, dtype: natural } = toTensor(values, 'tensor', dtype)
  requireCount('tensor', data, extents)
  return new Tensor(data, extents, natural)
}

/**
 * Converts any TensorLike to a tensor. Returns tensors unchanged.
 * @param where names the argument in errors
 */
export function toTensor(values: TensorLike, where: string, dtype?: DType): Tensor {
  return readTensor(values, where, dtype)
}

/** The same for a value whose type is not known. @throws DataError for what is not a TensorLike */
export function readTensor(value: unknown, where: string, dtype?: DType): Tensor {
  return fromData(value instanceof Variable ? value.value : value, where, dtype)
}

/** A number or a list of numbers, also as a tensor. */
export type Numbers = number | readonly number[] | TypedArray | Tensor | Variable

/**
 * Numbers that an op reads while it is called: a number or a list unchanged, a tensor as one of both; others unchanged, for the
 * error of who reads them.
 * @throws StateError for a symbol, which has no numbers
 */
export function numbersOf(x: unknown): unknown {
  if (!(x instanceof Tensor || x instanceof Variable || isTypedArray(x))) return x
  const { data, rank } = toTensor(x as TensorLike, 'numbers')
  return rank === 0 ? data[0] : rank === 1 ? Array.from<number>(data) : x
}

/** Converts any TensorLike to a tensor. Inside a trace, a variable becomes the symbol of its content. */
export function asTensor(x: TensorLike, where: string): Tensor {
  return toTensor(x, where)
}

/** Like `asTensor`, for an operand that may be null or undefined. */
export function tensorOrNothing(x: TensorLike | null | undefined, where: string): Tensor | undefined {
  return x == null ? undefined : asTensor(x, where)
}

/** A number, or a scalar tensor, whose dtype takes part in that of the result: a float32 of 1 makes float32 of int32. */
export const scalar: ArgumentKind<number | Tensor> = {
  holds: 'operand',
  read: (value, what) => (value instanceof Tensor && value.rank === 0 ? value : requireNumber(what, value)),
}

/** Converts any TensorLike to a tensor for arithmetic: bool becomes int32. */
export function asNumbers(x: TensorLike, where: string): Tensor {
  const value = asTensor(x, where)
  return value.dtype === 'bool' ? apply('cast', [value], { dtype: 'int32' })[0]! : value
}

/**
 * Whether data are a tree of tensors rather than a single one: rows of numbers are one tensor, a list of tensors is
 * several.
 */
export function branchesIntoTensors(value: unknown, depth = 0): boolean {
  // A list that contains itself has no end.
  if (!isBranch(value) || depth > 100) return false
  if (Array.isArray(value))
    return value.length > 0 && value.every((each) => isTensorLikeObject(each) || branchesIntoTensors(each, depth + 1))
  return !isShaped(value)
}

/** Whether a value is a tensor, also as a typed array or in the form { data, shape }. */
export function isTensorLikeObject(value: unknown): boolean {
  if (value instanceof Tensor || value instanceof Variable || ArrayBuffer.isView(value)) return true
  return isBranch(value) && !Array.isArray(value) && isShaped(value)
}
