// Constraints: projections of weights after every update. Names, defaults and formulas are Keras's.

import type { NamesOf, Serialized } from '../../core/registry'
import type * as named from './named'

export * from './named'
export * from './second-names'

type ConstraintName = NamesOf<typeof named, 'Constraint' | 'LambdaConstraint'>
/** A known name (any spelling), an instance, a function, or a saved configuration. */
export type ConstraintIdentifier =
  | ConstraintName
  | (string & {})
  | named.Constraint
  | named.ConstraintFunction
  | Serialized
