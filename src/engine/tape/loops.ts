// The interface for lowering loops, like engine/plan/loops.ts.

import type { Kernel } from '../plan/kernel'
import { LoopPlanning } from '../plan/loops'
import type { TapeBuilder } from './builder'

export abstract class LoopLowering extends LoopPlanning {
  /** Emits the instructions of the loop's kernel. */
  abstract lower(kernel: Kernel, builder: TapeBuilder): void
}
