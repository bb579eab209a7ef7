// All passes for loops in one object. Each recorded loop's body refers to it, and nothing else does:
// applications without loops do not bundle it. A subclass may have another gradient: see ops/control/custom-gradient.ts.

import { inferLoop } from '../ir/infer-loop'
import { legalizeLoop } from '../plan/legalize-loop'
import { loopKernel } from '../plan/loop'
import { costOfLoop } from '../plan/loop-cost'
import { simplifyLoop } from '../plan/simplify-loop'
import { loopDependents, pullBackLoop } from '../transforms/differentiate-loop'
import { interpretLoop } from '../transforms/interpret-loop'
import { lowerLoop } from './loop'
import { LoopLowering } from './loops'

export class AllLoopPasses extends LoopLowering {
  override readonly infer = inferLoop
  override readonly dependents = loopDependents
  override readonly pullBack = pullBackLoop
  override readonly interpret = interpretLoop
  override readonly simplify = simplifyLoop
  override readonly legalize = legalizeLoop
  override readonly cost = costOfLoop
  override readonly kernel = loopKernel
  override readonly lower = lowerLoop
}

export const loopPasses = /* @__PURE__ */ new AllLoopPasses()
