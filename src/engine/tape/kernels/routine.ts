// Kernels that load with their ops: see engine/primitives/routine.ts.

import type { PrimitiveAttributes } from '../../ir/attributes'
import { routineOf } from '../../primitives/routine'
import type { TapeKernel } from './kernel'

const routine: TapeKernel<PrimitiveAttributes['routine']> = {
  lower: (context) => routineOf(context.attributes).lower(context),
  accepts: (operand, input, layout, attributes) => routineOf(attributes).accepts(operand, input, layout),
  inPlace: (attributes) => routineOf(attributes).inPlace(),
  temporaryBytes: (inputs, attributes) => routineOf(attributes).temporaryBytes(inputs),
}

export const routines = { routine }
