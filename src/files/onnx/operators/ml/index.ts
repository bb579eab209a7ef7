// The operators of ai.onnx.ml, which scikit-learn's models are exported to.

import type { Operator } from '../../call'
import { encoderOperators } from './encoders'
import { linearOperators } from './linear'
import { treeOperators } from './trees'

/** Their domain. */
export const ML = 'ai.onnx.ml'

const all = { ...encoderOperators, ...linearOperators, ...treeOperators }

/** By the names under which files have them, such as `ai.onnx.ml.Scaler`. */
export const mlOperators: Readonly<Record<string, Operator>> = Object.fromEntries(
  Object.entries(all).map(([name, operator]) => [`${ML}.${name}`, operator]),
)
