// All primitives. tsc fails here when a name of attributes.ts has no rule.

import type { PrimitiveRule } from './rule'
import type { PrimitiveName } from '../ir/attributes'
import { contraction } from './contraction'
import { convolutions } from './convolution'
import { crossEntropies } from './cross-entropy'
import { elementwise } from './elementwise'
import { indexing } from './indexing'
import { loops } from './loop'
import { movement } from './movement'
import { pooling } from './pooling'
import { reductions } from './reduction'
import { routines } from './routine'
import { source } from './source'
import { training } from './training'

export const primitives = {
  ...elementwise,
  ...contraction,
  ...convolutions,
  ...pooling,
  ...reductions,
  ...crossEntropies,
  ...indexing,
  ...movement,
  ...loops,
  ...routines,
  ...source,
  ...training,
} satisfies { readonly [Name in PrimitiveName]: PrimitiveRule<Name> }

/** The rule of a primitive, typed by its name. */
export function ruleOf<Name extends PrimitiveName>(name: Name): PrimitiveRule<Name> {
  const rules: { readonly [N in PrimitiveName]: PrimitiveRule<N> } = primitives
  return rules[name]
}

/** The primitives that have a kernel of their own on every device. */
export type KernelName = {
  [Name in PrimitiveName]: (typeof primitives)[Name] extends { readonly kind: 'kernel' } ? Name : never
}[PrimitiveName]
