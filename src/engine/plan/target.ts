// What the planner needs to know about a device. The plan contains kernels, their order, and the locations of
// values; the device turns kernels into code. The tape is one such device: see src/engine/tape.

import type { PrimitiveAttributes, PrimitiveName } from '../ir/attributes'
import type { Shape, TensorType } from '../../core/shapes'
import type { InPlace, View } from '../primitives/rule'

/** The capabilities of a device's kernel for a primitive. All are optional; the planner assumes the least. */
export interface KernelTraits<Attributes> {
  /** The number of bytes that the kernel needs while it runs. Default 0. */
  temporaryBytes?(inputs: readonly TensorType[], attributes: Attributes): number
  /** Whether the operand may have this layout. Default: only a contiguous one. */
  accepts?(operand: number, input: TensorType, layout: View, attributes: Attributes): boolean
  /** The outputs and inputs that may share bytes. Default: none. */
  inPlace?(attributes: Attributes): readonly InPlace[]
  /** Whether the kernel can add a bias row and apply an epilogue to output 0. */
  readonly fusesEpilogue?: boolean
  /**
   * Whether sums can start with any matrix of the size of output 0, instead of only one row for all. The output may overwrite
   * this matrix.
   */
  readonly fusesAddend?: boolean
  /**
   * The offset of each operand in the output, if the kernel only copies operands there: a producer may write
   * there directly.
   */
  places?(inputs: readonly TensorType[], attributes: Attributes): readonly number[] | null
}

/** The limits of one kernel of elementwise nodes. */
export interface ChainLimits {
  /** Whether the kernel reads an operand with such strides more slowly than a copy of it, including the copy. */
  copies(shape: Shape, strides: readonly number[]): boolean
  readonly operands: number
  readonly steps: number
}

/** A device, for the planner. */
export interface Target {
  /** @throws an internal error for a primitive without a kernel */
  kernelOf<Name extends PrimitiveName>(name: Name): KernelTraits<PrimitiveAttributes[Name]>
  readonly chain: ChainLimits
  /** For how many more kernels a value of so many bytes keeps them after its last use, so that these kernels can run at the same time. Default 0. */
  readonly keeps?: (bytes: number) => number
}
