// A primitive's kernel on the tape: its traits for the planner, and its instructions.

import type { LowerContext } from '../../ir/instruction'
import type { KernelTraits } from '../../plan/target'

export interface TapeKernel<Attributes> extends KernelTraits<Attributes> {
  /** Emits one or more instructions. */
  lower(context: LowerContext<Attributes>): void
}
