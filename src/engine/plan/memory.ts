// Assigns memory to every value: bytes in the workspace, which values with disjoint lifetimes share; the bytes of a cell,
// if its update can be written there directly; or a part of a concatenation's bytes. Never reorders kernels.

import { ALIGNMENT } from '../../../assembly/shared/instructions'
import { internalError } from '../../core/errors'
import type { Cell, Graph, Update, Value } from '../ir/graph'
import { hasEffect } from '../transforms/effect'
import { offsetBy, type Address, type Buffer, type Operand } from '../ir/operand'
import { BYTES_PER_ELEMENT, type DType, type NumericArray } from '../../core/dtypes'
import { sizeOf } from '../../core/shapes'
import { CellReaders } from './cell-readers'
import type { JointResults, Kernel } from './kernel'
import type { Locations } from './locations'
import { align, assignOffsets } from './offsets'
import { constantData } from './simplify'
import type { Target } from './target'

/** Where a buffer's bytes are; offsets in bytes. */
export type Home =
  | { readonly kind: 'workspace'; readonly offset: number }
  | { readonly kind: 'constants'; readonly offset: number }
  | { readonly kind: 'cell'; readonly cell: Cell }
  | { readonly kind: 'scratch' }
  /** In a loop's body: bytes that the loop provides. */
  | { readonly kind: 'bound'; readonly value: Value }
  /** In a loop's body, once the loop is placed: bytes at the same address in every iteration. */
  | { readonly kind: 'inside'; readonly at: Address }
  /** In a loop's body, once the loop is placed: bytes at another address in each iteration. */
  | { readonly kind: 'moving'; readonly stream: Stream }

/** Identifies a loop by reference: no two loops have the same object. */
export interface LoopIdentity {
  readonly reverse: boolean
}

/** The address of the bytes in each iteration of a loop: see Loop in assembly/shared/instructions.ts. */
export interface Stream {
  readonly loop: LoopIdentity
  readonly first: Address
  readonly odd: Address
  readonly even: Address
  /** In bytes, for two iterations. */
  readonly step: number
}

/** The number of the current iteration of each loop that is running, outermost first. A loop without one is at its first. */
export type Turns = ReadonlyMap<LoopIdentity, number>

/** The address of a stream in the current iteration of its loop. */
export function streamAt({ loop, first, odd, even, step }: Stream, turns: Turns): Address {
  const turn = turns.get(loop) ?? 0
  if (turn === 0) return first
  return offsetBy(turn % 2 === 1 ? odd : even, step * Math.floor(turn / 2))
}

export interface PlacedBuffer extends Buffer {
  readonly home: Home
  /** The first and last kernel that use it, inclusive; −1 is before the first kernel. */
  readonly start: number
  readonly end: number
}

/** Whether the planner has placed a buffer. In a finished plan it has placed all of them. */
export function isPlaced(buffer: Buffer): buffer is PlacedBuffer {
  return 'home' in buffer
}

/** The buffer of an address of a finished plan, with its place. */
export function placed(buffer: Buffer): PlacedBuffer {
  if (!isPlaced(buffer)) throw internalError('a buffer has no location')
  return buffer
}

/** The bytes of a value that is not a view of another one (see legalize.ts): all of a buffer, or a part of it. */
interface Place {
  readonly buffer: PlacedBuffer
  readonly offset: number
}

export interface MemoryPlan {
  /** Indexed by the value's id. */
  readonly places: readonly Place[]
  readonly buffers: readonly PlacedBuffer[]
  readonly scratch: PlacedBuffer
  /** The memory that kernels request for themselves while they run. */
  readonly temporaries: ReadonlyMap<Kernel, PlacedBuffer>
  readonly blocks: ReadonlyMap<JointResults, PlacedBuffer>
  readonly workspaceBytes: number
  /** The largest sum of simultaneously live buffers: no plan can be smaller. */
  readonly lowerBound: number
  readonly constants: readonly { readonly offset: number; readonly dtype: DType; readonly data: NumericArray }[]
  readonly constantBytes: number
  /** Updates that must be copied to their cell after all kernels. */
  readonly copies: readonly (Update & { readonly target: PlacedBuffer })[]
}

/** A buffer during planning. Drafts can be merged. */
interface Draft {
  readonly bytes: number
  start: number
  end: number
  home: Home | null
  /** The draft into whose bytes this one was merged. */
  into: Draft | null
  /** The final buffer. */
  buffer: PlacedBuffer | null
}

function draftFor(bytes: number, at: number, home: Home | null = null): Draft {
  return { bytes, start: at, end: at, home, into: null, buffer: null }
}

/** The draft that owns the bytes after all merges. Shortens the path to it, so that repeated calls are cheap. */
function rootOf(draft: Draft): Draft {
  let root = draft
  while (root.into !== null) root = root.into
  while (draft.into !== null) {
    const next = draft.into
    draft.into = root
    draft = next
  }
  return root
}

/** A value's bytes during planning: an offset in a draft, or a part of another value. */
interface Holder {
  readonly draft: Draft | null
  /** The enclosing value if there is no draft. */
  readonly within: Value | null
  readonly offset: number
}

function bytesOf(value: Value): number {
  return BYTES_PER_ELEMENT * sizeOf(value.shape)
}

/** A value as the operand of a kernel. `bufferOf` places the buffers of a loop's body. */
export function locate(
  value: Value,
  memory: MemoryPlan,
  locations: Locations,
  bufferOf: (buffer: PlacedBuffer) => PlacedBuffer = (buffer) => buffer,
): Operand {
  const { base, layout } = locations.of(value)
  const place = memory.places[base.id]!
  return {
    shape: value.shape,
    dtype: value.dtype,
    address: { buffer: bufferOf(place.buffer), offset: place.offset + BYTES_PER_ELEMENT * layout.offset },
    strides: layout.strides,
  }
}

/**
 * @param bound values of a loop's body whose bytes the loop provides
 * @param keeps see `Target`
 */
export function planMemory(
  graph: Graph,
  kernels: readonly Kernel[],
  locations: Locations,
  bound: Iterable<Value> = [],
  keeps: Keeping = locations.target.keeps ?? (() => 0),
): MemoryPlan {
  return new Planner(graph, kernels, locations, bound).plan(keeps)
}

/** For how many kernels after its last one a value of so many bytes keeps them. */
type Keeping = NonNullable<Target['keeps']>

/** Stands for the index of a kernel if no kernel writes, or reads, a value. */
const NEVER = -1

class Planner {
  /** The values that have their own bytes. */
  private readonly held: Value[] = []
  /** Indexed by the value's id: its bytes, and the kernels that write it and that read it last. */
  private readonly holders: Holder[]
  private readonly madeAt: Int32Array
  private readonly lastRead: Int32Array
  private readonly temporaries = new Map<Kernel, Draft>()
  private readonly blocks = new Map<JointResults, Draft>()
  private readonly constants: { offset: number; dtype: DType; data: NumericArray }[] = []
  private constantBytes = 0
  /** The last kernel that may end the run: no cell is written before it. */
  private lastEffect!: number
  private readers!: CellReaders

  constructor(
    private readonly graph: Graph,
    private readonly kernels: readonly Kernel[],
    private readonly locations: Locations,
    private readonly bound: Iterable<Value>,
  ) {
    this.holders = new Array<Holder>(graph.idEnd)
    this.madeAt = new Int32Array(graph.idEnd).fill(NEVER)
    this.lastRead = new Int32Array(graph.idEnd).fill(NEVER)
    kernels.forEach(({ writes, reads }, index) => {
      for (const { id } of writes) this.madeAt[id] = index
      for (const { id } of reads) this.lastRead[id] = index
    })
  }

  plan(keeps: Keeping): MemoryPlan {
    for (const value of this.bound) this.hold(value, { kind: 'bound', value })
    this.holdInputs()
    this.holdConstants()
    this.placeBlocks()
    this.holdTemporaries()
    const copies = this.placeUpdates()
    this.placeParts()
    this.holdResults()
    this.extendLives()
    this.shareInPlace(keeps)
    return this.finish(copies, keeps)
  }

  private isHeld({ id }: Value): boolean {
    return this.holders[id] !== undefined
  }

  private setHolder(value: Value, holder: Holder): void {
    if (!this.isHeld(value)) this.held.push(value)
    this.holders[value.id] = holder
  }

  /** Gives a value its own bytes. */
  private hold(value: Value, home: Home | null): void {
    this.setHolder(value, { draft: draftFor(bytesOf(value), this.madeAt[value.id]!, home), within: null, offset: 0 })
  }

  /** Gives a value bytes in the workspace, unless it has some. */
  private readonly holdAnywhere = (value: Value): void => {
    if (!this.isHeld(value)) this.hold(value, null)
  }

  private draftOf(value: Value): Draft {
    const holder = this.holders[value.id]
    if (holder === undefined) throw internalError(`value %${value.id} has no bytes`)
    return holder.draft === null ? this.draftOf(holder.within!) : rootOf(holder.draft)
  }

  private offsetOf({ id }: Value): number {
    const { within, offset } = this.holders[id]!
    return within === null ? offset : offset + this.offsetOf(within)
  }

  private holdInputs(): void {
    this.graph.parameters.forEach(this.holdAnywhere)
    this.graph.cells.forEach((value, cell) => this.hold(value, { kind: 'cell', cell }))
  }

  private holdConstants(): void {
    const { nodes } = this.graph
    for (let i = 0; i < nodes.length; i++) {
      const node = nodes[i]!
      const data = constantData(node)
      if (data === null) continue
      this.constants.push({ offset: this.constantBytes, dtype: node.outputs[0]!.dtype, data })
      this.hold(node.outputs[0]!, { kind: 'constants', offset: this.constantBytes })
      this.constantBytes += align(bytesOf(node.outputs[0]!), data.length > 4 ? ALIGNMENT : 16)
    }
  }

  private holdResults(): void {
    this.kernels.forEach(({ writes }) => writes.forEach(this.holdAnywhere))
  }

  /** Places the results that a kernel writes to one block. */
  private placeBlocks(): void {
    this.kernels.forEach((kernel, at) => {
      for (const block of kernel.blocks ?? []) {
        const { bytes, parts } = block
        const draft = draftFor(bytes, at)
        this.blocks.set(block, draft)
        // A result of a nested loop may already have its bytes elsewhere; it is then copied there.
        for (const [value, offset] of parts)
          if (!this.isHeld(value)) this.setHolder(value, { draft, within: null, offset })
      }
    })
  }

  private holdTemporaries(): void {
    this.kernels.forEach((kernel, at) => {
      const bytes = kernel.temporaryBytes
      if (bytes > 0) this.temporaries.set(kernel, draftFor(bytes, at))
    })
  }

  /**
   * Lets the kernel that computes a cell's new content write it into the cell, if it runs after the last guard and nothing
   * reads the old content later.
   * @returns the other updates, which need a copy
   */
  private placeUpdates() {
    this.lastEffect = this.kernels.findLastIndex(({ nodes: [first] }) => hasEffect(first!))
    this.readers = new CellReaders(this.graph.cells, this.lastRead, this.graph.updates.length)
    return this.graph.updates.filter(({ cell, value }) => {
      const base = this.locations.baseOf(value)
      const isCopied = this.isHeld(base) || !this.isFree(cell, base)
      if (!isCopied) this.hold(base, { kind: 'cell', cell })
      return isCopied
    })
  }

  /**
   * Whether the kernel that computes the new content of a cell, or a part of it, can write there. A kernel that works in place
   * keeps the size of its operand, so a part that it makes of the old content is the whole.
   */
  private isFree(cell: Cell, value: Value): boolean {
    const at = this.madeAt[value.id]!
    return (
      at > this.lastEffect &&
      this.readers.overlapping(cell).every(({ cell: other, content, last }) => {
        return last < at || (last === at && other === cell && this.kernels[at]!.mayShare(value, content))
      })
    )
  }

  /** Lets the operands of a concatenation be written directly to their positions in it, which may be in a cell. */
  private placeParts(): void {
    for (let i = this.kernels.length - 1; i >= 0; i--) {
      const { places, nodes } = this.kernels[i]!
      if (places === null) continue
      // The first node is the concatenation; the others of a kernel are elementwise.
      const node = nodes[0]!
      const whole = node.outputs[0]!
      this.holdAnywhere(whole)
      const { home } = this.draftOf(whole)
      node.inputs.forEach((input, j) => {
        const base = this.locations.baseOf(input)
        const isReusable = this.madeAt[base.id] !== NEVER && !this.isHeld(base) && this.locations.isWhole(input)
        if (isReusable && (home?.kind !== 'cell' || this.isFree(home.cell, base)))
          this.setHolder(base, { draft: null, within: whole, offset: BYTES_PER_ELEMENT * places[j]! })
      })
    }
  }

  private extendLives(): void {
    const touch = (value: Value, at: number): void => {
      const draft = this.draftOf(value)
      draft.start = Math.min(draft.start, at)
      draft.end = Math.max(draft.end, at)
    }
    this.kernels.forEach(({ writes, reads }, index) => {
      for (const value of writes) touch(value, index)
      for (const value of reads) touch(value, index)
    })
    for (const value of this.graph.outputs) touch(this.locations.baseOf(value), this.kernels.length)
    for (const { value } of this.graph.updates) touch(this.locations.baseOf(value), this.kernels.length)
  }

  /** Lets a kernel overwrite an operand whose lifetime ends there, unless a kernel before, for which it keeps its bytes, reads it, too. */
  private shareInPlace(keeps: Keeping): void {
    this.kernels.forEach((kernel, index) => {
      const { writes, reads } = kernel
      for (let i = 0; i < writes.length; i++) {
        const write = writes[i]!
        const target = this.ownDraft(write)
        if (target === null || target.home !== null || target.start !== index) continue
        for (let j = 0; j < reads.length; j++) {
          const read = reads[j]!
          const source = this.ownDraft(read)
          const dies = source !== null && source.home === null && source.end === index
          if (!dies || source.bytes !== target.bytes || source === target || !kernel.mayShare(write, read)) continue
          if (this.readsPartOf(source, kernel, read) || this.isReadBefore(index, keeps(source.bytes), source)) continue
          source.end = Math.max(source.end, target.end)
          target.into = source
          break
        }
      }
    })
  }

  private isReadBefore(index: number, keeps: number, draft: Draft): boolean {
    const before = this.kernels.slice(Math.max(0, index - keeps), index)
    return before.some(({ reads }) => reads.some((value) => this.ownDraft(value) === draft))
  }

  /** Whether an operand other than `read` has its bytes in the same draft. */
  private readsPartOf(draft: Draft, { reads }: Kernel, read: Value): boolean {
    return reads.some((other) => other !== read && this.draftOf(other) === draft)
  }

  /** The draft of a value that is not part of another value. */
  private ownDraft({ id }: Value): Draft | null {
    const { draft } = this.holders[id]!
    return draft === null ? null : rootOf(draft)
  }

  private finish(copies: readonly Update[], keeps: Keeping): MemoryPlan {
    const held = this.held.map((value) => this.draftOf(value))
    const drafts = [...new Set([...held, ...this.temporaries.values(), ...this.blocks.values()])]
    for (const draft of drafts) draft.end += keeps(draft.bytes)
    const { offsets, size } = assignOffsets(drafts.filter((draft) => draft.home === null))
    let id = 0
    const buffers = drafts.map((draft) => {
      const home = draft.home ?? { kind: 'workspace' as const, offset: offsets.get(draft)! }
      return (draft.buffer = { id: id++, byteLength: draft.bytes, home, start: draft.start, end: draft.end })
    })
    const places = new Array<Place>(this.graph.idEnd)
    this.held.forEach(
      (value) => (places[value.id] = { buffer: this.draftOf(value).buffer!, offset: this.offsetOf(value) }),
    )
    const last = this.kernels.length
    const cellOf = ({ cell, value }: Update): PlacedBuffer => {
      return { id: id++, byteLength: bytesOf(value), home: { kind: 'cell', cell }, start: last, end: last }
    }
    return {
      places,
      buffers,
      temporaries: new Map([...this.temporaries].map(([kernel, draft]) => [kernel, draft.buffer!])),
      blocks: new Map([...this.blocks].map(([block, draft]) => [block, draft.buffer!])),
      scratch: { id: id++, byteLength: 0, home: { kind: 'scratch' }, start: 0, end: last },
      workspaceBytes: size,
      // Computed on demand, because only comparisons use it.
      get lowerBound() {
        return largestLiveSum(buffers, last)
      },
      constants: this.constants,
      constantBytes: this.constantBytes,
      copies: copies.map((update) => ({ ...update, target: cellOf(update) })),
    }
  }
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
