// Graph → Plan: what a runtime needs to run it. The order of the passes is here and nowhere else.

import { Copy } from '../../assembly/shared/instructions'
import { Opcode } from '../../assembly/shared/opcodes'
import type { Graph } from '../ir/graph'
import type { Address } from '../ir/instruction'
import { instruction } from '../ir/instruction'
import { sizeOf } from '../core/shapes'
import { fuse } from './fuse'
import type { Block, Kernel } from './kernel'
import { locatedOnce, lowerAll } from './kernel'
import { legalize } from './legalize'
import type { MemoryPlan, PlacedBuffer } from './memory'
import { locate, planMemory } from './memory'
import { simplify } from './simplify'
import type { LabelledInstruction } from '../tape/encode'

export interface PlanOptions {
  /** false: one kernel per node. The results are the same up to rounding. */
  readonly fuse: boolean
  /** Deals instructions out to threads: see parts.ts. Default null: one thread. The results are the same, bit for bit. */
  readonly share?: Share | null
  /** Tiles of 16 columns in products. The results are the same, bit for bit. Default false. */
  readonly wideTiles?: boolean
}

/** Instructions with their parts and meetings, and the nanoseconds that one thread is expected to need. */
export interface Shared {
  readonly instructions: readonly LabelledInstruction[]
  readonly nanoseconds: number
}
export type Share = (instructions: readonly LabelledInstruction[]) => Shared

export interface Plan {
  /** The graph after simplification, as it runs. */
  readonly graph: Graph
  readonly kernels: readonly Kernel[]
  readonly instructions: readonly LabelledInstruction[]
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
  const operand = locatedOnce(legal, (value) => locate(value, memory, locations))
  const at = (buffer: PlacedBuffer | undefined): Address | null => (buffer === undefined ? null : { buffer, offset: 0 })
  const { wideTiles = false } = options
  const scratch = { buffer: memory.scratch, offset: 0 }
  const block = (of: Block): Address => at(memory.blocks.get(of))!
  const temporaryOf = (kernel: Kernel): Address | null => at(memory.temporaries.get(kernel))
  const lowered = lowerAll(kernels, { operand, scratch, temporaryOf, block, wideTiles })
  // After all kernels: the cell was still read when its new content was made.
  const copies = memory.copies.map(({ cell, value, target }): LabelledInstruction => {
    const { address, shape, dtype, strides } = operand(value)
    const out = { buffer: target, offset: 0 }
    const copy = instruction(Opcode.Copy, Copy, { out, input: address, rank: 1 }, [sizeOf(shape), 1, 1])
    return { ...copy, label: `update ${cell.name}`, made: [{ address: out, shape, dtype, strides }] }
  })
  const alone = [...lowered, ...copies]
  const { instructions, nanoseconds } = options.share?.(alone) ?? { instructions: alone, nanoseconds: 0 }
  const isShared = instructions.some(({ parts = 1 }) => parts > 1)
  return {
    graph: legal,
    kernels,
    instructions,
    memory,
    parameters: legal.parameters.map((value) => operand(value).address),
    outputs: legal.outputs.map((value) => operand(value).address),
    isShared,
    nanoseconds: isShared ? nanoseconds : 0,
  }
}
