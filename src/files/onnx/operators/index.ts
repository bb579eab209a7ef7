// Every operator that is read, by its name.

import type { Operator } from '../call'
import { activationOperators } from './activation'
import { controlOperators } from './control'
import { elementwiseOperators } from './elementwise'
import { indexingOperators } from './indexing'
import { logicOperators } from './logic'
import { matrixOperators } from './matrix'
import { mlOperators } from './ml'
import { normalizationOperators } from './normalization'
import { partOperators } from './parts'
import { quantizationOperators } from './quantization'
import { recurrentOperators } from './recurrent'
import { reductionOperators } from './reduction'
import { resizeOperators } from './resize'
import { shapeOperators } from './shape'
import { signalOperators } from './signal'
import { windowOperators } from './window'

export const operators: ReadonlyMap<string, Operator> = new Map(
  Object.entries({
    ...activationOperators,
    ...controlOperators,
    ...elementwiseOperators,
    ...indexingOperators,
    ...logicOperators,
    ...matrixOperators,
    ...normalizationOperators,
    ...partOperators,
    ...quantizationOperators,
    ...recurrentOperators,
    ...reductionOperators,
    ...resizeOperators,
    ...shapeOperators,
    ...signalOperators,
    ...windowOperators,
    ...mlOperators,
  }),
)
