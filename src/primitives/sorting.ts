// Sorting and searching in NumPy's order: 0 and −0 are equal, NaN comes last, sorts are stable. Sorted values
// are gathered by indices, so they need no gradient rules of their own.

import { SORT_BYTES, SORT_FIXED, Search, Sort } from '../../assembly/shared/instructions'
import { Opcode } from '../../assembly/shared/opcodes'
import { ArgumentError, ShapeError, formatShape } from '../core/errors'
import type { TensorType } from '../core/shapes'
import { sizeOf, splitAround } from '../core/shapes'
import { instruction } from '../ir/instruction'
import { elementsOf } from './flops'
import { KernelRoutine, required } from './routine'
import type { CostContext, RefContext } from './rule'
import type { LowerContext } from '../ir/instruction'

/** < 0 where a comes before b. */
function compare(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
  return a < b ? -1 : Number(a > b)
}

/** x → int32 of the same shape: the indices along an axis that sort x, ascending or descending. */
export class ArgSort extends KernelRoutine {
  readonly name = 'argsort'

  constructor(
    readonly axis: number,
    readonly descending = false,
  ) {
    super()
  }

  override infer([x]: readonly TensorType[]): readonly TensorType[] {
    return [{ shape: x!.shape, dtype: 'int32' }]
  }

  override lower({ inputs: [x], outputs: [out], temporary, emit }: LowerContext<unknown>): void {
    if (sizeOf(x!.shape) === 0) return
    emit(
      instruction(Opcode.Sort, Sort, {
        out: out!.address,
        input: x!.address,
        ...splitAround(x!.shape, this.axis),
        descending: Number(this.descending),
        isInteger: Number(x!.dtype !== 'float32'),
        temporary: required(temporary),
      }),
    )
  }

  override temporaryBytes([x]: readonly TensorType[]): number {
    return SORT_FIXED + SORT_BYTES * x!.shape[this.axis]!
  }

  // One comparison per element and bit of the axis's extent.
  override flops({ inputs: [x] }: CostContext<unknown>): number {
    return elementsOf([x!]) * Math.ceil(Math.log2(Math.max(2, x!.shape[this.axis]!)))
  }

  override reference({ inputs: [x], outputs: [out], inputTypes: [type] }: RefContext<unknown>): void {
    const { outer, axis, inner } = splitAround(type!.shape, this.axis)
    const sign = this.descending ? -1 : 1
    for (let i = 0; i < outer; i++) {
      for (let j = 0; j < inner; j++) {
        const at = (index: number): number => (i * axis + index) * inner + j
        const order = Array.from({ length: axis }, (_, index) => index).sort(
          (a, b) => sign * compare(x![at(a)]!, x![at(b)]!) || a - b,
        )
        order.forEach((index, place) => (out![at(place)] = index))
      }
    }
  }
}

/**
 * sorted [n], values [any] → int32 [any]: the number of sorted elements below each value; below or equal if
 * `right`.
 */
export class SearchSorted extends KernelRoutine {
  readonly name = 'searchsorted'

  constructor(readonly isRight: boolean) {
    super()
  }

  override infer([sorted, values]: readonly TensorType[]): readonly TensorType[] {
    if (sorted!.shape.length !== 1)
      throw new ShapeError(`${this.name}: the sorted sequence must be a vector, received ${formatShape(sorted!.shape)}`)
    if (sorted!.dtype !== values!.dtype)
      throw new ArgumentError(
        `${this.name}: both operands must have the same dtype, received ${sorted!.dtype} and ${values!.dtype}`,
      )
    return [{ shape: values!.shape, dtype: 'int32' }]
  }

  override lower({ inputs: [sorted, values], outputs: [out], emit }: LowerContext<unknown>): void {
    emit(
      instruction(Opcode.Search, Search, {
        out: out!.address,
        sorted: sorted!.address,
        values: values!.address,
        length: sizeOf(sorted!.shape),
        count: sizeOf(values!.shape),
        isRight: Number(this.isRight),
        isInteger: Number(values!.dtype !== 'float32'),
      }),
    )
  }

  override flops({ inputs: [sorted, values] }: CostContext<unknown>): number {
    return elementsOf([values!]) * Math.ceil(Math.log2(2 + elementsOf([sorted!])))
  }

  override reference({ inputs: [sorted, values], outputs: [out] }: RefContext<unknown>): void {
    values!.forEach((value, i) => {
      out![i] = Array.from(sorted!).filter((each) => compare(each, value) < Number(this.isRight)).length
    })
  }
}
