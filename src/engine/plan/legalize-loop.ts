// Legalizes the body of a loop: see legalize.ts, which legalizes all graphs.

import type { GraphBuilder } from '../transforms/builder'
import type { Node, Value } from '../ir/graph'
import { bodyOf, regionOf } from '../ir/region'
import { isOwned, isScanned, legalizeNodes } from './legalize'
import { Locations, type PlaceConstant } from './locations'

/**
 * A loop whose body can read its slices in place. Constants of the body become captures, so they are created
 * once. Every result of the body has its own bytes; only a carry's value, before or after the iteration, may
 * also be stacked. In a loop with a condition, a carry has one place, so that a stacked result never shares its bytes.
 */
export function legalizeLoop(
  node: Node<'loop'>,
  operands: readonly Value[],
  builder: GraphBuilder,
  locations: Locations,
  constant: PlaceConstant | null,
): readonly Value[] {
  const { carries, runs } = node.attributes
  const inside = new Locations(bodyOf(node), locations.target)
  const captured: Value[] = []
  const carried = new Set<Value>()
  const next = new Set<Value>()
  const stacked = new Set<Value>()
  const capture: PlaceConstant = (each, body) => {
    captured.push(constant === null ? builder.copy(each, [])[0]! : constant(each, builder))
    return body.parameter(each.outputs[0]!)
  }
  bodyOf(node).parameters.forEach((parameter, i) => {
    if (i < carries) carried.add(parameter)
    if (isScanned(node, i)) inside.setStrides(parameter, locations.of(operands[i]!).layout.strides.slice(1))
  })
  const graph = legalizeNodes(bodyOf(node), inside, capture, (value, body, index) => {
    const base = inside.baseOf(value)
    const taken = index < carries ? next : stacked
    const isBefore = index >= carries && carried.has(base) && inside.isWhole(value) && runs === undefined
    const isCarried = index >= carries && runs !== undefined && next.has(base)
    if (taken.has(base) || isCarried || !(isBefore || isOwned(value, inside))) return body.emitOne('copy', [value], {})
    taken.add(base)
    return value
  })
  const legal = builder.emitNode('loop', [...operands, ...captured], {
    ...node.attributes,
    body: regionOf(node).with(graph),
  })
  locations.addBody(legal, { graph, locations: inside })
  return legal.outputs
}
