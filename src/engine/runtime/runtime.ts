// One linear memory with its backend and its settings. A model belongs to the runtime that was current when its
// weights were created: see current.ts.

import { viewData, type DType, type TensorData } from '../../core/dtypes'
import { StateError } from '../../core/errors'
import { sizeOf } from '../../core/shapes'
import type { Cell, CellStorage, Graph } from '../ir/graph'
import type { SimdLevel } from './wasm/wasm'
import type { Arena, LinearMemory } from './memory'
import type { Program } from './program'

/** Runs of compiled graphs since the start of the process; runs on several threads also count as wasmRuns. */
export const counters = { wasmRuns: 0, interpreterRuns: 0, threadedRuns: 0 }

/** The settings of one runtime. */
export interface RuntimeSettings {
  readonly backend: 'wasm' | 'interpreter'
  readonly simd: SimdLevel
  readonly fuse: boolean
  /** Default 1. */
  readonly threads?: number | 'auto'
  /** Default false. */
  readonly turbo?: boolean
  /** For tests: the least work of a part in nanoseconds. */
  readonly partWork?: number
  /** For tests: tiles of 16 columns even if they are slow. */
  readonly wideTiles?: boolean
}

/** The state of a backend. */
export interface BackendReport {
  /** The current number of threads. */
  readonly threads: number
  /** Why there is only one thread; null if there are several. */
  readonly threadsNote: string | null
  /** Whether products use tiles of 16 columns. */
  readonly wideTiles: boolean
  /** Why products do not use 256-bit vectors; null if they do. */
  readonly turboNote: string | null
}

/** Runs graphs: kernels on one thread, kernels on several, or the interpreter. One per runtime. */
export interface Backend {
  readonly memory: LinearMemory
  readonly arena: Arena
  /** Settles when everything that starts in the background has started or failed to start. */
  readonly ready: Promise<void>
  readonly report: BackendReport
  /** Compiles a graph. */
  compile(runtime: Runtime, graph: Graph): Program
}

export class Runtime {
  readonly memory: LinearMemory
  readonly arena: Arena
  /** Changes whenever earlier addresses or views become invalid. */
  epoch = 0
  private workspace = { address: 0, bytes: 0 }
  private lastBuffer: ArrayBuffer

  constructor(
    readonly settings: RuntimeSettings,
    readonly backend: Backend,
  ) {
    this.memory = backend.memory
    this.arena = backend.arena
    this.lastBuffer = this.memory.buffer
  }

  get workspaceBytes(): number {
    return this.workspace.bytes
  }

  /** @param isZero whether the content is zeros; else it is any */
  allocate(bytes: number, isZero = false): number {
    const address = this.arena.allocate(bytes, isZero)
    if (this.memory.buffer !== this.lastBuffer) {
      this.lastBuffer = this.memory.buffer
      this.epoch++
    }
    return address
  }

  /**
   * A separate block for cells. It is released when the storage is disposed or becomes unreachable.
   * @param isZero whether the content is zeros; else it is any
   */
  createStorage(byteLength: number, isZero = false): Storage {
    return new Storage(this, byteLength, isZero)
  }

  /** Makes every program look up its addresses again after some of them changed. */
  invalidate(): void {
    this.epoch++
  }

  /** One workspace for all programs, as large as the largest needs, because programs run one at a time. */
  workspaceFor(bytes: number): number {
    if (bytes > this.workspace.bytes) {
      // Released before the larger one is allocated, which may fail.
      const { address, bytes: released } = this.workspace
      this.workspace = { address: 0, bytes: 0 }
      this.invalidate()
      if (released > 0) this.arena.release(address)
      this.workspace = { address: this.allocate(bytes), bytes }
    }
    return this.workspace.address
  }

  view(dtype: DType, address: number, length: number): TensorData {
    return viewData(dtype, this.memory.buffer, address, length)
  }
}

// Without one, only `dispose` releases memory.
const released =
  typeof FinalizationRegistry === 'function'
    ? /* @__PURE__ */ new FinalizationRegistry<() => void>((release) => release())
    : null

const DISPOSED = 'This model or variable was disposed and no longer has memory. Create a new one'

/** A block of linear memory with an owner. */
export class Storage implements CellStorage {
  private readonly place: number
  private readonly release: () => void
  /** Why the content cannot be used now; null if it can. */
  private refusal: string | null = null
  /** How often the address was looked up: while it stays the same, and no program knows the address, the content does. */
  lookups = 0

  constructor(
    readonly runtime: Runtime,
    readonly byteLength: number,
    isZero = false,
  ) {
    this.place = runtime.allocate(byteLength, isZero)
    this.release = releaseOnce(runtime.arena, this.place)
    released?.register(this, this.release)
  }

  /** @throws StateError after dispose, and while the content is on another device. */
  get address(): number {
    this.lookups++
    return this.addressToRead
  }

  /** The address for a read that ends at once: what another device has of the content stays valid. @throws StateError as `address` */
  get addressToRead(): number {
    if (this.refusal !== null) throw new StateError(this.refusal)
    return this.place
  }

  get isDisposed(): boolean {
    return this.refusal === DISPOSED
  }

  /** Refuses the content until `giveBack`, because another device has a newer one. @param why the message of the error */
  lend(why: string): void {
    this.refusal = why
  }

  giveBack(): void {
    if (this.refusal !== DISPOSED) this.refusal = null
  }

  dispose(): void {
    this.refusal = DISPOSED
    this.release()
  }
}

// Holds no reference to the storage, so that it can be collected, and none to the runtime: a runtime refers to
// storages through its cached programs, and all of them are collected together.
function releaseOnce(arena: Arena, address: number): () => void {
  let done = false
  return () => {
    if (done) return
    done = true
    arena.release(address)
  }
}

export function compile(runtime: Runtime, graph: Graph): Program {
  return runtime.backend.compile(runtime, graph)
}

/** The content of a cell, in place. Invalid after the memory grows. */
export function cellView(runtime: Runtime, cell: Cell): TensorData {
  return runtime.view(cell.dtype, cell.storage.address + cell.byteOffset, sizeOf(cell.shape))
}
