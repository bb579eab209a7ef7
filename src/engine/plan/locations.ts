// The locations of a graph's values: in their own bytes, or in those of another value. legalize.ts decides
// which.

import type { GraphBuilder } from '../transforms/builder'
import type { Graph, Node, Value } from '../ir/graph'
import { ruleOf } from '../primitives'
import { isContiguous, type View } from '../primitives/rule'
import type { PrimitiveName } from '../ir/attributes'
import { rowMajorStrides, sizeOf } from '../../core/shapes'
import type { Target } from './target'

/** A value's bytes: inside the buffer of `base`, with this layout. */
export interface Location {
  readonly base: Value
  readonly layout: View
}

/** A graph whose operands can all be read where they are, and the location of each value. */
export interface Legal {
  readonly graph: Graph
  readonly locations: Locations
}

/** The locations of the values of one graph. */
export class Locations {
  /** Indexed by the value's id. A value with its own bytes is added when it is first looked up. */
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

  /** The value that owns the bytes. */
  baseOf(value: Value): Value {
    return this.known[value.id]?.base ?? value
  }

  /** Sets the strides of a value that comes from outside. */
  setStrides(value: Value, strides: readonly number[]): void {
    this.known[value.id] = { base: value, layout: { offset: 0, strides } }
  }

  /** Records the location of a view's result. Returns false if it must be copied instead. */
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

  /** Whether the value is all of its base, in order. */
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

/** The replacement of a constant in a rebuilt graph. */
export type PlaceConstant = (node: Node<'constant'>, builder: GraphBuilder) => Value
