// Kinds of options that layers have in common.

import type { Activation, ActivationIdentifier } from '../activations'
import { activationName, getActivation } from '../activations'
import type { Kind } from '../core/options'
import { custom, named, nullable } from '../core/options'
import type { Initializer, InitializerIdentifier } from '../initializers'
import { initializers } from '../initializers/registry'
import type { Regularizer, RegularizerIdentifier } from '../regularizers'
import { regularizers } from '../regularizers/registry'

/** A name or a function; null is linear. */
export const activation: Kind<Activation, ActivationIdentifier | null> = custom(
  (value) => getActivation(value as ActivationIdentifier | null),
  (value) => activationName(value),
)

export const initializer: Kind<Initializer, InitializerIdentifier> = named(initializers)

export const regularizer: Kind<Regularizer | null, RegularizerIdentifier | null> = nullable(named(regularizers))
