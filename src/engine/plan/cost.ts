// Counts floating-point operations and bytes of graphs, as the primitives declare them. Does not estimate time:
// see engine/tape/work.ts.

import { dtypes } from '../../core/dtypes'
import { unreachable } from '../../core/errors'
import { sizeOf, type TensorType } from '../../core/shapes'
import { ruleOf } from '../primitives'
import type { Cost } from '../primitives/flops'
import type { Graph, Node } from '../ir/graph'
import { isLoop, passesOf } from '../ir/region'
import type { PrimitiveName } from '../ir/attributes'
import { LoopPlanning } from './loops'

export type { Cost } from '../primitives/flops'

/** The sum of two costs. */
export function addCosts(a: Cost, b: Cost): Cost {
  return { flops: a.flops + b.flops, bytes: a.bytes + b.bytes }
}

export interface GraphCost extends Cost {
  /** By the origin of the work: `model/dense`, `model/dense/gradient`, `optimizer`. */
  readonly byScope: ReadonlyMap<string, Cost>
}

/**
 * The cost of one run of a graph, node by node: operands are read once, results are written once. Simplify the
 * graph first to count what runs instead of what was recorded.
 */
export function costOf(graph: Graph): GraphCost {
  return total(graph.nodes.map((node) => [node.scope, costOfNode(node)]))
}

function total(parts: readonly (readonly [string, Cost])[]): GraphCost {
  const byScope = new Map<string, Cost>()
  let sum: Cost = { flops: 0, bytes: 0 }
  for (const [scope, cost] of parts) {
    sum = addCosts(sum, cost)
    if (cost.flops > 0 || cost.bytes > 0)
      byScope.set(scope, addCosts(byScope.get(scope) ?? { flops: 0, bytes: 0 }, cost))
  }
  return { ...sum, byScope }
}

function bytesOf(types: Iterable<TensorType>): number {
  let bytes = 0
  for (const { shape, dtype } of types) bytes += sizeOf(shape) * dtypes[dtype].bytes
  return bytes
}

/** The cost of a single node. */
function costOfNode<Name extends PrimitiveName>(node: Node<Name>): Cost {
  if (isLoop(node)) return passesOf(node, LoopPlanning).cost(node)
  const rule = ruleOf(node.name)
  switch (rule.kind) {
    case 'elementwise':
      return { flops: rule.flops * sizeOf(node.outputs[0]!.shape), bytes: bytesOf(rule.traffic?.() ?? trafficOf(node)) }
    case 'kernel': {
      const context = { inputs: node.inputs, outputs: node.outputs, attributes: node.attributes }
      return { flops: rule.flops(context), bytes: bytesOf(rule.traffic?.(context) ?? trafficOf(node)) }
    }
    case 'composed':
      return {
        flops: rule.flops({ inputs: node.inputs, outputs: node.outputs, attributes: node.attributes }),
        bytes: bytesOf(trafficOf(node)),
      }
    // Views move no data, constants are in memory already, and loops are counted by their bodies.
    case 'view':
    case 'constant':
    case 'loop':
      return { flops: 0, bytes: 0 }
    default:
      return unreachable(rule)
  }
}

function trafficOf(node: Node): TensorType[] {
  return [...new Set(node.inputs), ...node.outputs]
}
