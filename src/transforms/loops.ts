// What differentiation and the interpreter do with loops: the interface. It comes with the body, so that an application
// without loops does not carry what carries it out.

import type { NumericArray } from '../core/dtypes'
import type { Graph, Node, Value } from '../ir/graph'
import { LoopPasses } from '../ir/region'
import type { GraphBuilder } from './builder'
import type { Cotangents } from './cotangents'

/** One walk backwards over the nodes of a graph. */
export interface BackwardPass {
  /** Holds the nodes: its loops can be made to stack more. */
  readonly owner: GraphBuilder
  /** Takes the backward nodes. The same builder, but for bodies of loops. */
  readonly back: GraphBuilder
  /** The values that depend on what is differentiated with respect to. */
  readonly carriers: ReadonlySet<Value>
  readonly cotangents: Cotangents
}

/** What one turn of a loop gives; no results when it was ended early. */
export interface Turn {
  readonly results: readonly NumericArray[]
  readonly stoppedAt: Node | null
}
/** Runs the body of a loop once; `at` is the index of its slices. */
export type RunBody = (body: Graph, parameters: readonly NumericArray[], at: number) => Turn

export abstract class LoopTransforms extends LoopPasses {
  /** The results that depend on one of the operands among `carriers`. */
  abstract dependents(node: Node<'loop'>, carriers: ReadonlySet<Value>): readonly Value[]
  /** Adds what the results send back to the cotangents of the operands. */
  abstract pullBack(node: Node<'loop'>, pass: BackwardPass): void
  /** Runs all turns. @returns the node at which the run was ended early */
  abstract interpret(
    node: Node<'loop'>,
    inputs: readonly NumericArray[],
    outputs: readonly NumericArray[],
    run: RunBody,
  ): Node | null
}
