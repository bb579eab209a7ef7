// A primitive's kernel on the tape: what the planner has to know of it, and its instructions.

import type { LowerContext } from '../../ir/instruction'
import type { KernelTraits } from '../../plan/target'

export interface TapeKernel<Attributes> extends KernelTraits<Attributes> {
  /** Emits its instruction, or several. */
  lower(context: LowerContext<Attributes>): void
}
