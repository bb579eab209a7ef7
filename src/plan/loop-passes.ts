// All that the passes do with loops, in one record. It goes into the body of every loop that is recorded, and nothing else
// reaches it: an application that records no loop does not carry it.

import { loopDependents, pullBackLoop } from '../ir/differentiate-loop'
import { inferLoop } from '../ir/infer-loop'
import { interpretLoop } from '../ir/interpret-loop'
import type { LoopPasses } from '../ir/region'
import { legalizeLoop } from './legalize-loop'
import { loopKernel } from './loop'
import { simplifyLoop } from './simplify-loop'

export const loopPasses: LoopPasses = {
  infer: inferLoop,
  dependents: loopDependents,
  pullBack: pullBackLoop,
  interpret: interpretLoop,
  simplify: simplifyLoop,
  legalize: legalizeLoop,
  kernel: loopKernel,
}
