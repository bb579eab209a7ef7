// The runtime of new models and tensors.

import { requireSimd, supportsRelaxedSimd, supportsSimd, type ReadBinary, type SimdLevel } from './wasm/wasm'
import { KernelSet } from './wasm/kernel-set'
import { Arena, createWasmMemory } from './memory'
import { Runtime } from './runtime'
import type { Settings } from './settings'
import { TapeBackend } from './tape-backend'

/** The level for 'auto'. */
export function bestLevel(): SimdLevel {
  return supportsRelaxedSimd() ? 'relaxed' : 'plain'
}

/** How the runtime of new models and tensors is made, and that runtime after its first use. */
interface Choice {
  runtime: Runtime | null
  make(): Runtime
  /** What the user chose; null before. */
  readonly settings: Settings | null
  /** Where the kernels come from, if the entry has them in files. */
  readonly read?: ReadBinary | undefined
}

// One thread, no V8 flags: configure.ts creates the other backends.
function plainRuntime(): Runtime {
  requireSimd()
  const simd = bestLevel()
  const memory = createWasmMemory()
  const kernels = new KernelSet({ level: simd, shared: false, turbo: false, read: current.read }, memory)
  return new Runtime({ backend: 'wasm', simd, fuse: true }, new TapeBackend(memory, new Arena(memory), kernels))
}

// A variable of the module, because every op and every new variable asks for it, and calls of users do not pass it.
let current: Choice = { runtime: null, make: plainRuntime, settings: null }

/** Sets what runs where there is no WebAssembly, unless configure() chooses. Its code is not in every application. */
export function fallBackTo(without: () => Runtime): void {
  if (current.make === plainRuntime) current = { ...current, make: () => (supportsSimd() ? plainRuntime() : without()) }
}

/** Sets where kernels come from. Those that the function does not find are decoded from text. */
export function readBinariesWith(read: ReadBinary): void {
  current = { ...current, read }
}

/** Where kernels come from; undefined for text. */
export function binarySource(): ReadBinary | undefined {
  return current.read
}

/** Replaces how the next runtime is created. @returns the previous runtime */
export function replaceRuntime(make: () => Runtime, settings: Settings): Runtime | null {
  const { runtime } = current
  current = { ...current, runtime: null, make, settings }
  return runtime
}

/** What the user chose; null before. */
export function chosenSettings(): Settings | null {
  return current.settings
}

/** The runtime of new models and tensors; created at the first use. */
export function currentRuntime(): Runtime {
  return (current.runtime ??= current.make())
}

/** Runs `body` with another runtime as the current one. */
export function withRuntime<Result>(runtime: Runtime, body: () => Result): Result {
  const outer = current.runtime
  current = { ...current, runtime }
  try {
    return body()
  } finally {
    current = { ...current, runtime: outer }
  }
}
