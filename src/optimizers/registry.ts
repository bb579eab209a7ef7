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

/** An optimizer from a name, an instance or a saved configuration. The identifier may come from users unchecked: this checks it. */
export function getOptimizer(identifier: unknown): Optimizer {
  return optimizers.get(identifier)
}
