// What the planner does with loops: the interface, as transforms/loops.ts has it.

import type { Node, Value } from '../ir/graph'
import type { GraphBuilder } from '../transforms/builder'
import { LoopTransforms } from '../transforms/loops'
import type { FuseOptions, Kernel } from './kernel'
import type { Locations, PlaceConstant } from './locations'
import type { Shared } from './rewrite'

export abstract class LoopPlanning extends LoopTransforms {
  /** What stands for each output; null for those that nothing needs. */
  abstract simplify(
    node: Node<'loop'>,
    inputs: readonly Value[],
    isLive: (output: Value) => boolean,
    builder: GraphBuilder,
    shared: Shared,
  ): readonly (Value | null)[]
  /** Emits the loop with a body that can read its slices as they lie. */
  abstract legalize(
    node: Node<'loop'>,
    operands: readonly Value[],
    builder: GraphBuilder,
    locations: Locations,
    constant: PlaceConstant | null,
  ): readonly Value[]
  /** Makes the kernel, whose body is fused by itself. */
  abstract kernel(node: Node<'loop'>, locations: Locations, options: FuseOptions): Kernel
}
