// Constraints by name.

import { Registry } from '../../core/registry'
import * as named from './named'

export const constraints = /* @__PURE__ */ new Registry('constraint', named.Constraint, () => named, {
  ofFunction: (constraint: named.ConstraintFunction) => new named.LambdaConstraint({ constraint }),
})
