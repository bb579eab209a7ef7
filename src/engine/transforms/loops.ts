// The interface for differentiating and interpreting loops. The implementation comes with the body, so that
// applications without loops do not bundle it.

import type { NumericArray } from '../../core/dtypes'
import type { Graph, Node, Value } from '../ir/graph'
import { LoopPasses } from '../ir/region'
import type { GraphBuilder } from './builder'
import type { Cotangents } from './cotangents'

/** One backward pass over the nodes of a graph. */
export interface BackwardPass {
  /** Owns the nodes; its loops can be extended to stack more values. */
  readonly owner: GraphBuilder
  /** Receives the backward nodes. The same builder, except for bodies of loops. */
  readonly back: GraphBuilder
  /** The values that need cotangents: see `dependents` in differentiate.ts. */
  readonly carriers: ReadonlySet<Value>
  readonly cotangents: Cotangents
}

/** The results of one iteration of a loop; empty if it ended early. */
export interface IterationResult {
  readonly results: readonly NumericArray[]
  readonly stoppedAt: Node | null
}
/** Runs the body of a loop once; `at` is the index of its slices. */
export type RunBody = (body: Graph, parameters: readonly NumericArray[], at: number) => IterationResult

export abstract class LoopTransforms extends LoopPasses {
  /** The results that depend on one of the operands in `carriers`. */
  abstract dependents(node: Node<'loop'>, carriers: ReadonlySet<Value>): readonly Value[]
  /** Adds the cotangents of the operands that follow from those of the results. */
  abstract pullBack(node: Node<'loop'>, pass: BackwardPass): void
  /** Runs all iterations. @returns the node where the run ended early, or null */
  abstract interpret(
    node: Node<'loop'>,
    inputs: readonly NumericArray[],
    outputs: readonly NumericArray[],
    run: RunBody,
  ): Node | null
}
