// Graph → plan → tape: the instructions for the kernels in linear memory, in order.

import { sizeOf } from '../../core/shapes'
import type { Graph } from '../ir/graph'
import { plan, type Plan } from '../plan'
import type { FuseOptions } from '../plan/kernel'
import { copyOf } from './builder'
import type { LabelledInstruction } from './encode'
import { lowerAll } from './lower'
import { tapeTarget } from './target'
import { BYTES_PER_ELEMENT } from '../../core/dtypes'

export interface TapeOptions extends FuseOptions {
  /** Shares instructions among threads: see parts.ts. Default: one thread. The results are the same, bit for bit. */
  readonly share?: Share | undefined
  /** Whether products use tiles of 16 columns. The results are the same, bit for bit. Default false. */
  readonly wideTiles?: boolean
}

/** Instructions with their parts and meetings, and the nanoseconds that one thread is expected to need. */
interface Shared {
  readonly instructions: readonly LabelledInstruction[]
  readonly nanoseconds: number
}
export type Share = (instructions: readonly LabelledInstruction[]) => Shared

/** One thread: nothing is shared. */
export const alone: Share = (instructions) => ({ instructions, nanoseconds: 0 })

export interface TapePlan extends Plan {
  readonly instructions: readonly LabelledInstruction[]
  /** Whether an instruction has several parts. */
  readonly isShared: boolean
  /** The time that one thread is expected to need; 0 if nothing is shared. */
  readonly nanoseconds: number
}

export function planTape(graph: Graph, { fuse, share = alone, wideTiles = false }: TapeOptions): TapePlan {
  const planned = plan(graph, { fuse, target: tapeTarget })
  const { kernels, memory, placement } = planned
  const lowered = lowerAll(kernels, placement, { wideTiles })
  // After all kernels, because the cell was still read after its new content was computed.
  const copies = memory.copies.map(({ cell, value, target }): LabelledInstruction => {
    const { address, shape, dtype, strides } = placement.operand(value)
    const out = { buffer: target, offset: 0 }
    const copy = copyOf(address, out, BYTES_PER_ELEMENT * sizeOf(shape))
    return { ...copy, label: `update ${cell.name}`, made: [{ address: out, shape, dtype, strides }] }
  })
  const { instructions, nanoseconds } = share([...lowered, ...copies])
  const isShared = instructions.some(({ parts = 1 }) => parts > 1)
  return { ...planned, instructions, isShared, nanoseconds: isShared ? nanoseconds : 0 }
}
