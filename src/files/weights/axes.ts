// Orders of axes and of blocks.

import type { TensorData } from '../../core/dtypes'
import type { Shape } from '../../core/shapes'

/** The positions of 0, 1, … in an order. */
export function inverseOf(order: readonly number[]): number[] {
  return order.map((_, i) => order.indexOf(i))
}

/** The elements with their axes in another order: axis i of the result is axis `axes[i]` of `shape`. */
export function permuted(data: TensorData, shape: Shape, axes: readonly number[]): TensorData {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, extent) => product * extent, 1))
  const made = data.slice()
  const index = new Array<number>(axes.length).fill(0)
  for (let i = 0, from = 0; i < made.length; i++) {
    made[i] = data[from]!
    for (let axis = axes.length - 1; axis >= 0; axis--) {
      const source = axes[axis]!
      index[axis]!++
      from += strides[source]!
      if (index[axis]! < shape[source]!) break
      from -= index[axis]! * strides[source]!
      index[axis] = 0
    }
  }
  return made
}

/** Equal blocks in another order: block i is block `order[i]`. */
export function blocksOf(data: TensorData, order: readonly number[]): TensorData {
  const made = data.slice()
  const size = data.length / order.length
  order.forEach((block, i) => made.set(data.subarray(block * size, (block + 1) * size), i * size))
  return made
}
