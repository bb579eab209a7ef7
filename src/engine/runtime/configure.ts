// The settings, which determine the backend of the next runtime. Contains everything that only non-default
// settings need (interpreter, threads, turbo), so that applications that never call configure() do not bundle
// it.

import { requireArguments } from '../../core/arguments'
import { MAX_THREADS, Pool } from '../../../assembly/shared/pool'
import { ArgumentError, checkOptions, unknownName } from '../../core/errors'
import { sharing } from '../tape/parts'
import { acceleratorReport, type AcceleratorReport } from './accelerator'
import { bestLevel, binarySource, chosenSettings, currentRuntime, replaceRuntime } from './current'
import { KernelSet } from './wasm/kernel-set'
import { pairsVectors, requestTurbo } from './wasm/turbo'
import { supportsRelaxedSimd, supportsSimd, type SimdLevel } from './wasm/wasm'
import type { Settings } from './settings'
import { InterpreterBackend } from './interpreter-backend'
import { Arena, createSharedMemory, createWasmMemory } from './memory'
import { Runtime, counters, type RuntimeSettings } from './runtime'
import { NO_TURBO, ONE_THREAD, TapeBackend, type TapeTraits } from './tape-backend'
import { ThreadedBackend } from './threads/backend'
import { runtimeWithoutWasm } from './without-wasm'
import { ThreadPool, automaticThreads, endAllPools, isThreadCount, whyNoThreads } from './threads/pool'

export type { Settings }

export interface RuntimeInfo {
  backend: 'wasm' | 'interpreter'
  simd: SimdLevel
  fuse: boolean
  threads: number
  /** Why there is only one thread; null if there are several. */
  threadsNote: string | null
  /** Rows × columns that products keep in registers: 6×16 if the engine pairs vectors. */
  tile: '4×8' | '6×16'
  /** Whether products are computed with 256-bit vectors. */
  turbo: boolean
  /** Why products do not use 256-bit vectors; null if they do. */
  turboNote: string | null
  /** The GPU that `useWebGPU` of `myelin/webgpu` uses, and where each program runs; null without one. */
  gpu: AcceleratorReport | null
  /** Bytes of linear memory: reserved, and used by weights, optimizer slots, tapes and workspace. */
  memory: { reservedBytes: number; usedBytes: number; workspaceBytes: number }
  /** Runs of compiled graphs since the start of the process; runs on several threads also count as wasmRuns. */
  counters: { wasmRuns: number; interpreterRuns: number; threadedRuns: number }
}

/** A runtime with any settings. */
export function makeRuntime(settings: RuntimeSettings): Runtime {
  if (settings.backend === 'wasm' && !supportsSimd()) return runtimeWithoutWasm()
  const threads = settings.threads === 'auto' ? automaticThreads() : (settings.threads ?? 1)
  return new Runtime(
    settings,
    settings.backend === 'interpreter' ? new InterpreterBackend(threads) : tapeBackend(settings, threads),
  )
}

function tapeBackend(settings: RuntimeSettings, wanted: number): TapeBackend {
  const { simd, turbo, partWork } = settings
  const oneThread = settings.threads === 'auto' ? 'this machine has one core' : ONE_THREAD
  const noThreads = wanted > 1 ? whyNoThreads() : oneThread
  const shared = noThreads === null ? createSharedMemory() : null
  const threads = shared === null ? 1 : wanted
  const memory = shared?.memory ?? createWasmMemory()
  const refusal = turbo === true ? requestTurbo(simd) : NO_TURBO
  const set = new KernelSet(
    { level: simd, shared: shared !== null, turbo: refusal === null, read: binarySource() },
    memory,
  )
  const { module, exports: kernels } = set
  const arena = new Arena(memory, threads, shared?.maximumPages)
  const isPaired = refusal === null && pairsVectors(module, kernels, arena.scratch)
  const traits: TapeTraits = {
    threadsNote: noThreads ?? 'the engine refused a shared memory',
    wideTiles: settings.wideTiles ?? isPaired,
    turboNote: isPaired ? null : (refusal ?? 'V8 does not pair vectors although its flags are set'),
  }
  if (shared === null) return new TapeBackend(memory, arena, set, traits)
  const pool = new ThreadPool({ module, memory, kernels, address: arena.allocate(Pool.size) }, threads)
  return new ThreadedBackend(memory, arena, set, traits, sharing(threads, partWork), pool)
}

const defaults: Settings = { backend: 'wasm', simd: 'auto', fuse: true, threads: 1, turbo: false }
const SETTINGS = ['backend', 'simd', 'fuse', 'threads', 'turbo'] as const satisfies readonly (keyof Settings)[]

const choices = {
  backend: ['wasm', 'interpreter'],
  simd: ['auto', 'plain', 'relaxed'],
} as const

/**
 * Chooses how graphs run from now on. Existing models and tensors keep their runtime.
 * @throws ArgumentError for an unknown choice, for `simd: 'relaxed'` on an engine without it, and for a number of threads
 * outside 1 to 64
 */
export function configure(changes: Partial<Settings>): void {
  requireArguments('configure', arguments, 1)
  checkOptions('configure', changes, SETTINGS)
  for (const key of ['backend', 'simd'] as const) {
    const value = changes[key]
    const known: readonly string[] = choices[key]
    if (value !== undefined && typeof value !== 'string')
      throw new ArgumentError(`${key} must be one of ${known.map(quoted).join(', ')}, received ${quoted(value)}`)
    if (value !== undefined && !known.includes(value)) throw unknownName(key, value, known)
  }
  const { threads, turbo } = changes
  if (turbo !== undefined && typeof turbo !== 'boolean')
    throw new ArgumentError(`turbo must be true or false, received ${quoted(turbo)}`)
  if (threads !== undefined && threads !== 'auto' && !isThreadCount(threads)) {
    throw new ArgumentError(
      `threads must be 'auto' or an integer from 1 to ${MAX_THREADS}, received ${quoted(threads)}`,
    )
  }
  const settings = chosenSettings() ?? defaults
  const next = { ...settings, ...changes }
  // This must come first: on Node 20 it determines which SIMD level the engine has.
  if (next.turbo && next.backend === 'wasm' && next.simd !== 'plain') requestTurbo('relaxed')
  if (changes.simd === 'relaxed' && !supportsRelaxedSimd()) {
    throw new ArgumentError(
      "simd: 'relaxed' is not available in this JavaScript engine. Node 20 has it with turbo: true or the flag --experimental-wasm-relaxed-simd. Otherwise use 'auto'.",
    )
  }
  const same = SETTINGS.every((key) => next[key] === settings[key])
  if (same) return
  const make = (): Runtime => makeRuntime({ ...next, simd: next.simd === 'auto' ? bestLevel() : next.simd })
  const before = replaceRuntime(make, next)
  // Otherwise the workers end when the last model of the runtime is collected.
  if (before?.backend instanceof ThreadedBackend) before.backend.endWhereIdle(before.workspaceBytes)
}

/** The value as source code, so that a string is not mistaken for a number. */
function quoted(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : String(value)
}

/** A description of a runtime. */
export function infoOf({ settings, backend, memory, arena, workspaceBytes }: Runtime): RuntimeInfo {
  const { simd, fuse } = settings
  const { threads, threadsNote, wideTiles, turboNote } = backend.report
  return {
    backend: settings.backend,
    simd,
    fuse,
    threads,
    threadsNote,
    tile: wideTiles ? '6×16' : '4×8',
    turbo: turboNote === null,
    turboNote,
    gpu: acceleratorReport(),
    memory: { reservedBytes: memory.buffer.byteLength, usedBytes: arena.usedBytes, workspaceBytes },
    counters: { ...counters },
  }
}

/** The current runtime: backend, SIMD level, threads, memory, and how often each backend ran. */
export function runtimeInfo(): RuntimeInfo {
  requireArguments('runtimeInfo', arguments, 0)
  return infoOf(currentRuntime())
}

/**
 * Waits until the workers of the current runtime have started or failed to start; `threadsNote` then gives the
 * reason. Waiting is optional: until then everything runs on one thread, with the same results.
 */
export async function threadsReady(): Promise<RuntimeInfo> {
  requireArguments('threadsReady', arguments, 0)
  const runtime = currentRuntime()
  await runtime.backend.ready
  return infoOf(runtime)
}

/**
 * Ends all worker threads and resolves when they have exited. Models and tensors stay usable, on one thread.
 * Idle workers do not keep a process alive, so this only serves to release their memory.
 */
export async function dispose(): Promise<void> {
  requireArguments('dispose', arguments, 0)
  await endAllPools('the threads were disposed')
}
