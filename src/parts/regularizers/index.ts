// Penalties on weights and activations, added to the loss. Names, defaults and formulas are Keras's.

import type { NamesOf, Serialized } from '../../core/registry'
import type * as named from './named'

export * from './named'
export * from './second-names'

type RegularizerName = NamesOf<typeof named, 'Regularizer' | 'LambdaRegularizer'>
/** A known name (any spelling), an instance, a function, or a saved configuration. */
export type RegularizerIdentifier =
  | RegularizerName
  | (string & {})
  | named.Regularizer
  | named.RegularizerFunction
  | Serialized
