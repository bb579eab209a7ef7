// The cost of a loop: that of its body in each iteration.

import type { Node } from '../ir/graph'
import { bodyOf } from '../ir/region'
import { costOf, type Cost } from './cost'

/** A loop with a condition counts as one iteration, because the number of its iterations is not known. */
export function costOfLoop(node: Node<'loop'>): Cost {
  const { flops, bytes } = costOf(bodyOf(node))
  const turns = node.attributes.runs === 'while' ? 1 : node.attributes.length
  return { flops: turns * flops, bytes: turns * bytes }
}
