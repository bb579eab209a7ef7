// The runtime of new models and tensors.

import type { SimdLevel } from './engine/wasm'
import { KernelSet } from './engine/kernel-set'
import { requireSimd, supportsRelaxedSimd, supportsSimd } from './engine/wasm'
import { Arena, createWasmMemory } from './memory'
import { Runtime } from './runtime'
import { TapeBackend } from './tape-backend'

/** The level for 'auto'. */
export function bestLevel(): SimdLevel {
  return supportsRelaxedSimd() ? 'relaxed' : 'plain'
}

/** Makes the runtime of an engine without WebAssembly: see without-wasm.ts. null: such an engine is an error. */
let makeWithoutWasm: (() => Runtime) | null = null

/** Sets what runs where there is no WebAssembly. Its code is not in every application. */
export function fallBackTo(given: () => Runtime): void {
  makeWithoutWasm = given
}

// One thread, no V8 flags: configure.ts creates the other backends.
let make = (): Runtime => {
  if (makeWithoutWasm !== null && !supportsSimd()) return makeWithoutWasm()
  requireSimd()
  const simd = bestLevel()
  const memory = createWasmMemory()
  const kernels = new KernelSet({ level: simd, shared: false, turbo: false }, memory)
  return new Runtime({ backend: 'wasm', simd, fuse: true }, new TapeBackend(memory, new Arena(memory), kernels))
}
let current: Runtime | null = null

/** Replaces how the next runtime is created. @returns the previous runtime */
export function replaceRuntime(next: () => Runtime): Runtime | null {
  const before = current
  make = next
  current = null
  return before
}

/** The runtime of new models and tensors; created at the first use. */
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
