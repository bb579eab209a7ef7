// Graphs inside graphs: the body of a loop, and which operands and results are what. Pure data and questions about it.
// What the passes do with a loop comes with its body, so that an application without loops does not carry it.

import type { NumericArray } from '../core/dtypes'
import { internalError } from '../core/errors'
import type { TensorType } from '../core/shapes'
import type { FuseOptions } from '../plan/fuse'
import type { Kernel } from '../plan/kernel'
import type { Locations, PlaceConstant } from '../plan/legalize'
import type { Shared } from '../plan/rewrite'
import type { LoopAttributes, Region } from './attributes'
import { ruleOf } from '../primitives'
import type { GraphBuilder } from '../transforms/builder'
import type { BackwardPass } from '../transforms/differentiate'
import type { Graph, Node, Value } from './graph'
import type { RunBody } from '../transforms/interpret'

/** What each pass does with a loop. The only one is in plan/loop-passes.ts. */
export interface LoopPasses {
  /** The types of the results: the rule's `infer`. */
  infer(inputs: readonly TensorType[], attributes: LoopAttributes): readonly TensorType[]
  /** The results that depend on one of the operands among `carriers`. */
  dependents(node: Node<'loop'>, carriers: ReadonlySet<Value>): readonly Value[]
  /** Adds what the results send back to the cotangents of the operands. */
  pullBack(node: Node<'loop'>, pass: BackwardPass): void
  /** Runs all turns. @returns the node at which the run was ended early */
  interpret(
    node: Node<'loop'>,
    inputs: readonly NumericArray[],
    outputs: readonly NumericArray[],
    run: RunBody,
  ): Node | null
  /** What stands for each output; null for those that nothing needs. */
  simplify(
    node: Node<'loop'>,
    inputs: readonly Value[],
    isLive: (output: Value) => boolean,
    builder: GraphBuilder,
    shared: Shared,
  ): readonly (Value | null)[]
  /** Emits the loop with a body that can read its slices as they lie. */
  legalize(
    node: Node<'loop'>,
    operands: readonly Value[],
    builder: GraphBuilder,
    locations: Locations,
    constant: PlaceConstant | null,
  ): readonly Value[]
  /** Makes the kernel, whose body is fused by itself. */
  kernel(node: Node<'loop'>, locations: Locations, options: FuseOptions): Kernel
}

/** A graph as an attribute. It has no cells: what it reads and changes goes in and comes out. */
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

export function isLoop(node: Node): node is Node<'loop'> {
  return node.name === 'loop'
}

export function regionOf({ attributes: { body } }: Node<'loop'>): Body {
  if (!(body instanceof Body)) throw internalError('a loop without a graph')
  return body
}

export function bodyOf(node: Node<'loop'>): Graph {
  return regionOf(node).graph
}

export function passesOf(node: Node<'loop'>): LoopPasses {
  return regionOf(node).passes
}

export interface LoopOperands<Item> {
  readonly carries: readonly Item[]
  readonly scanned: readonly Item[]
  readonly captures: readonly Item[]
}

/** The operands of a loop, or the parameters of its body, by their kind. */
export function operandsOf<Item>(
  { attributes: { carries, scanned } }: Node<'loop'>,
  all: readonly Item[],
): LoopOperands<Item> {
  const end = carries + scanned
  return { carries: all.slice(0, carries), scanned: all.slice(carries, end), captures: all.slice(end) }
}

/** Must run even when no result is asked for. */
export function hasEffect(node: Node): boolean {
  if (isLoop(node)) return bodyOf(node).nodes.some(hasEffect)
  return ruleOf(node.name).effect === true
}
