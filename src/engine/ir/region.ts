// Graphs inside graphs: the body of a loop, and the roles of its operands and results. Pure data and queries.
// The passes for a loop come with its body, so that applications without loops do not bundle them.

import { internalError } from '../../core/errors'
import type { TensorType } from '../../core/shapes'
import type { LoopAttributes, Region } from './attributes'
import type { Graph, Node } from './graph'

/**
 * The passes for loops. Subclasses in other folders add the passes that these folders need: LoopTransforms, LoopPlanning,
 * LoopLowering. The only complete implementation is in engine/tape/loop-passes.ts.
 */
export abstract class LoopPasses {
  /** The types of the results: the rule's `infer`. */
  abstract infer(inputs: readonly TensorType[], attributes: LoopAttributes): readonly TensorType[]
}

/** A graph as an attribute. It has no cells: the contents that it reads and changes are its inputs and outputs. */
export class Body implements Region {
  constructor(
    readonly graph: Graph,
    readonly passes: LoopPasses,
  ) {}

  /** Another graph for the same kind of loop. */
  with(graph: Graph): Body {
    return new Body(graph, this.passes)
  }

  get parameters(): readonly TensorType[] {
    return this.graph.parameters
  }

  get outputs(): readonly TensorType[] {
    return this.graph.outputs
  }

  infer(inputs: readonly TensorType[], attributes: LoopAttributes): readonly TensorType[] {
    return this.passes.infer(inputs, attributes)
  }
}

/** The length of a loop that ends only by its condition. A tape counts iterations in 32 bits. */
export const UNLIMITED = 2 ** 31 - 1

export function isLoop(node: Node): node is Node<'loop'> {
  return node.name === 'loop'
}

export function regionOf({ attributes: { body } }: Node<'loop'>): Body {
  if (!(body instanceof Body)) throw internalError('a loop has no graph')
  return body
}

export function bodyOf(node: Node<'loop'>): Graph {
  return regionOf(node).graph
}

/** The passes of a loop, with the type that a folder needs. */
export function passesOf<Passes extends LoopPasses>(node: Node<'loop'>, kind: abstract new () => Passes): Passes {
  const { passes } = regionOf(node)
  if (!(passes instanceof kind)) throw internalError('a loop lacks the passes for its graph')
  return passes
}

export interface LoopOperands<Item> {
  readonly carries: readonly Item[]
  readonly scanned: readonly Item[]
  readonly captures: readonly Item[]
}

/** The operands of a loop, or the parameters of its body, by role. */
export function operandsOf<Item>(
  { attributes: { carries, scanned } }: Node<'loop'>,
  all: readonly Item[],
): LoopOperands<Item> {
  const end = carries + scanned
  return { carries: all.slice(0, carries), scanned: all.slice(carries, end), captures: all.slice(end) }
}
