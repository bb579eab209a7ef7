// All that the passes do with loops, in one object. It goes into the body of every loop that is recorded, and nothing else
// reaches it: an application that records no loop does not carry it.

import { inferLoop } from '../ir/infer-loop'
import { legalizeLoop } from '../plan/legalize-loop'
import { loopKernel } from '../plan/loop'
import { simplifyLoop } from '../plan/simplify-loop'
import { loopDependents, pullBackLoop } from '../transforms/differentiate-loop'
import { interpretLoop } from '../transforms/interpret-loop'
import { lowerLoop } from './loop'
import { LoopLowering } from './loops'

class AllLoopPasses extends LoopLowering {
  override readonly infer = inferLoop
  override readonly dependents = loopDependents
  override readonly pullBack = pullBackLoop
  override readonly interpret = interpretLoop
  override readonly simplify = simplifyLoop
  override readonly legalize = legalizeLoop
  override readonly kernel = loopKernel
  override readonly lower = lowerLoop
}

export const loopPasses = /* @__PURE__ */ new AllLoopPasses()
