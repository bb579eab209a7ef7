// What the planner asks of the device that it plans for. The plan says which nodes run as one kernel, where every value
// lies and in which order kernels run; turning kernels into code of the device is the device's own affair. The tape is
// one: see src/tape.

import type { PrimitiveAttributes, PrimitiveName } from '../ir/attributes'
import type { TensorType } from '../core/shapes'
import type { InPlace, Layout } from '../primitives/rule'

/** What a device's kernel for a primitive can do. Everything may be left out: then the planner assumes the least. */
export interface KernelTraits<Attributes> {
  /** Bytes of its own that the kernel needs while it runs. Default 0. */
  temporaryBytes?(inputs: readonly TensorType[], attributes: Attributes): number
  /** Whether the operand may lie like this. Default: contiguous only. */
  accepts?(operand: number, input: TensorType, layout: Layout, attributes: Attributes): boolean
  /** What may share its bytes. Default: nothing. */
  inPlace?(attributes: Attributes): readonly InPlace[]
  /** The kernel can add a bias row and apply an epilogue to output 0. */
  readonly fusesEpilogue?: boolean
  /** Its sums can begin with any matrix as large as output 0, not only with one row for all. */
  readonly fusesAddend?: boolean
  /** Each operand is copied to a place of its own in the output, so a producer may write there directly. */
  places?(inputs: readonly TensorType[], attributes: Attributes): readonly number[] | null
}

/** The most that one kernel of elementwise nodes can have. */
export interface ChainLimits {
  readonly operands: number
  readonly steps: number
}

/** A device, as the planner sees it. */
export interface Target {
  /** @throws an internal error for a primitive that has no kernel of its own */
  kernelOf<Name extends PrimitiveName>(name: Name): KernelTraits<PrimitiveAttributes[Name]>
  readonly chain: ChainLimits
}
