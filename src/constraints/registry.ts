// Constraints by name.

import { Registry } from '../core/registry'
import type { ConstraintFunction } from './index'
import { Constraint, LambdaConstraint, MaxNorm, MinMaxNorm, NonNeg, UnitNorm } from './index'

const isConstraint = (value: unknown): value is Constraint => value instanceof Constraint

export const constraints = new Registry<Constraint>(
  'constraint',
  isConstraint,
  () => ({ MaxNorm, MinMaxNorm, NonNeg, UnitNorm, LambdaConstraint }),
  { ofFunction: (constraint: ConstraintFunction) => new LambdaConstraint({ constraint }) },
)
