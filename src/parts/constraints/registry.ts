// Constraints by name.

import { Registry, type UserFunction } from '../../core/registry'
import * as named from './named'

export const constraints = /* @__PURE__ */ new Registry('constraint', named.Constraint, () => named, {
  ofFunction: ({ call }: UserFunction<named.ConstraintFunction>) => new named.LambdaConstraint({ constraint: call }),
})
