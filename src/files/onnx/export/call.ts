// One node of a traced graph while it is written: the same node in all traces.

import type { PrimitiveAttributes, PrimitiveName } from '../../../engine/ir/attributes'
import type { Graph, Node, Value } from '../../../engine/ir/graph'
import type { Order } from '../values'
import { acrossTraces, type Numbers } from './extents'
import type { Item, ItemType } from './items'
import type { Match, Step } from './patterns'
import { Refusal, type Writer } from './writer'

/** Writes the nodes for a primitive. */
export type Row<Name extends PrimitiveName = PrimitiveName> = (call: Call<Name>) => Item | readonly Item[]

/** What a node sees of its graph. */
export interface Surroundings {
  /** Whether a value of the first trace is read. */
  isRead(value: Value): boolean
  /** The node that alone reads a value, once; null if there is none, or an output is that value. */
  readerOf(value: Value): Node | null
  /** The nodes of a pattern that begins with this node, if nothing else reads the results between them. */
  match(steps: readonly Step[]): Match | null
  /** The results of this node are those of other nodes, which write nothing. */
  fuse(...nodes: readonly Node[]): void
  /** Writes the nodes of graphs inside, in each trace, that these results need. */
  run(graphs: readonly Graph[], results: readonly number[]): void
}

export class Call<Name extends PrimitiveName = PrimitiveName> {
  constructor(
    readonly writer: Writer,
    /** In each trace. */
    readonly nodes: readonly Node<Name>[],
    readonly inputs: readonly Item[],
    readonly around: Surroundings,
  ) {}

  get node(): Node<Name> {
    return this.nodes[0]!
  }

  get attributes(): PrimitiveAttributes[Name] {
    return this.node.attributes
  }

  /** An operand. */
  input(i = 0): Item {
    return this.inputs[i]!
  }

  /** The type of a result. */
  output(i = 0): ItemType {
    return {
      dtype: this.node.outputs[i]!.dtype,
      shape: acrossTraces(this.nodes.map(({ outputs }) => outputs[i]!.shape)),
    }
  }

  /** Numbers that may depend on open extents. */
  numbers(read: (attributes: PrimitiveAttributes[Name], node: Node<Name>) => readonly number[]): Numbers[] {
    return acrossTraces(this.nodes.map((node) => read(node.attributes, node)))
  }

  /** Numbers that may not. */
  fixed(read: (attributes: PrimitiveAttributes[Name], node: Node<Name>) => readonly number[]): readonly number[] {
    const [first, ...others] = this.nodes.map((node) => read(node.attributes, node))
    if (others.every((list) => String(list) === String(first))) return first!
    throw new Refusal(
      `${this.node.name} whose attributes depend on open extents. Fix the inputs with the option shapes`,
    )
  }

  /** The result of nodes. @param order of its axes */
  result(name: string, order?: Order, i = 0): Item {
    return this.writer.item(name, this.output(i), order)
  }

  /** The name of an operand with the axes of the graph. */
  plain(i = 0): string {
    return this.writer.name(this.input(i))
  }

  /** An operand in its present order. */
  asIs(i = 0): { readonly name: string; readonly order: Order } {
    const { order } = this.input(i)
    return { name: this.writer.name(this.input(i), order), order }
  }
}
