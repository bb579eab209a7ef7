// Initializers by name: further names, and the type that editors complete.

import type { NamesOf, Serialized } from '../../core/registry'
import type { Initializer } from './initializer'
import type * as named from './named'

/** Keras's further names. */
export const FURTHER_NAMES = {
  identityInitializer: 'Identity',
  orthogonalInitializer: 'Orthogonal',
  normal: 'RandomNormal',
  uniform: 'RandomUniform',
  one: 'Ones',
  zero: 'Zeros',
} as const satisfies Readonly<Record<string, keyof typeof named>>

type InitializerName = NamesOf<typeof named, 'computeFans' | 'LambdaInitializer'> | keyof typeof FURTHER_NAMES
/** A known name (any spelling), an instance, a function of the shape, or a saved configuration. */
export type InitializerIdentifier =
  | InitializerName
  | (string & {})
  | Initializer
  | named.InitializerFunction
  | Serialized
