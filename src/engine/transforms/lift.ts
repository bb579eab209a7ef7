// Computes nodes of a loop's body for all iterations at once: every value gets one more leading axis.
// engine/plan/simplify-loop.ts and differentiate-loop.ts decide which nodes are worth it.

import { ruleOf } from '../primitives'
import type { PrimitiveName } from '../ir/attributes'
import type { GraphBuilder } from './builder'
import type { Node, Value } from '../ir/graph'
import { isLoop } from '../ir/region'
import { hasEffect } from './effect'

/** A value of the body, outside the loop: the same in every iteration, or stacked with one slice per iteration. */
export interface Outside {
  readonly value: Value
  readonly isStacked: boolean
}

/** Whether a node can be computed for all iterations at once. */
export function isLiftable(node: Node): boolean {
  const rule = ruleOf(node.name)
  return (
    node.outputs.length === 1 &&
    !isLoop(node) &&
    !hasEffect(node) &&
    (rule.kind === 'elementwise' || rule.lift !== undefined)
  )
}

/** Emits a node of the body outside the loop. */
export function liftNode<Name extends PrimitiveName>(
  builder: GraphBuilder,
  node: Node<Name>,
  operands: readonly Outside[],
  length: number,
): Outside {
  if (operands.every(({ isStacked }) => !isStacked)) {
    return {
      value: builder.copy(
        node,
        operands.map(({ value }) => value),
      )[0]!,
      isStacked: false,
    }
  }
  const rule = ruleOf(node.name)
  const attributes = rule.lift?.(node.attributes, length) ?? node.attributes
  const rank = node.outputs[0]!.shape.length
  const inputs = operands.map(({ value, isStacked }) => {
    // An operand that is the same in all iterations is broadcast by the rules of its primitive.
    if (!isStacked) return value
    const slice = value.shape.slice(1)
    // Aligned at the right, so that the new axis stays first.
    const missing = new Array<number>(Math.max(0, rank - slice.length)).fill(1)
    return builder.e.reshape(value, [length, ...missing, ...slice])
  })
  return { value: builder.emitOne(node.name, inputs, attributes), isStacked: true }
}
