// The type of a tensor before it exists: its dtype, and its shape with open extents.

import type { DType } from './dtypes'
import { ArgumentError, formatShape, quoted } from './errors'

/** A shape in which null is an open extent: [null, 8] is any number of rows with 8 elements. */
export type BatchShape = readonly (number | null)[]

/** The type of a tensor, possibly with open extents. */
export class TensorSpec {
  /** The extent of each axis, null for an open one; frozen. */
  readonly shape: BatchShape

  /** @throws ArgumentError if the shape is no list */
  constructor(
    shape: BatchShape,
    readonly dtype: DType = 'float32',
    readonly name?: string,
    /** Whether values may be missing: NaN, or an empty string. */
    readonly optional?: boolean,
  ) {
    if (!Array.isArray(shape)) throw new ArgumentError(`TensorSpec: shape must be a list, received ${quoted(shape)}`)
    this.shape = Object.isFrozen(shape) ? shape : Object.freeze([...shape])
  }

  toString(): string {
    return `${this.dtype} ${formatShape(this.shape)}`
  }
}
