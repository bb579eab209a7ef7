// Sorting and searching in NumPy's order: 0 and −0 are equal, NaN comes last, sorts are stable.

import { SORT_BYTES, SORT_FIXED, Search, Sort } from '../../../assembly/shared/instructions'
import { Opcode } from '../../../assembly/shared/opcodes'
import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import { sizeOf, splitAround, type TensorType } from '../../core/shapes'
import { instruction, type LowerContext } from '../ir/instruction'
import { elementsOf } from './flops'
import { KernelRoutine, required } from './routine'
import type { CostContext, RefContext, VjpContext } from './rule'
import type { Value } from '../ir/graph'

/** < 0 where a comes before b. */
function compare(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
  return a < b ? -1 : Number(a > b)
}

/** The kernel Sort: the sorted elements along an axis, or their indices. */
export abstract class Sorting extends KernelRoutine {
  readonly axis: number = -1
  /** Whether the result has the elements in place of the indices. */
  abstract readonly isValues: boolean
  readonly descending: boolean = false
  /** How many of the sorted positions the result has; null for all. */
  readonly count: number | null = null

  override infer([x]: readonly TensorType[]): readonly TensorType[] {
    const { shape, dtype } = x!
    return [
      {
        shape: this.count === null ? shape : shape.map((extent, i) => (i === this.axis ? this.count! : extent)),
        dtype: this.isValues ? dtype : 'int32',
      },
    ]
  }

  override lower({ inputs: [x], outputs: [out], temporary, emit }: LowerContext<unknown>): void {
    if (sizeOf(out!.shape) === 0) return
    const { isValues, descending } = this
    emit(
      instruction(Opcode.Sort, Sort, {
        out: out!.address,
        input: x!.address,
        ...splitAround(x!.shape, this.axis),
        count: out!.shape[this.axis]!,
        descending: Number(descending),
        isInteger: Number(x!.dtype !== 'float32'),
        isValues: Number(isValues),
        temporary: required(temporary),
      }),
    )
  }

  override keepsAxis(_inputs: readonly TensorType[], _operand: number, axis: number): boolean {
    return axis !== this.axis
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
    const count = this.count ?? axis
    const sign = this.descending ? -1 : 1
    for (let i = 0; i < outer; i++) {
      for (let j = 0; j < inner; j++) {
        const at = (index: number): number => (i * axis + index) * inner + j
        const order = Array.from({ length: axis }, (_, index) => index).sort(
          (a, b) => sign * compare(x![at(a)]!, x![at(b)]!) || a - b,
        )
        order.slice(0, count).forEach((index, place) => {
          out![(i * count + place) * inner + j] = this.isValues ? x![at(index)]! : index
        })
      }
    }
  }
}

/**
 * x → int32: the indices along an axis that sort x, ascending or descending; the first `count` of them, unless it is null.
 */
export class ArgSort extends Sorting {
  readonly name = 'argsort'
  readonly isValues = false

  constructor(
    override readonly axis: number,
    override readonly descending = false,
    override readonly count: number | null = null,
  ) {
    super()
  }

  override lifted(): ArgSort {
    return new ArgSort(this.axis + 1, this.descending, this.count)
  }
}

/** x → the elements in ascending order along an axis. */
export class SortedValues extends Sorting {
  readonly name = 'sort'
  readonly isValues = true

  constructor(override readonly axis: number) {
    super()
  }

  override lifted(): SortedValues {
    return new SortedValues(this.axis + 1)
  }

  // dx[order[i]] = dy[i]
  override vjp({ e, inputs: [x], cotangents: [dy] }: VjpContext<unknown>): readonly (Value | null)[] {
    const { shape } = x!
    const size = sizeOf(shape)
    if (size === 0) return [dy!]
    const [order] = e.routine(new ArgSort(this.axis), [x!])
    let [places, stride] = [e.multiply(order!, e.scalar(sizeOf(shape.slice(this.axis + 1)), 'int32')), 1]
    for (let i = shape.length - 1; i >= 0; i--) {
      const extent = shape[i]!
      if (i !== this.axis && extent > 1) {
        const starts = Int32Array.from({ length: extent }, (_, index) => index * stride)
        places = e.add(
          places,
          e.constant(
            starts,
            shape.map((_, j) => (j === i ? extent : 1)),
            'int32',
          ),
        )
      }
      stride *= extent
    }
    return [e.reshape(e.scatterAdd(e.reshape(dy!, [size]), e.reshape(places, [size]), 0, size), shape)]
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

  override keepsAxis(_inputs: readonly TensorType[], operand: number): boolean {
    return operand === 1
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
