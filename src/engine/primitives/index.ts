// The rule of every primitive. tsc reports names of attributes.ts without a rule here.

import { internalError } from '../../core/errors'
import type { PrimitiveRule } from './rule'
import type { PrimitiveName } from '../ir/attributes'
import { contraction } from './contraction'
import type { convolutions } from './convolution'
import { crossEntropies } from './cross-entropy'
import { elementwise } from './elementwise'
import { indexing } from './indexing'
import { loops } from './loop'
import { movement } from './movement'
import type { pooling } from './pooling'
import { reductions } from './reduction'
import { routines } from './routine'
import { source } from './source'
import { training } from './training'

/** Primitives whose rules and kernels load with the ops that use them: see ops/families.ts. */
export type WindowName = keyof typeof convolutions | keyof typeof pooling
type WindowRules = typeof convolutions & typeof pooling

const core = {
  ...elementwise,
  ...contraction,
  ...reductions,
  ...crossEntropies,
  ...indexing,
  ...movement,
  ...loops,
  ...routines,
  ...source,
  ...training,
} satisfies { readonly [Name in Exclude<PrimitiveName, WindowName>]: PrimitiveRule<Name> }

/** The rule of a primitive, typed by its name. */
export function ruleOf<Name extends PrimitiveName>(name: Name): PrimitiveRule<Name> {
  const rule = rules[name]
  if (rule === undefined) throw internalError(`the primitive ${name} is not loaded`)
  return rule
}

/** The rules that are loaded: those of all programs, and then those that ops add. */
const rules: { readonly [Name in PrimitiveName]?: PrimitiveRule<Name> } = { ...core }

/** Adds the rules of convolution and pooling. */
export function addWindowRules(added: { readonly [Name in WindowName]: PrimitiveRule<Name> }): void {
  Object.assign(rules, added)
}

export type Rules = typeof core & WindowRules

/** The primitives that have a kernel on every device. */
export type KernelName = {
  [Name in PrimitiveName]: Rules[Name] extends { readonly kind: 'kernel' } ? Name : never
}[PrimitiveName]
