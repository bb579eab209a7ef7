// Families of kernels that share their code, each with a graph that tests it: see self-test.ts.

import type { NumericArray } from '../../core/dtypes'
import type { Shape, TensorType } from '../../core/shapes'
import type { Graph, Node, Value } from '../ir/graph'
import { bodyOf, isLoop } from '../ir/region'
import type { GraphBuilder } from '../transforms/builder'

/** An input with its content. */
export interface TestInput extends TensorType {
  readonly data: NumericArray
}

export interface Family {
  readonly name: string
  /** Whether a node runs these kernels. */
  readonly has: (node: Node) => boolean
  /** Inputs of the graph; a shape stands for float32 numbers in ±1. */
  readonly inputs: readonly (Shape | TestInput)[]
  readonly body: (builder: GraphBuilder, inputs: readonly Value[]) => readonly Value[]
}

/** The nodes of a graph, and those in its loops. */
export function allNodes({ nodes }: Graph): readonly Node[] {
  return nodes.flatMap((node) => (isLoop(node) ? [node, ...allNodes(bodyOf(node))] : [node]))
}
