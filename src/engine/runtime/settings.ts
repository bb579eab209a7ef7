// The settings that a user chooses with configure().

import type { SimdLevel } from './wasm/wasm'

export interface Settings {
  /** `interpreter` runs every graph with plain loops: slow, but needs no WebAssembly. */
  backend: 'wasm' | 'interpreter'
  /** `plain` gives the same bits on every machine; `relaxed` is faster on engines that have it. */
  simd: SimdLevel | 'auto'
  /** false: one instruction per operation, for debugging. */
  fuse: boolean
  /**
   * The number of threads that share the work of large instructions; `auto` is one per core, at most 8. The
   * results are the same, bit for bit. Workers start in the background: see threadsReady.
   */
  threads: number | 'auto'
  /**
   * Sets experimental V8 flags for the whole process, in Node. On x64, Node 24 and later then compute large products with
   * 256-bit vectors, nearly twice as fast; Node 20 gets relaxed SIMD. A measurement of about 10 ms checks whether the flags
   * took effect: see `turbo` and `turboNote` of runtimeInfo(). Default false; setting it back to false keeps the flags.
   */
  turbo: boolean
}
