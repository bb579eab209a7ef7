// A primitive's kernel on the GPU: its traits for the planner, and its dispatches.

import type { TensorType } from '../../core/shapes'
import type { Word } from '../ir/instruction'
import type { Address, Operand } from '../ir/operand'
import type { Node } from '../ir/graph'
import type { KernelRoutine } from '../primitives/routine'
import type { KernelTraits } from '../plan/target'
import type { Emitter } from './dispatch'

/** The words that decide whether kernels run. */
export interface RunWords {
  /** If this word is not 0, kernels do nothing; null if they run in any case. */
  readonly unless: Address | null
  /** The word that a guard sets to end the run. */
  readonly flag: Address
}

/** What a kernel is made of. */
export interface GpuContext<Attributes> {
  readonly inputs: readonly Operand[]
  readonly outputs: readonly Operand[]
  readonly attributes: Attributes
  /** The memory that the kernel requested. */
  readonly temporary: Address | null
  /** Only for kernels that declare `fusesEpilogue`: a row, or with `fusesAddend` a matrix with the size of output 0. */
  readonly bias: Operand | null
  /** The elementwise nodes that are applied to output 0, in order. */
  readonly activation: readonly Node[]
  /** The word that a guard sets to end the run. */
  readonly flag: Word
  /**
   * Whether all kernels must have a thread for each element, and compute each row of output 0, along its first axis, on its own. Only
   * their bodies may use addresses.
   */
  readonly isByRow: boolean
  readonly emit: Emitter
}

export interface GpuKernel<Attributes> extends KernelTraits<Attributes> {
  /** Emits one or more dispatches. */
  lower(context: GpuContext<Attributes>): void
  /**
   * For each operand, whether a row of output 0 needs only this row of it; null if not each row can be computed on its own. Default
   * null.
   */
  byRow?(inputs: readonly TensorType[], attributes: Attributes): readonly boolean[] | null
}

/** The kernel of a routine. The layouts that it accepts and the bytes that it shares are those that the routine declares. */
export interface RoutineKernel<Routine extends KernelRoutine> {
  /** Emits one or more dispatches. */
  lower(routine: Routine, context: GpuContext<unknown>): void
  /** The number of bytes that the kernel needs while it runs. Default 0. */
  temporaryBytes?(routine: Routine, inputs: readonly TensorType[]): number
}

/** The kernels of routines, by their names. */
export type KernelsOf<All extends KernelRoutine> = {
  readonly [Routine in All as Routine['name']]: RoutineKernel<Routine>
}
