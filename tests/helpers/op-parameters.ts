// The parameters of the public ops, as they declare them.

import { activations, ops, random } from '../../src'
import type { DeclaredOp } from '../../src/ops/op'

const namespaces: Readonly<Record<string, object>> = { ops, 'ops.image': ops.image, random, activations }

/** Whether a value is an op. */
export function isDeclared(value: unknown): value is DeclaredOp {
  return typeof value === 'function' && 'declare' in value
}

/**
 * The parameters that users may give by name, of each op of a namespace: those that are required. If one is a tree, it has `*`
 * before its name, and the others follow with `?`, because the names of a tree are told from those of parameters.
 */
export function parametersOfOps(path: string): ReadonlyMap<string, string> {
  const all = Object.entries<unknown>({ ...namespaces[path] }).flatMap(([name, value]) => {
    if (!isDeclared(value)) return []
    const parameters = value.declare().filter(({ isRest }) => isRest !== true)
    const hasTree = parameters.some(({ isOptional, kind }) => !isOptional && kind.holds === 'tree')
    const text = parameters
      .filter(({ isOptional }) => !isOptional || hasTree)
      .map((each) => `${each.isOptional ? '?' : each.kind.holds === 'tree' ? '*' : ''}${each.name}`)
      .join(' ')
    return [[name, text] as const]
  })
  return new Map(all)
}
