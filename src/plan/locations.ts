// Where the values of a graph lie: in bytes of their own, or in those of another value. Decides nothing: see legalize.ts.

import type { GraphBuilder } from '../transforms/builder'
import type { Graph, Node, Value } from '../ir/graph'
import { ruleOf } from '../primitives'
import type { Layout } from '../primitives/rule'
import { isContiguous } from '../primitives/rule'
import type { PrimitiveName } from '../ir/attributes'
import { rowMajorStrides, sizeOf } from '../core/shapes'
import type { Target } from './target'

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

  /** @param target the device that reads them */
  constructor(
    { idEnd }: Graph,
    readonly target: Target,
  ) {
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
