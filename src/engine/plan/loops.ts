// The interface for planning loops, like engine/transforms/loops.ts.

import type { Node, Value } from '../ir/graph'
import type { GraphBuilder } from '../transforms/builder'
import { LoopTransforms } from '../transforms/loops'
import type { Cost } from '../primitives/flops'
import type { FuseOptions, Kernel } from './kernel'
import type { Locations, PlaceConstant } from './locations'
import type { Shared } from './rewrite'

export abstract class LoopPlanning extends LoopTransforms {
  /** The replacement of each output; null for unused outputs. */
  abstract simplify(
    node: Node<'loop'>,
    inputs: readonly Value[],
    isLive: (output: Value) => boolean,
    builder: GraphBuilder,
    shared: Shared,
  ): readonly (Value | null)[]
  /** Emits the loop with a body that can read its slices in place. */
  abstract legalize(
    node: Node<'loop'>,
    operands: readonly Value[],
    builder: GraphBuilder,
    locations: Locations,
    constant: PlaceConstant | null,
  ): readonly Value[]
  /** The cost of all iterations. */
  abstract cost(node: Node<'loop'>): Cost
  /** Creates the kernel, whose body is fused separately. */
  abstract kernel(node: Node<'loop'>, locations: Locations, options: FuseOptions): Kernel
}
