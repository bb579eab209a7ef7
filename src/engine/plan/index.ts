// Graph → Plan: which kernels run in which order, and where every value is located. The order of the passes is
// defined only here. A device generates code from the kernels: src/engine/tape does so for the tape.

import type { Graph } from '../ir/graph'
import type { Address } from '../ir/operand'
import { fuse } from './fuse'
import { locatedOnce, type JointResults, type FuseOptions, type Kernel, type Placement } from './kernel'
import { legalize } from './legalize'
import { locate, planMemory, type MemoryPlan, type PlacedBuffer } from './memory'
import { simplify } from './simplify'
import type { Target } from './target'

export interface PlanOptions extends FuseOptions {
  /** The device that runs the kernels. */
  readonly target: Target
}

export interface Plan {
  /** The graph after simplification. */
  readonly graph: Graph
  /** In execution order. */
  readonly kernels: readonly Kernel[]
  readonly memory: MemoryPlan
  readonly placement: Placement
  readonly parameters: readonly Address[]
  readonly outputs: readonly Address[]
}

export function plan(graph: Graph, options: PlanOptions): Plan {
  const { graph: legal, locations } = legalize(simplify(graph), options.target)
  const kernels = fuse(legal, locations, options)
  const memory = planMemory(legal, kernels, locations)
  const operand = locatedOnce(legal, (value) => locate(value, memory, locations))
  const at = (buffer: PlacedBuffer | undefined): Address | null => (buffer === undefined ? null : { buffer, offset: 0 })
  const placement: Placement = {
    operand,
    scratch: { buffer: memory.scratch, offset: 0 },
    block: (of: JointResults) => at(memory.blocks.get(of))!,
    temporaryOf: (kernel) => at(memory.temporaries.get(kernel)),
  }
  return {
    graph: legal,
    kernels,
    memory,
    placement,
    parameters: legal.parameters.map((value) => operand(value).address),
    outputs: legal.outputs.map((value) => operand(value).address),
  }
}
