// Where values lie before addresses are known, on whatever device.

import type { TensorType } from '../core/shapes'

/** A block of bytes that the planner gives a place. */
export interface Buffer {
  readonly id: number
  readonly byteLength: number
}

/** A place inside a buffer. */
export interface Address {
  readonly buffer: Buffer
  /** In bytes. */
  readonly offset: number
}

/** A value as a kernel sees it: where its element 0 lies, and how the others follow. */
export interface Operand extends TensorType {
  readonly address: Address
  /** In elements. */
  readonly strides: readonly number[]
}
