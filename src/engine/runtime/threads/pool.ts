// The threads of one runtime: starts workers, tests that they share memory, gives them tapes, and ends them
// when one fails. Does not decide what a thread runs: see engine/tape/parts.ts and assembly/tape.ts.

import { MAX_THREADS, Pool } from '../../../../assembly/shared/pool'
import { END_OF_TAPE } from '../../../../assembly/shared/instructions'
import { BYTES_PER_ELEMENT } from '../../../core/dtypes'
import { StateError } from '../../../core/errors'
import type { KernelExports } from '../wasm/wasm'
import { nodeModule } from '../platform'
import type { LoadedFamily } from '../wasm/kernel-set'
import { startWorker, type WorkerHandle } from './worker'

/** The milliseconds within which all workers must start. */
const START_PATIENCE = 10_000
/** The milliseconds for the meeting that ends the self-test. */
const TEST_PATIENCE = 2_000

export interface PoolMemory {
  readonly module: WebAssembly.Module
  readonly memory: WebAssembly.Memory
  readonly kernels: KernelExports
  /** The address of Pool.size bytes. */
  readonly address: number
}

/** Pools whose workers may be alive. */
const alive = new Set<ThreadPool>()

// Holds no reference to its runtime, so that collecting an unused runtime ends its workers.
export class ThreadPool {
  /** Settles when the workers have started or have failed to start; never rejects. */
  readonly ready: Promise<void>
  /** The milliseconds that a run waits for a worker, beyond the expected time of the work. */
  patience = 10_000
  private state: 'starting' | 'running' | 'ended' = 'starting'
  private reason = 'the workers are starting: await threadsReady()'
  /** @internal */
  readonly workers: WorkerHandle[] = []
  private ending: Promise<void> = Promise.resolve()
  /** Kernels that were loaded while the workers were starting. */
  private readonly waiting: LoadedFamily[] = []

  constructor(
    private readonly shared: PoolMemory,
    readonly threads: number,
  ) {
    alive.add(this)
    this.ready = this.start().catch((error: unknown) => void this.end(`the workers did not start: ${String(error)}`))
  }

  get isRunning(): boolean {
    return this.state === 'running'
  }

  /** Why there is only one thread; null if all threads run. */
  get note(): string | null {
    return this.state === 'running' ? null : this.reason
  }

  private get words(): Int32Array {
    return new Int32Array(this.shared.memory.buffer, this.shared.address, wordAt(Pool.size))
  }

  private async start(): Promise<void> {
    const { address, module, memory } = this.shared
    const families = this.waiting.splice(0)
    const words = this.words
    words.fill(0)
    words[wordAt(Pool.leaderSleeps)] = Number(maySleep())
    words[wordAt(Pool.empty)] = END_OF_TAPE
    const challenge = 1 + Math.floor(Math.random() * 1e9)
    Atomics.store(words, wordAt(Pool.challenge), challenge)
    const started: Promise<void>[] = []
    for (let thread = 1; thread < this.threads; thread++) {
      const place = {
        pool: address,
        challenge: wordAt(address + Pool.challenge),
        answer: wordAt(address + Pool.answers) + thread,
      }
      started.push(this.startOne({ module, memory, families, thread, threads: this.threads, ...place }))
    }
    await withinTime(Promise.all(started), START_PATIENCE)
    if (this.state !== 'starting') return
    const problem = this.test(challenge)
    if (problem !== null) return void this.end(`self-test failed: ${problem}`)
    this.state = 'running'
    for (const family of this.waiting.splice(0)) this.load(family)
    for (const worker of this.workers) worker.unref()
  }

  /** Loads kernels in the workers before they run a tape that uses them. */
  load(family: LoadedFamily): void {
    if (this.state === 'starting') return void this.waiting.push(family)
    if (this.state === 'ended') return
    for (const worker of this.workers) worker.load(family)
    if (this.shared.kernels.pause(this.shared.address, this.threads, this.patience) === 0)
      void this.end('a worker did not respond to load kernels')
  }

  private startOne(task: Parameters<typeof startWorker>[0]): Promise<void> {
    return new Promise((resolve, reject) => {
      const onEnd = (reason: string): void => {
        const note = `worker ${task.thread} of ${this.threads - 1} stopped: ${reason}`
        reject(new Error(note))
        void this.end(note)
      }
      startWorker(task, { onReady: resolve, onEnd }).then((worker) => {
        this.workers.push(worker)
        if (this.state === 'ended') void worker.terminate()
      }, reject)
    })
  }

  /**
   * Tests whether each thread sees the others' writes, and whether all reach a meeting. Returns the problem, or
   * null.
   */
  private test(challenge: number): string | null {
    const words = this.words
    for (let thread = 1; thread < this.threads; thread++) {
      const answer = Atomics.load(words, wordAt(Pool.answers) + thread)
      if (answer !== challenge + thread) return `worker ${thread} does not see the shared memory`
    }
    const met =
      this.shared.kernels.lead(this.shared.address + Pool.empty, this.threads, this.shared.address, TEST_PATIENCE) === 0
    return met ? null : `not all workers reached the first meeting within ${TEST_PATIENCE} ms`
  }

  /**
   * Runs a tape on all threads. Returns 0; 1 + the byte offset of the guard that ended it; or −1 − the byte offset of the
   * instruction that was not reached because a worker was lost, which ends the pool.
   * @param expected the milliseconds that one thread is expected to need
   */
  run(tape: number, expected: number): number {
    // Far more than expected, because other programs use the machine too.
    const patience = Math.min(this.patience + Math.ceil(20 * expected), 2 ** 31 - 1)
    let status
    try {
      status = this.shared.kernels.lead(tape, this.threads, this.shared.address, patience)
    } catch (error) {
      void this.end(`a kernel failed: ${String(error)}`)
      throw error
    }
    if (status < 0) void this.end('a worker stopped or did not answer during a run')
    return status
  }

  /** The error for a run that lost a worker. */
  lost(hasWritten: boolean): StateError {
    const state = hasWritten
      ? 'It had started to write: weights, optimizer and metrics may be partly updated, so load a saved model before you continue.'
      : 'It had not started to write: weights, optimizer and metrics are unchanged.'
    return new StateError(`A worker thread stopped during a run. ${state} Everything now runs on one thread.`)
  }

  /** Ends the workers; their work then runs on one thread. Resolves when they have exited. */
  end(reason: string): Promise<void> {
    if (this.state !== 'ended') {
      this.state = 'ended'
      this.reason = reason
      this.shared.kernels.abandon(this.shared.address)
      this.ending = Promise.all(this.workers.map((worker) => worker.terminate())).then(() => {})
      alive.delete(this)
    }
    return this.ending
  }
}

/** Ends the workers of all runtimes. */
export async function endAllPools(reason: string): Promise<void> {
  await Promise.all([...alive].map((pool) => pool.end(reason)))
}

/** Why threads are not available here; null if they are. */
export function whyNoThreads(): string | null {
  if (typeof SharedArrayBuffer === 'undefined' || globalThis.crossOriginIsolated === false) {
    return 'SharedArrayBuffer is not available: the page is not cross-origin isolated'
  }
  return null
}

/** The number of threads for `'auto'`. */
export function automaticThreads(): number {
  return Math.max(1, Math.min(coreCount(), 8))
}

function coreCount(): number {
  if (typeof navigator === 'object' && navigator.hardwareConcurrency > 0) return navigator.hardwareConcurrency
  // Node 20 has no navigator.
  return nodeModule('node:os')?.availableParallelism() ?? 1
}

export function isThreadCount(threads: number): boolean {
  return Number.isInteger(threads) && threads >= 1 && threads <= MAX_THREADS
}

/** A browser's main thread may not sleep; a worker and Node's main thread may. */
function maySleep(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(BYTES_PER_ELEMENT)), 0, 1)
    return true
  } catch {
    return false
  }
}

/** The index of the word at an address. */
function wordAt(address: number): number {
  return address / BYTES_PER_ELEMENT
}

function withinTime<Result>(promise: Promise<Result>, milliseconds: number): Promise<Result> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
