// Graph → plan → tape: the instructions that the kernels in linear memory run, in their order.

import { sizeOf } from '../core/shapes'
import type { Graph } from '../ir/graph'
import type { Plan } from '../plan'
import { plan } from '../plan'
import type { FuseOptions } from '../plan/kernel'
import { copyOf } from './builder'
import type { LabelledInstruction } from './encode'
import { lowerAll } from './lower'
import { tapeTarget } from './target'
import { BYTES_PER_ELEMENT } from '../core/dtypes'

export interface TapeOptions extends FuseOptions {
  /** Deals instructions out to threads: see parts.ts. Default: one thread. The results are the same, bit for bit. */
  readonly share?: Share | undefined
  /** Tiles of 16 columns in products. The results are the same, bit for bit. Default false. */
  readonly wideTiles?: boolean
}

/** Instructions with their parts and meetings, and the nanoseconds that one thread is expected to need. */
export interface Shared {
  readonly instructions: readonly LabelledInstruction[]
  readonly nanoseconds: number
}
export type Share = (instructions: readonly LabelledInstruction[]) => Shared

/** Of one thread: nothing is dealt out. */
export const alone: Share = (instructions) => ({ instructions, nanoseconds: 0 })

export interface TapePlan extends Plan {
  readonly instructions: readonly LabelledInstruction[]
  /** Whether several threads have something to do. */
  readonly isShared: boolean
  /** What one thread is expected to need; 0 where there is work for one only. */
  readonly nanoseconds: number
}

export function planTape(graph: Graph, { fuse, share = alone, wideTiles = false }: TapeOptions): TapePlan {
  const planned = plan(graph, { fuse, target: tapeTarget })
  const { kernels, memory, placement } = planned
  const lowered = lowerAll(kernels, placement, { wideTiles })
  // After all kernels: the cell was still read when its new content was made.
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
