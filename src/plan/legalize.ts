// Decides where every value lies: views share their operand's bytes, everything else has its own. Inserts
// a copy wherever a consumer cannot read an operand as it lies. Allocates nothing: see memory.ts.

import type { GraphBuilder } from '../transforms/builder'
import type { Graph, Node, Value } from '../ir/graph'
import { isLoop, passesOf } from '../ir/region'
import { ruleOf } from '../primitives'
import type { Layout } from '../primitives/rule'
import { isContiguous } from '../primitives/rule'
import type { PrimitiveName } from '../ir/attributes'
import { rowMajorStrides, sizeOf } from '../core/shapes'
import type { Finish } from './rewrite'
import { mapKept, rewrite } from './rewrite'

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

/** What stands for a constant of a graph that is rebuilt. */
export type PlaceConstant = (node: Node<'constant'>, builder: GraphBuilder) => Value

export function legalize(graph: Graph): Legal {
  const locations = new Locations(graph)
  // A result needs bytes of its own: not a view's, not an input's or a constant's.
  const finish: Finish = (value, builder) => (isOwned(value, locations) ? value : builder.emitOne('copy', [value], {}))
  return { graph: legalizeNodes(graph, locations, null, finish), locations }
}

/** @param constant null where constants stay */
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
      if (isLoop(node)) return passesOf(node).legalize(node, operands, builder, locations, constant)
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

export function isOwned(value: Value, locations: Locations): boolean {
  const base = locations.baseOf(value)
  return base.node !== null && ruleOf(base.node.name).kind !== 'constant' && locations.isWhole(value)
}

function accepts<Name extends PrimitiveName>(node: Node<Name>, i: number, input: Value, locations: Locations): boolean {
  if (locations.isContiguous(input)) return true
  const rule = ruleOf(node.name)
  if (rule.kind === 'loop') return isScanned(node, i)
  return rule.kind !== 'kernel' || (rule.accepts?.(i, input, locations.of(input).layout, node.attributes) ?? false)
}

/** Slices lie as their whole does: the body is made for that. */
export function isScanned(node: Node, operand: number): boolean {
  if (!isLoop(node)) return false
  const { carries, scanned } = node.attributes
  return operand >= carries && operand < carries + scanned
}
