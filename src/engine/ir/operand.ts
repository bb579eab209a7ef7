// The locations of values before addresses are known, for any device.

import type { TensorType } from '../../core/shapes'

/** A block of bytes that the planner places. */
export interface Buffer {
  readonly id: number
  readonly byteLength: number
}

/** A position inside a buffer. */
export interface Address {
  readonly buffer: Buffer
  /** In bytes. */
  readonly offset: number
}

/** A value's memory for a kernel: the position of element 0 and the strides of the others. */
export interface Operand extends TensorType {
  readonly address: Address
  /** In elements. */
  readonly strides: readonly number[]
}

/** The position so many bytes further in the same buffer. */
export function offsetBy({ buffer, offset }: Address, bytes: number): Address {
  return { buffer, offset: offset + bytes }
}
