// Optimizers by name.

import { Registry, type NamesOf, type Serialized } from '../core/registry'
import { Optimizer } from './optimizer'
import * as rules from './rules'

type OptimizerName = NamesOf<typeof rules>
/** A known name (any spelling), an instance, or a saved configuration. */
export type OptimizerIdentifier = OptimizerName | (string & {}) | Optimizer | Serialized

// Not available by name, because they have required options.
const unnamed = { MultiOptimizer: true, LossScaleOptimizer: true }

export const optimizers = /* @__PURE__ */ new Registry('optimizer', Optimizer, () => rules, { unnamed })

export function getOptimizer(identifier: OptimizerIdentifier): Optimizer {
  return optimizers.get(identifier)
}
