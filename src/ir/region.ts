// Graphs inside graphs: the body of a loop, and which operands and results are what. Pure data and questions about it.

import { internalError } from '../core/errors'
import type { TensorType } from '../core/shapes'
import type { Region } from '../primitives/attributes'
import { ruleOf } from '../primitives'
import type { Graph, Node } from './graph'

/** A graph as an attribute. It has no cells: what it reads and changes goes in and comes out. */
export class Body implements Region {
  constructor(readonly graph: Graph) {}

  get parameters(): readonly TensorType[] {
    return this.graph.parameters
  }

  get outputs(): readonly TensorType[] {
    return this.graph.outputs
  }
}

export function isLoop(node: Node): node is Node<'loop'> {
  return node.name === 'loop'
}

export function bodyOf({ attributes: { body } }: Node<'loop'>): Graph {
  if (!(body instanceof Body)) throw internalError('a loop without a graph')
  return body.graph
}

export interface LoopOperands<Item> {
  readonly carries: readonly Item[]
  readonly scanned: readonly Item[]
  readonly captures: readonly Item[]
}

/** The operands of a loop, or the parameters of its body, by their kind. */
export function operandsOf<Item>({ attributes: { carries, scanned } }: Node<'loop'>, all: readonly Item[]): LoopOperands<Item> {
  const end = carries + scanned
  return { carries: all.slice(0, carries), scanned: all.slice(carries, end), captures: all.slice(end) }
}

/** Must run even when no result is asked for. */
export function hasEffect(node: Node): boolean {
  if (isLoop(node)) return bodyOf(node).nodes.some(hasEffect)
  return ruleOf(node.name).effect === true
}
