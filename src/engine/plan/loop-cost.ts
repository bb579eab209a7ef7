// The cost of a loop: that of its body in each iteration.

import type { Node } from '../ir/graph'
import { bodyOf } from '../ir/region'
import { costOf, type Cost } from './cost'

/** How often the condition of a loop is true is not known: it counts as once. */
export function costOfLoop(node: Node<'loop'>): Cost {
  const { flops, bytes } = costOf(bodyOf(node))
  const turns = node.attributes.runs === 'while' ? 1 : node.attributes.length
  return { flops: turns * flops, bytes: turns * bytes }
}
