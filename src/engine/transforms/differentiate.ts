// Reverse-mode differentiation: appends backward nodes to the graph under construction. The gradient rules are in the
// records of the primitives.

import type { GraphBuilder } from './builder'
import { Cotangents } from './cotangents'
import { Value, type Node } from '../ir/graph'
import { isLoop, passesOf } from '../ir/region'
import { LoopTransforms, type BackwardPass } from './loops'
import { ruleOf } from '../primitives'
import type { PrimitiveName } from '../ir/attributes'
import type { Contribution } from '../primitives/rule'

/**
 * The vector-Jacobian product: Σ cotangent · ∂y/∂x for each x of `wrt`.
 * @param cotangent has y's type; 1 for a scalar loss
 * @returns one value per element of `wrt`, with its type; zeros where y does not depend on it
 */
export function gradients(builder: GraphBuilder, y: Value, wrt: readonly Value[], cotangent: Value): Value[] {
  return pullBackAll(builder, [y], wrt, [cotangent])
}

/**
 * Like `gradients` for several results: Σ over them of cotangent · ∂y/∂x.
 * @param received the cotangents of `ys`, in the same order
 */
export function pullBackAll(
  builder: GraphBuilder,
  ys: readonly Value[],
  wrt: readonly Value[],
  received: readonly Value[],
): Value[] {
  const scope = builder.scope
  const forward = builder.emitted()
  const cotangents = new Cotangents(builder)
  ys.forEach((y, i) => cotangents.add(y, received[i]!))
  backward({ owner: builder, back: builder, carriers: dependents(forward, wrt), cotangents }, forward)
  builder.scope = scope
  return wrt.map((x) => cotangents.total(x) ?? builder.e.zeros(x))
}

/** Propagates cotangents from results to operands, from the last node to the first. */
export function backward(pass: BackwardPass, forward: readonly Node[]): void {
  const { back, carriers, cotangents } = pass
  const isReached = (output: Value): boolean => carriers.has(output) && cotangents.has(output)
  for (let i = forward.length - 1; i >= 0; i--) {
    const node = forward[i]!
    if (!node.outputs.some(isReached)) continue
    back.scope = gradientScope(node.scope)
    if (isLoop(node)) {
      passesOf(node, LoopTransforms).pullBack(node, pass)
      continue
    }
    const contributions = pullBack(back, node, cotangents, carriers)
    for (let j = 0; j < contributions.length; j++) {
      const contribution = contributions[j]
      const input = node.inputs[j]!
      if (contribution && carriers.has(input)) cotangents.add(input, contribution)
    }
  }
}

function gradientScope(scope: string): string {
  if (scope.endsWith('gradient')) return scope
  return scope === '' ? 'gradient' : `${scope}/gradient`
}

/** The values that depend on one of `wrt`, including `wrt`, as far as a gradient flows. */
export function dependents(nodes: readonly Node[], wrt: Iterable<Value>): Set<Value> {
  const found = new Set(wrt)
  const isFound = (value: Value): boolean => found.has(value)
  const add = (value: Value): void => void (value.dtype === 'float32' && found.add(value))
  nodes.forEach((node) => {
    if (isLoop(node)) passesOf(node, LoopTransforms).dependents(node, found).forEach(add)
    else if (node.inputs.some(isFound) && ruleOf(node.name).vjp !== null) node.outputs.forEach(add)
  })
  return found
}

function pullBack<Name extends PrimitiveName>(
  builder: GraphBuilder,
  node: Node<Name>,
  cotangents: Cotangents,
  carriers: ReadonlySet<Value>,
): readonly (Contribution | null)[] {
  const { e } = builder
  const rule = ruleOf(node.name)
  if (rule.vjp === null) return []
  const contributions = rule.vjp({
    e,
    inputs: node.inputs,
    outputs: node.outputs,
    attributes: node.attributes,
    cotangents: node.outputs.map((output) => cotangents.total(output) ?? e.zeros(output)),
    isUsed: (output) => cotangents.has(node.outputs[output]!),
    isWanted: (input) => carriers.has(node.inputs[input]!),
  })
  // Only elementwise rules may return the gradient of a broadcast operand in the result's shape.
  if (rule.kind !== 'elementwise') return contributions
  return contributions.map((each, i) => {
    const input = node.inputs[i]!
    return each instanceof Value && carriers.has(input) ? e.sumTo(each, input.shape) : each
  })
}
