// Gives every value a place: bytes in the workspace that are shared by values that do not live at the same
// time, a cell's own bytes where an update can be written in place, or a part of a concatenation. Never
// reorders kernels.

import { ALIGNMENT } from '../../assembly/shared/instructions'
import { internalError } from '../core/errors'
import { ruleOf } from '../ir/builder'
import type { Cell, Graph, Node, Update, Value } from '../ir/graph'
import { cellsOverlap } from '../ir/graph'
import type { Buffer } from '../ir/instruction'
import type { PrimitiveName } from '../primitives/attributes'
import type { DType, NumericArray } from '../core/dtypes'
import { BYTES_PER_ELEMENT } from '../core/dtypes'
import { sizeOf } from '../core/shapes'
import type { Kernel } from './kernel'
import type { Locations } from './legalize'
import { constantData } from './simplify'

/** Where a buffer's bytes are; offsets in bytes. */
export type Home =
  | { readonly kind: 'workspace'; readonly offset: number }
  | { readonly kind: 'constants'; readonly offset: number }
  | { readonly kind: 'cell'; readonly cell: Cell }
  | { readonly kind: 'scratch' }

export interface PlacedBuffer extends Buffer {
  readonly home: Home
  /** The first and last kernel that uses it, inclusive; −1 is before the first. */
  readonly start: number
  readonly end: number
}

/** The bytes of a value that has its own (see legalize.ts): all of a buffer, or a part. */
export interface Place {
  readonly buffer: PlacedBuffer
  readonly offset: number
}

export interface MemoryPlan {
  readonly places: ReadonlyMap<Value, Place>
  readonly buffers: readonly PlacedBuffer[]
  readonly scratch: PlacedBuffer
  readonly workspaceBytes: number
  /** The largest sum of buffers that live at one time: no plan can be smaller. */
  readonly lowerBound: number
  readonly constants: readonly { readonly offset: number; readonly dtype: DType; readonly data: NumericArray }[]
  readonly constantBytes: number
  /** Updates that must be copied to their cell when all kernels have run. */
  readonly copies: readonly (Update & { readonly target: PlacedBuffer })[]
}

interface Draft {
  readonly bytes: number
  start: number
  end: number
  home: Home | null
}

/** A value's bytes while the plan is being made: a draft of its own, or a part of another value. */
type Holder = { readonly draft: Draft } | { readonly within: Value; readonly offset: number }

function bytesOf(value: Value): number {
  return BYTES_PER_ELEMENT * sizeOf(value.shape)
}

export function planMemory(graph: Graph, kernels: readonly Kernel[], locations: Locations): MemoryPlan {
  return new Planner(graph, kernels, locations).plan()
}

class Planner {
  private readonly holders = new Map<Value, Holder>()
  private readonly madeAt = new Map<Value, number>()
  private readonly lastRead = new Map<Value, number>()
  private readonly constants: { offset: number; dtype: DType; data: NumericArray }[] = []
  private constantBytes = 0

  constructor(
    private readonly graph: Graph,
    private readonly kernels: readonly Kernel[],
    private readonly locations: Locations,
  ) {
    kernels.forEach((kernel, index) => {
      for (const value of kernel.writes) this.madeAt.set(value, index)
      for (const value of kernel.reads) this.lastRead.set(value, index)
    })
  }

  plan(): MemoryPlan {
    this.holdInputs()
    this.holdConstants()
    const copies = this.placeUpdates()
    this.placeParts()
    for (const value of this.madeAt.keys()) if (!this.holders.has(value)) this.hold(value, null)
    this.extendLives()
    this.shareInPlace()
    return this.finish(copies)
  }

  private hold(value: Value, home: Home | null): Draft {
    const at = this.madeAt.get(value) ?? -1
    const draft = { bytes: bytesOf(value), start: at, end: at, home }
    this.holders.set(value, { draft })
    return draft
  }

  private draftOf(value: Value): Draft {
    const holder = this.holders.get(value)
    if (holder === undefined) throw internalError(`value %${value.id} has no bytes`)
    return 'draft' in holder ? holder.draft : this.draftOf(holder.within)
  }

  private offsetOf(value: Value): number {
    const holder = this.holders.get(value)!
    return 'draft' in holder ? 0 : holder.offset + this.offsetOf(holder.within)
  }

  private holdInputs(): void {
    for (const parameter of this.graph.parameters) this.hold(parameter, null)
    for (const [cell, value] of this.graph.cells) this.hold(value, { kind: 'cell', cell })
  }

  private holdConstants(): void {
    for (const node of this.graph.nodes) {
      const data = constantData(node)
      if (data === null) continue
      this.constants.push({ offset: this.constantBytes, dtype: node.outputs[0]!.dtype, data })
      this.hold(node.outputs[0]!, { kind: 'constants', offset: this.constantBytes })
      this.constantBytes += align(bytesOf(node.outputs[0]!), data.length > 4 ? ALIGNMENT : 16)
    }
  }

  /** Lets the kernel that makes a cell's new content write it to the cell, wherever nothing needs the old one later. */
  private placeUpdates() {
    const lastEffect = this.kernels.findLastIndex((kernel) => kernel.nodes.some((node) => ruleOf(node.name).effect === true))
    return this.graph.updates.filter(({ cell, value }) => {
      const { base } = this.locations.of(value)
      const at = this.madeAt.get(base)
      if (at === undefined || this.holders.has(base) || at < lastEffect) return true
      if (!this.isFreeToWrite(cell, base, at)) return true
      this.hold(base, { kind: 'cell', cell })
      return false
    })
  }

  private isFreeToWrite(cell: Cell, value: Value, at: number): boolean {
    for (const [other, content] of this.graph.cells) {
      if (!cellsOverlap(cell, other)) continue
      const last = this.lastRead.get(content) ?? -1
      if (last > at) return false
      if (last === at && !(other === cell && this.kernels[at]!.mayShare(value, content))) return false
    }
    return true
  }

  /** Lets the operands of a concatenation be written to their place in it. */
  private placeParts(): void {
    for (let i = this.kernels.length - 1; i >= 0; i--) {
      for (const node of this.kernels[i]!.nodes) {
        const offsets = placesOf(node)
        if (offsets === null) continue
        const whole = node.outputs[0]!
        const holder = this.holders.get(whole)
        // In a cell's bytes the parts would be written before the cell is free.
        if (holder !== undefined && 'draft' in holder) continue
        if (holder === undefined) this.hold(whole, null)
        node.inputs.forEach((input, j) => {
          const { base } = this.locations.of(input)
          const own = this.madeAt.has(base) && !this.holders.has(base) && this.locations.isWhole(input)
          if (own) this.holders.set(base, { within: whole, offset: BYTES_PER_ELEMENT * offsets[j]! })
        })
      }
    }
  }

  private extendLives(): void {
    const touch = (value: Value, at: number): void => {
      const draft = this.draftOf(value)
      draft.start = Math.min(draft.start, at)
      draft.end = Math.max(draft.end, at)
    }
    this.kernels.forEach((kernel, index) => {
      for (const value of kernel.writes) touch(value, index)
      for (const value of kernel.reads) touch(value, index)
    })
    for (const value of this.graph.outputs) touch(this.locations.of(value).base, this.kernels.length)
    for (const { value } of this.graph.updates) touch(this.locations.of(value).base, this.kernels.length)
  }

  /** Lets a kernel write over an operand that dies there. */
  private shareInPlace(): void {
    this.kernels.forEach((kernel, index) => {
      for (const write of kernel.writes) {
        const target = this.holders.get(write)!
        if (!('draft' in target) || target.draft.home !== null || target.draft.start !== index) continue
        for (const read of kernel.reads) {
          const source = this.holders.get(read)!
          const dies = 'draft' in source && source.draft.home === null && source.draft.end === index
          if (!dies || source.draft.bytes !== target.draft.bytes || !kernel.mayShare(write, read)) continue
          // Another operand may be a part of the same bytes.
          if ([...kernel.reads].some((other) => other !== read && this.draftOf(other) === source.draft)) continue
          source.draft.end = Math.max(source.draft.end, target.draft.end)
          this.redirect(target.draft, source.draft)
          break
        }
      }
    })
  }

  private redirect(from: Draft, to: Draft): void {
    for (const [value, holder] of this.holders) {
      if ('draft' in holder && holder.draft === from) this.holders.set(value, { draft: to })
    }
  }

  private finish(copies: readonly Update[]): MemoryPlan {
    const drafts = [...new Set([...this.holders.keys()].map((value) => this.draftOf(value)))]
    const { offsets, size } = assignOffsets(drafts.filter((draft) => draft.home === null))
    let id = 0
    const buffers = new Map<Draft, PlacedBuffer>()
    for (const draft of drafts) {
      const home = draft.home ?? { kind: 'workspace' as const, offset: offsets.get(draft)! }
      buffers.set(draft, { id: id++, byteLength: draft.bytes, home, start: draft.start, end: draft.end })
    }
    const places = new Map<Value, Place>()
    for (const value of this.holders.keys()) {
      places.set(value, { buffer: buffers.get(this.draftOf(value))!, offset: this.offsetOf(value) })
    }
    const last = this.kernels.length
    const cellOf = ({ cell, value }: Update): PlacedBuffer => {
      return { id: id++, byteLength: bytesOf(value), home: { kind: 'cell', cell }, start: last, end: last }
    }
    const all = [...buffers.values()]
    return {
      places,
      buffers: all,
      scratch: { id: id++, byteLength: 0, home: { kind: 'scratch' }, start: 0, end: last },
      workspaceBytes: size,
      // Only asked for by those who compare.
      get lowerBound() {
        return largestLiveSum(all, last)
      },
      constants: this.constants,
      constantBytes: this.constantBytes,
      copies: copies.map((update) => ({ ...update, target: cellOf(update) })),
    }
  }
}

export interface Interval {
  readonly bytes: number
  readonly start: number
  readonly end: number
}

/**
 * Offsets for blocks that live from `start` to `end` inclusive, so that no two that live at one time
 * overlap: largest first, each at the lowest gap that fits.
 */
export function assignOffsets<Block extends Interval>(blocks: readonly Block[]): { offsets: Map<Block, number>; size: number } {
  const offsets = new Map<Block, number>()
  let size = 0
  for (const block of [...blocks].sort((a, b) => b.bytes - a.bytes || a.start - b.start)) {
    const neighbours = [...offsets]
      .filter(([other]) => other.start <= block.end && block.start <= other.end)
      .sort((a, b) => a[1] - b[1])
    let offset = 0
    for (const [other, at] of neighbours) {
      if (at - offset >= align(block.bytes, ALIGNMENT)) break
      offset = Math.max(offset, at + align(other.bytes, ALIGNMENT))
    }
    offsets.set(block, offset)
    size = Math.max(size, offset + align(block.bytes, ALIGNMENT))
  }
  return { offsets, size }
}

export function align(bytes: number, multiple: number): number {
  return Math.ceil(bytes / multiple) * multiple
}

function largestLiveSum(buffers: readonly PlacedBuffer[], kernels: number): number {
  let largest = 0
  for (let at = -1; at <= kernels; at++) {
    let sum = 0
    for (const { home, start, end, byteLength } of buffers) {
      if (home.kind === 'workspace' && start <= at && at <= end) sum += align(byteLength, ALIGNMENT)
    }
    largest = Math.max(largest, sum)
  }
  return largest
}

function placesOf<Name extends PrimitiveName>(node: Node<Name>): readonly number[] | null {
  const rule = ruleOf(node.name)
  return rule.kind === 'kernel' ? (rule.places?.(node.inputs, node.attributes) ?? null) : null
}
