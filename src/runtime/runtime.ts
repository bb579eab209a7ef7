// One linear memory with its kernels and its settings. A model lives in the runtime that was current when
// its weights were made.

import { ArgumentError, StateError, checkOptions, unknownName } from '../core/errors'
import type { CellStorage } from '../ir/graph'
import type { DType, TensorData } from '../core/dtypes'
import { viewData } from '../core/dtypes'
import { MAX_THREADS, Pool } from '../../assembly/shared/pool'
import type { LinearMemory } from './memory'
import { Arena, PlainMemory, createSharedMemory, createWasmMemory } from './memory'
import { ThreadPool, automaticThreads, endAllPools, isThreadCount, whyNoThreads } from './threads/pool'
import { pairsVectors, requestTurbo } from './engine/turbo'
import type { KernelExports, SimdLevel } from './engine/wasm'
import { compileKernels, instantiate, supportsRelaxedSimd } from './engine/wasm'

export interface Settings {
  /** `interpreter` runs every graph with plain loops: slow, but no WebAssembly is needed. */
  backend: 'wasm' | 'interpreter'
  /** `plain` gives the same bits on every machine; `relaxed` is faster where the engine has it. */
  simd: SimdLevel | 'auto'
  /** false: one instruction per operation, for debugging. */
  fuse: boolean
  /**
   * How many threads share the work of large instructions; `auto` is one per core, 8 at most. The results are the
   * same, bit for bit. Workers start in the background: see threadsReady.
   */
  threads: number | 'auto'
  /**
   * Sets experimental flags of V8 for the whole process, in Node: on x64, Node 24 and later then compute large products
   * with 256-bit vectors, nearly twice as fast; Node 20 gets relaxed SIMD. Whether it took place is measured, in some
   * 10 ms: see `turbo` and `turboNote` of runtimeInfo(). Default false; switching it off leaves the flags set.
   */
  turbo: boolean
}

/** Settings as one runtime has them. */
export interface RuntimeSettings extends Omit<Settings, 'threads' | 'turbo'> {
  simd: SimdLevel
  /** Default 1. */
  threads?: number | 'auto'
  /** Default false. */
  turbo?: boolean
  /** For tests: see PlanOptions. */
  partWork?: number
  /** For tests: tiles of 16 columns even where they are slow. */
  wideTiles?: boolean
}

export interface RuntimeInfo {
  backend: 'wasm' | 'interpreter'
  simd: SimdLevel
  fuse: boolean
  threads: number
  /** Why there is one thread only; null where there are several. */
  threadsNote: string | null
  /** Rows × columns that products keep in registers: 6×16 where the engine was seen to pair vectors. */
  tile: '4×8' | '6×16'
  /** Whether products are computed with 256-bit vectors. */
  turbo: boolean
  /** Why they are not; null where they are. */
  turboNote: string | null
  /** Bytes of linear memory: reserved, and in use by weights, optimizer slots, tapes and workspace. */
  memory: { reservedBytes: number; usedBytes: number; workspaceBytes: number }
  /** Runs of compiled graphs since the start of the program; those on several threads are wasmRuns too. */
  counters: { wasmRuns: number; interpreterRuns: number; threadedRuns: number }
}

export const counters = { wasmRuns: 0, interpreterRuns: 0, threadedRuns: 0 }

export class Runtime {
  readonly memory: LinearMemory
  readonly arena: Arena
  /** null with the interpreter. */
  readonly kernels: KernelExports | null
  /** Changes whenever an address or a view that was taken before is stale. */
  epoch = 0
  /** How many threads tapes are planned for. Each run uses all of them, or one. */
  readonly threads: number
  /** null where one thread is all there will be. */
  readonly pool: ThreadPool | null = null
  /** Whether products are planned with tiles of 16 columns. */
  readonly wideTiles: boolean
  private threadsNote = 'one thread was configured'
  private readonly turboNote: string | null
  private workspace = { address: 0, bytes: 0 }
  private lastBuffer: ArrayBuffer

  constructor(readonly settings: RuntimeSettings) {
    const { backend, simd } = settings
    const threads = settings.threads === 'auto' ? automaticThreads() : (settings.threads ?? 1)
    if (settings.threads === 'auto' && threads === 1) this.threadsNote = 'this machine has one core'
    const shared = backend === 'wasm' && threads > 1 ? this.tryShared() : null
    this.threads = shared === null ? 1 : threads
    if (backend === 'interpreter') {
      this.memory = new PlainMemory()
      this.kernels = null
      this.arena = new Arena(this.memory)
      if (threads > 1) this.threadsNote = 'the interpreter runs on one thread'
      this.turboNote = 'the interpreter has no vectors'
      this.wideTiles = false
    } else {
      const memory = shared?.memory ?? createWasmMemory()
      const refusal = settings.turbo === true ? requestTurbo(simd) : 'turbo was not configured'
      const module = compileKernels({ level: simd, shared: shared !== null, turbo: refusal === null })
      this.memory = memory
      const kernels = instantiate(module, memory)
      this.kernels = kernels
      this.arena = new Arena(memory, this.threads, shared?.maximumPages)
      const isPaired = refusal === null && pairsVectors(module, kernels, this.arena.scratch)
      this.turboNote = isPaired ? null : (refusal ?? 'V8 was asked to pair vectors and does not')
      this.wideTiles = settings.wideTiles ?? isPaired
      if (shared !== null) {
        const pool = new ThreadPool({ module, memory, kernels, address: this.arena.allocate(Pool.size) }, threads)
        collected.register(this, pool)
        this.pool = pool
      }
    }
    this.lastBuffer = this.memory.buffer
  }

  private tryShared() {
    const reason = whyNoThreads()
    const memory = reason === null ? createSharedMemory() : null
    if (memory === null) this.threadsNote = reason ?? 'the engine refused a shared memory'
    return memory
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

  /** Ends the workers if no model, tensor or program is left that they could work for. */
  endIdleThreads(): void {
    const own = (this.pool === null ? 0 : 1) + (this.workspace.bytes > 0 ? 1 : 0)
    if (this.arena.usedBlocks === own) void this.pool?.end('its runtime is not used any more')
  }

  info(): RuntimeInfo {
    const { backend, simd, fuse } = this.settings
    return {
      backend,
      simd,
      fuse,
      threads: this.pool?.isRunning === true ? this.threads : 1,
      threadsNote: this.pool === null ? this.threadsNote : this.pool.note,
      tile: this.wideTiles ? '6×16' : '4×8',
      turbo: this.turboNote === null,
      turboNote: this.turboNote,
      memory: {
        reservedBytes: this.memory.buffer.byteLength,
        usedBytes: this.arena.usedBytes,
        workspaceBytes: this.workspace.bytes,
      },
      counters: { ...counters },
    }
  }
}

const released = new FinalizationRegistry<() => void>((release) => release())
const collected = new FinalizationRegistry<ThreadPool>((pool) => void pool.end('its runtime is gone'))

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

const defaults: Settings = { backend: 'wasm', simd: 'auto', fuse: true, threads: 1, turbo: false }
const SETTINGS = ['backend', 'simd', 'fuse', 'threads', 'turbo'] as const satisfies readonly (keyof Settings)[]
let settings: Settings = { ...defaults }
let current: Runtime | null = null

const choices = {
  backend: ['wasm', 'interpreter'],
  simd: ['auto', 'plain', 'relaxed'],
} as const

/**
 * Chooses how graphs run from now on. Models and tensors made before keep what they were made with.
 * @throws ArgumentError for an unknown choice, for `simd: 'relaxed'` where the engine lacks it, and for a number of
 * threads that is not 1 to 64.
 */
export function configure(changes: Partial<Settings>): void {
  checkOptions('configure', changes, SETTINGS)
  for (const key of ['backend', 'simd'] as const) {
    const value = changes[key]
    const known: readonly string[] = choices[key]
    if (value !== undefined && !known.includes(value)) throw unknownName(key, value, known)
  }
  const { threads, turbo } = changes
  if (turbo !== undefined && typeof turbo !== 'boolean') throw new ArgumentError(`turbo must be true or false, received ${quoted(turbo)}`)
  if (threads !== undefined && threads !== 'auto' && !isThreadCount(threads)) {
    throw new ArgumentError(`threads must be 'auto' or an integer from 1 to ${MAX_THREADS}, received ${quoted(threads)}`)
  }
  const next = { ...settings, ...changes }
  // First: on Node 20 it decides what the engine has.
  if (next.turbo && next.backend === 'wasm' && next.simd !== 'plain') requestTurbo('relaxed')
  if (changes.simd === 'relaxed' && !supportsRelaxedSimd()) {
    throw new ArgumentError(
      "simd: 'relaxed' is not available in this JavaScript engine. Node 20 has it with turbo: true, or started with --experimental-wasm-relaxed-simd; leave it to 'auto'.",
    )
  }
  const same = SETTINGS.every((key) => next[key] === settings[key])
  settings = next
  if (same) return
  // Otherwise they go when the last model in it is collected.
  current?.endIdleThreads()
  current = null
}

/** As it would stand in code, so that a string is not taken for a number. */
function quoted(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : String(value)
}

/** The runtime that new models and tensors use; made on first use. */
export function currentRuntime(): Runtime {
  if (current === null) {
    const { simd } = settings
    const level = simd !== 'auto' ? simd : supportsRelaxedSimd() ? 'relaxed' : 'plain'
    current = new Runtime({ ...settings, simd: level })
  }
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

/** What runs here: backend, SIMD level, threads, memory, and how often each backend ran. */
export function runtimeInfo(): RuntimeInfo {
  return currentRuntime().info()
}

/**
 * Waits until the workers of the current runtime have started, or are known not to start: then `threadsNote` says why.
 * Nothing has to wait for it: until then everything runs on one thread, with the same results.
 */
export async function threadsReady(): Promise<RuntimeInfo> {
  const runtime = currentRuntime()
  await runtime.pool?.ready
  return runtime.info()
}

/**
 * Ends all worker threads and resolves when they are gone. Models and tensors stay usable, on one thread. Idle
 * workers do not keep a process alive, so this is for giving back their memory.
 */
export async function dispose(): Promise<void> {
  await endAllPools('the threads were disposed of')
}
