// Data of the programs: numbers that drawn.py makes as well.

import { ops, tensor, type Tensor } from '../../../src'

/** The generator of Park and Miller: state ← 16807 · state mod 2³¹ − 1. */
export class Numbers {
  constructor(private state: number) {}

  next(): number {
    this.state = (this.state * 16807) % 2147483647
    return this.state / 2147483647
  }

  /** Numbers between −1 and 1. */
  uniform(...shape: number[]): Tensor {
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => 2 * this.next() - 1)
    return tensor({ data, shape })
  }

  integers(below: number, ...shape: number[]): Tensor {
    const data = Int32Array.from({ length: shape.reduce((a, b) => a * b) }, () => Math.floor(this.next() * below))
    return tensor({ data, shape })
  }
}

/** Rows `first` to `last` − 1. */
export const rows = (x: Tensor, first: number, last = x.shape[0]!): Tensor =>
  ops.take(x, ops.arange(first, last, 1, 'int32'), 0)
