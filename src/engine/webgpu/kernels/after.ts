// A value that counts as available only after another one, on the GPU: usually it keeps its place, and nothing is copied.

import { BYTES_PER_ELEMENT } from '../../../core/dtypes'
import { sizeOf } from '../../../core/shapes'
import type { After } from '../../primitives/after'
import type { RoutineKernel } from '../kernel'

export const after: RoutineKernel<After> = {
  lower(_, { inputs: [x], outputs: [out], emit }) {
    emit.copy(x!.address, out!.address, BYTES_PER_ELEMENT * sizeOf(x!.shape))
  },
}
