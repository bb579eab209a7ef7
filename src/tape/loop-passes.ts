// All that the passes do with loops, in one record. It goes into the body of every loop that is recorded, and nothing else
// reaches it: an application that records no loop does not carry it.

import { loopDependents, pullBackLoop } from '../transforms/differentiate-loop'
import { inferLoop } from '../ir/infer-loop'
import { interpretLoop } from '../transforms/interpret-loop'
import type { LoopPasses } from '../ir/region'
import { legalizeLoop } from '../plan/legalize-loop'
import { loopKernel } from '../plan/loop'
import { simplifyLoop } from '../plan/simplify-loop'

export const loopPasses: LoopPasses = {
  infer: inferLoop,
  dependents: loopDependents,
  pullBack: pullBackLoop,
  interpret: interpretLoop,
  simplify: simplifyLoop,
  legalize: legalizeLoop,
  kernel: loopKernel,
}
