// Which runtime new models and tensors use.

import type { SimdLevel } from './engine/wasm'
import { KernelSet } from './engine/kernel-set'
import { supportsRelaxedSimd } from './engine/wasm'
import { Arena, createWasmMemory } from './memory'
import { Runtime } from './runtime'
import { TapeBackend } from './tape-backend'

/** The level that 'auto' stands for. */
export function bestLevel(): SimdLevel {
  return supportsRelaxedSimd() ? 'relaxed' : 'plain'
}

// One thread, no flags of V8: the other backends are made in configure.ts.
let make = (): Runtime => {
  const simd = bestLevel()
  const memory = createWasmMemory()
  const kernels = new KernelSet({ level: simd, shared: false, turbo: false }, memory)
  return new Runtime({ backend: 'wasm', simd, fuse: true }, new TapeBackend(memory, new Arena(memory), kernels))
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
