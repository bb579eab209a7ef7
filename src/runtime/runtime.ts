// One linear memory with its kernels and its settings. A model lives in the runtime that was current when
// its weights were made.

import { StateError } from '../core/errors'
import type { CellStorage, Graph } from '../ir/graph'
import type { DType, TensorData } from '../core/dtypes'
import { viewData } from '../core/dtypes'
import type { Share } from '../tape'
import type { KernelExports, SimdLevel } from './engine/wasm'
import { compileKernels, instantiate, supportsRelaxedSimd } from './engine/wasm'
import type { LinearMemory } from './memory'
import { Arena, createWasmMemory } from './memory'
import type { Program } from './program'
import type { ThreadPool } from './threads/pool'

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

/** What runs graphs: the kernels bound to a memory, or the interpreter. */
export interface Engine {
  readonly memory: LinearMemory
  readonly arena: Arena
  /** null with the interpreter. */
  readonly kernels: KernelExports | null
  /** null where one thread is all there will be. */
  readonly pool: ThreadPool | null
  /** Why there is no pool. */
  readonly threadsNote: string
  /** Deals instructions out to threads; null where there is one. */
  readonly share: Share | null
  /** Whether products are planned with tiles of 16 columns. */
  readonly wideTiles: boolean
  /** Why products are not computed with 256-bit vectors; null where they are. */
  readonly turboNote: string | null
  /** Makes programs in place of tapes; null where there are kernels. */
  readonly interpreted: ((runtime: Runtime, graph: Graph) => Program) | null
}

export const ONE_THREAD = 'one thread was configured'
export const NO_TURBO = 'turbo was not configured'

/** One thread, no flags of V8: what runs unless configure() says otherwise. The others are in configure.ts. */
function plainEngine(level: SimdLevel): Engine {
  const memory = createWasmMemory()
  const kernels = instantiate(compileKernels({ level, shared: false, turbo: false }), memory)
  const rest = {
    pool: null,
    threadsNote: ONE_THREAD,
    share: null,
    wideTiles: false,
    turboNote: NO_TURBO,
    interpreted: null,
  }
  return { memory, arena: new Arena(memory), kernels, ...rest }
}

export class Runtime {
  readonly memory: LinearMemory
  readonly arena: Arena
  readonly kernels: KernelExports | null
  readonly pool: ThreadPool | null
  /** Changes whenever an address or a view that was taken before is stale. */
  epoch = 0
  private workspace = { address: 0, bytes: 0 }
  private lastBuffer: ArrayBuffer

  constructor(
    readonly settings: RuntimeSettings,
    readonly engine: Engine,
  ) {
    this.memory = engine.memory
    this.arena = engine.arena
    this.kernels = engine.kernels
    this.pool = engine.pool
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

/** The level that 'auto' stands for. */
export function bestLevel(): SimdLevel {
  return supportsRelaxedSimd() ? 'relaxed' : 'plain'
}

let make = (): Runtime => {
  const simd = bestLevel()
  return new Runtime({ backend: 'wasm', simd, fuse: true }, plainEngine(simd))
}
let current: Runtime | null = null

/** Lets the next runtime be made otherwise. @returns the one that was current */
export function replaceRuntime(next: () => Runtime): Runtime | null {
  const before = current
  make = next
  current = null
  return before
}

/** The runtime that new models and tensors use; made on first use. */
export function currentRuntime(): Runtime {
  current ??= make()
  return current
}

/** Runs `body` with another runtime as the current one. */
export function withRuntime<Result>(runtime: Runtime, body: () => Result): Result {
  const outer = current
  current = runtime
  try {
    return body()
  } finally {
    current = outer
  }
}
