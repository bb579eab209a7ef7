// Graph → Plan: what a runtime needs to run it. The order of the passes is here and nowhere else.

import { Copy } from '../../assembly/shared/instructions'
import { Opcode } from '../../assembly/shared/opcodes'
import type { Graph, Value } from '../ir/graph'
import type { Address, Instruction, Operand } from '../ir/instruction'
import { instruction } from '../ir/instruction'
import { sizeOf } from '../core/shapes'
import { fuse } from './fuse'
import type { Kernel } from './kernel'
import { labelOf } from './kernel'
import type { Locations } from './legalize'
import { legalize } from './legalize'
import type { MemoryPlan } from './memory'
import { planMemory } from './memory'
import { meetings, partsOf, workOf } from './parts'
import { simplify } from './simplify'
import type { LabelledInstruction } from './tape'

export interface PlanOptions {
  /** false: one kernel per node. The results are the same up to rounding. */
  readonly fuse: boolean
  /** Default 1. The results are the same, bit for bit. */
  readonly threads?: number
  /** Nanoseconds of work that a part must be worth. Default PART_WORK. */
  readonly partWork?: number | undefined
  /** Tiles of 16 columns in products. The results are the same, bit for bit. Default false. */
  readonly wideTiles?: boolean
}

export interface Plan {
  /** The graph after simplification, as it runs. */
  readonly graph: Graph
  readonly kernels: readonly Kernel[]
  readonly instructions: readonly LabelledInstruction[]
  /** The kernel that each instruction belongs to; −1 for the copies of updates at the end. */
  readonly kernelOf: readonly number[]
  readonly memory: MemoryPlan
  readonly parameters: readonly Address[]
  readonly outputs: readonly Address[]
  /** Whether several threads have something to do. */
  readonly isShared: boolean
  /** What one thread is expected to need; 0 where there is work for one only. */
  readonly nanoseconds: number
}

export function plan(graph: Graph, options: PlanOptions): Plan {
  const { graph: legal, locations } = legalize(simplify(graph))
  const kernels = fuse(legal, locations, options)
  const memory = planMemory(legal, kernels, locations)
  const operandOf = (value: Value): Operand => locate(value, memory, locations)
  const labelled: (Instruction & { readonly label: string })[] = []
  const kernelOf: number[] = []
  const scratch = { buffer: memory.scratch, offset: 0 }
  const { wideTiles = false } = options
  kernels.forEach((kernel, index) => {
    const label = labelOf(kernel)
    const emit = (instruction: Instruction): void => {
      labelled.push({ ...instruction, label })
      kernelOf.push(index)
    }
    kernel.lower({ operand: operandOf, scratch, wideTiles, emit })
  })
  for (const { cell, value, target } of memory.copies) {
    // After all kernels: the cell was still read when its new content was made.
    const { address, shape } = operandOf(value)
    const fields = { out: { buffer: target, offset: 0 }, input: address, rank: 1 }
    const copy = instruction(Opcode.Copy, Copy, fields, [sizeOf(shape), 1, 1])
    labelled.push({ ...copy, label: `update ${cell.name}` })
    kernelOf.push(-1)
  }
  const parts = labelled.map((each) => partsOf(each, options.threads ?? 1, options.partWork))
  const meets = meetings(parts)
  const instructions = labelled.map((each, i) => ({ ...each, parts: parts[i]!, meets: meets[i]! }))
  const isShared = parts.some((count) => count > 1)
  return {
    graph: legal,
    kernels,
    instructions,
    kernelOf,
    memory,
    parameters: legal.parameters.map((value) => operandOf(value).address),
    outputs: legal.outputs.map((value) => operandOf(value).address),
    isShared,
    nanoseconds: isShared ? labelled.reduce((sum, each) => sum + workOf(each).nanoseconds, 0) : 0,
  }
}

function locate(value: Value, memory: MemoryPlan, locations: Locations): Operand {
  const { base, layout } = locations.of(value)
  const place = memory.places.get(base)!
  return {
    shape: value.shape,
    dtype: value.dtype,
    address: { buffer: place.buffer, offset: place.offset + 4 * layout.offset },
    strides: layout.strides,
  }
}
