// Decides where every value lies: views share their operand's bytes, everything else has its own. Inserts
// a copy wherever a consumer cannot read an operand as it lies. Allocates nothing: see memory.ts.

import type { GraphBuilder } from '../ir/builder'
import type { Graph, Node, Value } from '../ir/graph'
import { Body, bodyOf, isLoop } from '../ir/region'
import { ruleOf } from '../primitives'
import type { Layout } from '../primitives/rule'
import { isContiguous } from '../primitives/rule'
import type { PrimitiveName } from '../primitives/attributes'
import { rowMajorStrides, sizeOf } from '../core/shapes'
import type { Finish } from './rewrite'
import { rewrite } from './rewrite'

/** A value's bytes: inside the buffer of `base`, in this layout. */
export interface Location {
  readonly base: Value
  readonly layout: Layout
}

/** A graph in which every operand can be read as it lies, and where each value lies. */
export interface Legal {
  readonly graph: Graph
  readonly locations: Locations
}

/** Where the values of one graph lie. */
export class Locations {
  /** By the value's id; left out for those that have bytes of their own, until somebody asks. */
  private readonly known: Location[]
  private readonly bodies = new Map<Node, Legal>()

  constructor({ idEnd }: Graph) {
    this.known = new Array<Location>(idEnd)
  }

  of(value: Value): Location {
    return (this.known[value.id] ??= { base: value, layout: { offset: 0, strides: rowMajorStrides(value.shape) } })
  }

  /** The value that has the bytes. */
  baseOf(value: Value): Value {
    return this.known[value.id]?.base ?? value
  }

  /** Says how a value that comes from outside lies. */
  setStrides(value: Value, strides: readonly number[]): void {
    this.known[value.id] = { base: value, layout: { offset: 0, strides } }
  }

  /** Records where the result of a view lies. False when it must be copied instead. */
  addView<Name extends PrimitiveName>(node: Node<Name>): boolean {
    const rule = ruleOf(node.name)
    if (rule.kind !== 'view') return true
    const input = node.inputs[0]!
    const { base, layout } = this.of(input)
    const view = rule.view(input, layout, node.attributes)
    if (view !== null) this.known[node.outputs[0]!.id] = { base, layout: view }
    return view !== null
  }

  isContiguous(value: Value): boolean {
    const known = this.known[value.id]
    return known === undefined || isContiguous(value.shape, known.layout.strides)
  }

  /** The value is all of its base, in order. */
  isWhole(value: Value): boolean {
    const known = this.known[value.id]
    if (known === undefined) return true
    return known.layout.offset === 0 && this.isContiguous(value) && sizeOf(known.base.shape) === sizeOf(value.shape)
  }

  addBody(loop: Node, body: Legal): void {
    this.bodies.set(loop, body)
  }

  bodyOf(loop: Node): Legal {
    return this.bodies.get(loop)!
  }
}

/** What stands for a constant in the body of a loop. */
type PlaceConstant = (node: Node<'constant'>, builder: GraphBuilder) => Value

export function legalize(graph: Graph): Legal {
  const locations = new Locations(graph)
  // A result needs bytes of its own: not a view's, not an input's or a constant's.
  const finish: Finish = (value, builder) => (isOwned(value, locations) ? value : builder.emitOne('copy', [value], {}))
  return { graph: legalizeNodes(graph, locations, null, finish), locations }
}

/** @param constant null where constants stay */
function legalizeNodes(graph: Graph, locations: Locations, constant: PlaceConstant | null, finish: Finish): Graph {
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
      const operands = inputs.map((input, i) => (accepts(node, i, input, locations) ? input : copy(input, builder)))
      if (isLoop(node)) return legalizeLoop(node, operands, builder, locations, constant)
      const outputs = builder.keep(node, operands)
      const made = outputs[0]?.node
      if (made && !locations.addView(made)) {
        // The operand cannot be seen so: the view of a contiguous copy always exists.
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

function isOwned(value: Value, locations: Locations): boolean {
  const base = locations.baseOf(value)
  return base.node !== null && ruleOf(base.node.name).kind !== 'constant' && locations.isWhole(value)
}

function accepts<Name extends PrimitiveName>(node: Node<Name>, i: number, input: Value, locations: Locations): boolean {
  if (locations.isContiguous(input)) return true
  const rule = ruleOf(node.name)
  if (rule.kind === 'loop') return isScanned(node, i)
  return rule.kind !== 'kernel' || (rule.accepts?.(i, input, locations.of(input).layout) ?? false)
}

/** Slices lie as their whole does: the body is made for that. */
function isScanned(node: Node, operand: number): boolean {
  if (!isLoop(node)) return false
  const { carries, scanned } = node.attributes
  return operand >= carries && operand < carries + scanned
}

/**
 * A loop whose body can read its slices as they lie. Constants of the body become captures: they are made once. Every
 * result of the body has bytes of its own; only a carry's value, before the turn or after it, may be stacked as well.
 */
function legalizeLoop(
  node: Node<'loop'>,
  operands: readonly Value[],
  builder: GraphBuilder,
  locations: Locations,
  constant: PlaceConstant | null,
): readonly Value[] {
  const { carries } = node.attributes
  const inside = new Locations(bodyOf(node))
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
    const isBefore = index >= carries && carried.has(base) && inside.isWhole(value)
    if (taken.has(base) || !(isBefore || isOwned(value, inside))) return body.emitOne('copy', [value], {})
    taken.add(base)
    return value
  })
  const legal = builder.emitNode('loop', [...operands, ...captured], { ...node.attributes, body: new Body(graph) })
  locations.addBody(legal, { graph, locations: inside })
  return legal.outputs
}
