// Whether a node does more than make its results.

import type { Node } from '../ir/graph'
import { bodyOf, isLoop } from '../ir/region'
import { ruleOf } from '../primitives'

/** Must run even when no result is asked for. */
export function hasEffect(node: Node): boolean {
  if (isLoop(node)) return bodyOf(node).nodes.some(hasEffect)
  return ruleOf(node.name).effect === true
}
