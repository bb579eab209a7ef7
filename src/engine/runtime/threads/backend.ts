// The backend that runs tapes on several threads. Until the workers have started, and after they have ended, it
// uses one thread.

import { counters, type BackendReport } from '../runtime'
import type { KernelSet, LoadedFamily } from '../wasm/kernel-set'
import type { Arena } from '../memory'
import type { Share } from '../../tape'
import type { TapeInstruction } from '../../tape/encode'
import { TapeBackend, type TapeTraits } from '../tape-backend'
import type { ThreadPool } from './pool'

export class ThreadedBackend extends TapeBackend {
  override readonly ready: Promise<void>

  constructor(
    memory: WebAssembly.Memory,
    arena: Arena,
    kernels: KernelSet,
    traits: TapeTraits,
    override readonly share: Share,
    readonly pool: ThreadPool,
  ) {
    super(memory, arena, kernels, traits)
    this.ready = pool.ready
    collected?.register(this, pool)
  }

  override prepare(instructions: readonly TapeInstruction[]): readonly LoadedFamily[] {
    const added = super.prepare(instructions)
    for (const family of added) this.pool.load(family)
    return added
  }

  override get report(): BackendReport {
    const { isRunning, threads, note } = this.pool
    return { ...this.traits, threads: isRunning ? threads : 1, threadsNote: note }
  }

  override runShared(tape: number, expected: number): number {
    if (!this.pool.isRunning) return super.runShared(tape, expected)
    counters.threadedRuns++
    return this.pool.run(tape, expected)
  }

  override lost(hasWritten: boolean): Error {
    return this.pool.lost(hasWritten)
  }

  /** Ends the workers if no model, tensor or program needs them. @param workspaceBytes of the runtime */
  endWhereIdle(workspaceBytes: number): void {
    const blocks = workspaceBytes > 0 ? 2 : 1
    if (this.arena.usedBlocks === blocks) void this.pool.end('its runtime is no longer used')
  }
}

const collected =
  typeof FinalizationRegistry === 'function'
    ? /* @__PURE__ */ new FinalizationRegistry<ThreadPool>((pool) => void pool.end('its runtime was collected'))
    : null
