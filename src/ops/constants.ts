// The kind of an option that holds constant numbers.

import { hasNonFinite } from '../core/dtypes'
import { ArgumentError, quoted } from '../core/errors'
import { custom, type Kind } from '../core/options'
import type { Json } from '../core/registry'
import { toTensor, type TensorLike } from './convert'
import type { NestedArray } from './tensor'

/** One number, nested lists of numbers, or a tensor; the value is a number or nested lists. */
export const constants: Kind<NestedArray, TensorLike> = /* @__PURE__ */ custom<NestedArray, TensorLike>(
  (value, where) => {
    if (typeof value === 'number' && Number.isFinite(Math.fround(value))) return value
    const tensor = typeof value === 'object' && value !== null ? toTensor(value, where) : null
    if (tensor === null || tensor.size === 0 || hasNonFinite(tensor.data))
      throw new ArgumentError(
        `${where} must be a finite number or nested lists of finite numbers, received ${quoted(value)}`,
      )
    return Array.isArray(value) && !value.some(ArrayBuffer.isView) ? (value as NestedArray) : tensor.toArray()
  },
  (value) => value as Json,
)
