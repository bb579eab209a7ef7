// The values of a graph while it is traced: constants on the heap, from which shapes can be computed, and tensors of the
// trace. A tensor may have its axes in another order than the file says. Files have channels before the spatial axes, and
// kernels need them last, so convolutions return channels-last tensors, and elementwise operators keep the order. A
// transposition in the file only changes the order. Axes move only where an operator needs another order.

import { storeData } from '../../core/dtypes'
import { sizeOf } from '../../core/shapes'
import { reshape, transpose } from '../../ops/numpy/shape'
import { Tensor } from '../../ops/tensor'
import { strided, stridesOf } from './host'
import type { HostTensor } from './tensors'
import { types, type ElementType } from './types'

/** Axis i of the tensor is axis order[i] of the value. */
export type Order = readonly number[]

/** The order of the file. */
export const inOrder = (rank: number): Order => Array.from({ length: rank }, (_, i) => i)

/** [batch, …spatial axes, channels] */
export const channelsLast = (rank: number): Order => [0, ...inOrder(rank).slice(2), 1]

/** [… window, channels, filters] of [filters, channels, … window] */
export const kernelLast = (rank: number): Order => [...inOrder(rank).slice(2), 1, 0]

export const sameOrder = (a: Order, b: Order): boolean => a.every((axis, i) => axis === b[i])

export class Value {
  /** Constants in the orders that were needed. */
  private readonly arranged = new Map<string, Tensor>()

  private constructor(
    readonly type: ElementType,
    /** The extents in the order of the file. */
    readonly shape: readonly number[],
    /** The elements, if they are known while the graph is traced. */
    readonly host: HostTensor | null,
    readonly order: Order,
    private readonly tensor: Tensor | null,
  ) {}

  static known(host: HostTensor): Value {
    return new Value(host.type, host.shape, host, inOrder(host.shape.length), null)
  }

  /** Integers that are known. */
  static integers(data: readonly number[], shape: readonly number[] = [data.length]): Value {
    return Value.known({ type: 'int64', shape, data: Float64Array.from(data) })
  }

  /** @param order of the tensor's axes; that of the file if omitted */
  static of(tensor: Tensor, type: ElementType, order: Order = inOrder(tensor.rank)): Value {
    const shape: number[] = []
    order.forEach((axis, i) => (shape[axis] = tensor.shape[i]!))
    return new Value(type, shape, null, order, tensor)
  }

  get rank(): number {
    return this.shape.length
  }

  get size(): number {
    return sizeOf(this.shape)
  }

  get isFloat(): boolean {
    return types[this.type].isFloat
  }

  /** The tensor with the axes of the file. */
  get plain(): Tensor {
    return this.in(inOrder(this.rank))
  }

  /** [batch, …spatial axes, channels] */
  get last(): Tensor {
    return this.in(channelsLast(this.rank))
  }

  /** The tensor with its axes in an order. Constants are arranged on the heap. */
  in(order: Order): Tensor {
    const { host, tensor } = this
    // Not kept: a tensor that a branch arranges exists only there.
    if (tensor !== null) return this.moved(tensor, order)
    const key = String(order)
    let found = this.arranged.get(key)
    if (found === undefined) this.arranged.set(key, (found = constantOf(host!, order)))
    return found
  }

  private moved(tensor: Tensor, order: Order): Tensor {
    // If only axes of extent 1 change places, the elements do not.
    const long = (axes: Order): Order => axes.filter((axis) => this.shape[axis] !== 1)
    if (sameOrder(long(order), long(this.order)))
      return reshape(
        tensor,
        order.map((axis) => this.shape[axis]!),
      )
    return transpose(
      tensor,
      order.map((axis) => this.order.indexOf(axis)),
    )
  }

  /** The same value with its axes exchanged: axis i of the result is axis permutation[i] of this. */
  transposed(permutation: Order): Value {
    const shape = permutation.map((axis) => this.shape[axis]!)
    if (this.host !== null) {
      const strides = stridesOf(this.shape)
      return Value.known(
        strided(
          this.host,
          shape,
          permutation.map((axis) => strides[axis]!),
        ),
      )
    }
    const order = this.order.map((axis) => permutation.indexOf(axis))
    return Value.of(this.tensor!, this.type, order)
  }

  /** The tensor in its present order. */
  get asIs(): Tensor {
    return this.in(this.order)
  }

  /** The same value with extents of 1 before its axes. */
  ofRank(rank: number): Value {
    const more = rank - this.rank
    if (more <= 0) return this
    const shape = [...new Array<number>(more).fill(1), ...this.shape]
    if (this.host !== null) return Value.known({ ...this.host, shape })
    const order = [...inOrder(more), ...this.order.map((axis) => axis + more)]
    return Value.of(
      reshape(
        this.asIs,
        order.map((axis) => shape[axis]!),
      ),
      this.type,
      order,
    )
  }
}

function constantOf(host: HostTensor, order: Order): Tensor {
  const strides = stridesOf(host.shape)
  const shape = order.map((axis) => host.shape[axis]!)
  const { data } = sameOrder(order, inOrder(order.length))
    ? host
    : strided(
        host,
        shape,
        order.map((axis) => strides[axis]!),
      )
  const { dtype } = types[host.type]
  // Files write the largest int64 for `to the end`; it becomes the largest int32.
  const isWide = dtype === 'int32' && types[host.type].bytes > 2
  const fitting = isWide ? Float64Array.from(data, (x) => Math.min(Math.max(x, -(2 ** 31)), 2 ** 31 - 1)) : data
  return new Tensor(storeData(dtype, fitting), shape, dtype)
}
