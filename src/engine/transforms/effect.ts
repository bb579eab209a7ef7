// Whether a node has an effect besides its results.

import type { Node } from '../ir/graph'
import { bodyOf, isLoop } from '../ir/region'
import { ruleOf } from '../primitives'

/** The node must run even if its results are unused. */
export function hasEffect(node: Node): boolean {
  if (isLoop(node)) return bodyOf(node).nodes.some(hasEffect)
  return ruleOf(node.name).effect === true
}
