// One linear memory with its backend and its settings. A model lives in the runtime that was current when its weights were
// made: see current.ts.

import type { DType, TensorData } from '../core/dtypes'
import { viewData } from '../core/dtypes'
import { StateError } from '../core/errors'
import { sizeOf } from '../core/shapes'
import type { Cell, CellStorage, Graph } from '../ir/graph'
import type { SimdLevel } from './engine/wasm'
import type { Arena, LinearMemory } from './memory'
import type { Program } from './program'

/** Runs of compiled graphs since the start of the program; those on several threads are wasmRuns too. */
export const counters = { wasmRuns: 0, interpreterRuns: 0, threadedRuns: 0 }

/** Settings as one runtime has them. */
export interface RuntimeSettings {
  readonly backend: 'wasm' | 'interpreter'
  readonly simd: SimdLevel
  readonly fuse: boolean
  /** Default 1. */
  readonly threads?: number | 'auto'
  /** Default false. */
  readonly turbo?: boolean
  /** For tests: nanoseconds of work that a part must be worth. */
  readonly partWork?: number
  /** For tests: tiles of 16 columns even where they are slow. */
  readonly wideTiles?: boolean
}

/** What a backend says of itself. */
export interface BackendReport {
  /** How many threads work now. */
  readonly threads: number
  /** Why there is one thread only; null where there are several. */
  readonly threadsNote: string | null
  /** Whether products are computed with tiles of 16 columns. */
  readonly wideTiles: boolean
  /** Why products are not computed with 256-bit vectors; null where they are. */
  readonly turboNote: string | null
}

/** What runs graphs: the kernels on one thread, the kernels on several, or the interpreter. One for each runtime. */
export interface Backend {
  readonly memory: LinearMemory
  readonly arena: Arena
  /** Settles when all that starts in the background has started, or is known not to. */
  readonly ready: Promise<void>
  readonly report: BackendReport
  /** Makes a graph ready to run. */
  compile(runtime: Runtime, graph: Graph): Program
}

export class Runtime {
  readonly memory: LinearMemory
  readonly arena: Arena
  /** Changes whenever an address or a view that was taken before is stale. */
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

  allocate(bytes: number): number {
    const address = this.arena.allocate(bytes)
    if (this.memory.buffer !== this.lastBuffer) {
      this.lastBuffer = this.memory.buffer
      this.epoch++
    }
    return address
  }

  /** A block of its own for cells; given back when the storage is no longer reachable, or disposed. */
  createStorage(byteLength: number): Storage {
    return new Storage(this, byteLength)
  }

  /** Makes every program look up its addresses again, because some of them changed. */
  invalidate(): void {
    this.epoch++
  }

  /** Programs run one at a time, so all share one workspace, as large as the largest needs. */
  workspaceFor(bytes: number): number {
    if (bytes > this.workspace.bytes) {
      // Let go of before the larger one is asked for, which may fail.
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

const released = new FinalizationRegistry<() => void>((release) => release())

/** Bytes of linear memory that belong to someone. */
export class Storage implements CellStorage {
  private readonly place: number
  private readonly release: () => void
  private disposed = false

  constructor(
    readonly runtime: Runtime,
    readonly byteLength: number,
  ) {
    this.place = runtime.allocate(byteLength)
    this.release = releaseOnce(runtime.arena, this.place)
    released.register(this, this.release)
  }

  /** @throws StateError after dispose. */
  get address(): number {
    if (this.disposed) throw new StateError('This model or variable was disposed and has no memory any more')
    return this.place
  }

  dispose(): void {
    this.disposed = true
    this.release()
  }
}

// Holds no reference to the storage, so that it can be collected, and none to the runtime: a runtime refers to storages
// by the programs that are kept for it, and all of them go together.
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

/** The content of a cell, in place. Stale when the memory grows. */
export function cellView(runtime: Runtime, cell: Cell): TensorData {
  return runtime.view(cell.dtype, cell.storage.address + cell.byteOffset, sizeOf(cell.shape))
}
