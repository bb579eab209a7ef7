// Decides where every value is located: views share their operand's bytes, all other values have their own.
// Inserts a copy wherever a consumer cannot read an operand's layout. Allocates nothing: see memory.ts.

import type { GraphBuilder } from '../transforms/builder'
import type { Graph, Node, Value } from '../ir/graph'
import { isLoop, passesOf } from '../ir/region'
import { Locations, type Legal, type PlaceConstant } from './locations'
import { LoopPlanning } from './loops'
import type { Target } from './target'
import { ruleOf } from '../primitives'
import type { PrimitiveName } from '../ir/attributes'
import { mapKept, rewrite, type Finish } from './rewrite'

export function legalize(graph: Graph, target: Target): Legal {
  const locations = new Locations(graph, target)
  // A result needs its own bytes: not those of a view, an input or a constant.
  const finish: Finish = (value, builder) => (isOwned(value, locations) ? value : builder.emitOne('copy', [value], {}))
  return { graph: legalizeNodes(graph, locations, null, finish), locations }
}

/** @param constant null to keep constants in place */
export function legalizeNodes(
  graph: Graph,
  locations: Locations,
  constant: PlaceConstant | null,
  finish: Finish,
): Graph {
  const copied = new Map<Value, Value>()
  const copy = (value: Value, builder: GraphBuilder): Value => {
    let result = copied.get(value)
    if (result === undefined) {
      result = builder.emitOne('copy', [value], {})
      copied.set(value, result)
    }
    return result
  }
  return rewrite(
    graph,
    (node, inputs, builder) => {
      if (constant !== null && isConstant(node)) return [constant(node, builder)]
      const operands = mapKept(inputs, (input, i) =>
        accepts(node, i, input, locations) ? input : copy(input, builder),
      )
      if (isLoop(node)) return passesOf(node, LoopPlanning).legalize(node, operands, builder, locations, constant)
      const outputs = builder.keep(node, operands)
      const made = outputs[0]?.node
      if (made && !locations.addView(made)) {
        // The layout does not allow the view; a view of a contiguous copy always exists.
        const again = builder.copy(node, [copy(operands[0]!, builder)])
        locations.addView(again[0]!.node!)
        return again
      }
      return outputs
    },
    finish,
  )
}

function isConstant(node: Node): node is Node<'constant'> {
  return ruleOf(node.name).kind === 'constant'
}

export function isOwned(value: Value, locations: Locations): boolean {
  const base = locations.baseOf(value)
  return base.node !== null && ruleOf(base.node.name).kind !== 'constant' && locations.isWhole(value)
}

function accepts<Name extends PrimitiveName>(node: Node<Name>, i: number, input: Value, locations: Locations): boolean {
  if (locations.isContiguous(input)) return true
  const rule = ruleOf(node.name)
  if (rule.kind === 'loop') return isScanned(node, i)
  if (rule.kind === 'elementwise') return isCopy(node) || !copiesForChain(input, locations)
  if (rule.kind !== 'kernel') return true
  return locations.target.kernelOf(node.name).accepts?.(i, input, locations.of(input).layout, node.attributes) ?? false
}

const isCopy = (node: Node): boolean => node.name === 'copy'

/** Whether a chain reads a copy of the value instead. */
export function copiesForChain(value: Value, locations: Locations): boolean {
  return locations.target.chain.copies(value.shape, locations.of(value).layout.strides)
}

/** Whether an operand is scanned: slices have the layout of the whole, and the body is legalized for it. */
export function isScanned(node: Node, operand: number): boolean {
  if (!isLoop(node)) return false
  const { carries, scanned } = node.attributes
  return operand >= carries && operand < carries + scanned
}
