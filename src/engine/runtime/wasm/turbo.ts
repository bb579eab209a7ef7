// Enables V8 features that are off by default, and measures whether they took effect: 256-bit vectors for pairs
// of 128-bit ones (Node 24), fused multiply-add (Node 20). Selects tiles; runs nothing of a model.

import { clock } from '../../../core/globals'
import { GEMM_KC } from '../../../../assembly/shared/instructions'
import { nodeModule, nodeProcess } from '../platform'
import type { KernelExports, SimdLevel } from './wasm'

/**
 * Sets V8's flags for the whole process; they apply to modules compiled afterwards. Returns null if V8 then
 * pairs vectors, else the reason why it does not.
 */
export function requestTurbo(level: SimdLevel): string | null {
  if (level === 'plain') return "simd is 'plain', which only uses instructions that every machine has"
  const node = nodeProcess()
  if (node === null) return 'only Node can enable it'
  const engine = nodeModule('node:v8')
  if (engine === null || node.versions.v8 === undefined) return 'this engine is not V8, or older than Node 20.16'
  const major = Number(node.versions.node.split('.')[0])
  try {
    if (major < 21) {
      engine.setFlagsFromString('--experimental-wasm-relaxed-simd')
      return `Node ${major} now has relaxed SIMD, but pairing vectors requires Node 24`
    }
    if (major < 24) return `Node ${major} cannot pair vectors, which requires Node 24`
    // V8 pairs vectors only on x64.
    if (node.arch !== 'x64') return `V8 does not pair vectors on ${node.arch}`
    engine.setFlagsFromString('--experimental-wasm-revectorize')
    return null
  } catch (error) {
    // Programs that imitate Node without V8.
    return `the engine does not accept flags: ${String(error)}`
  }
}

/** The ratio of work in equal time that indicates 256-bit operations: 2 in theory, about 1 without them. */
const PAIRED = 1.3
/** V8 first runs unoptimized code, five times slower, and replaces it after some milliseconds. */
const OPTIMISED = 2
const PATIENCE_MS = 100
const ROWS = 96
const DEPTH = GEMM_KC
const REPETITIONS = 10

/** The exports are not typed as functions of numbers; this is the type for calling them directly. */
type Tile = (...numbers: number[]) => void

function isTile(value: unknown): value is Tile {
  return typeof value === 'function'
}

const found = new WeakMap<WebAssembly.Module, boolean>()

/**
 * Whether the tile of 16 columns does more work in the same time than that of 8, which requires that V8 pairs its vectors.
 * Takes about 10 ms, once per module.
 * @param scratch the address of GEMM_SCRATCH bytes
 */
export function pairsVectors(module: WebAssembly.Module, kernels: KernelExports, scratch: number): boolean {
  const answer = found.get(module) ?? isWideFaster(kernels, scratch)
  found.set(module, answer)
  return answer
}

function isWideFaster(kernels: KernelExports, scratch: number): boolean {
  const { gemm_4x8_columns_f32: narrow, gemm_6x16_columns_f32: wide } = kernels
  if (!isTile(narrow) || !isTile(wide)) return false
  // Bytes: lhs panel [k,6], two rhs panels [k,8], a row of zeros, out [rows,16].
  const [lhs, rhs, zeros, out] = [scratch, scratch + 24 * DEPTH, scratch + 88 * DEPTH, scratch + 88 * DEPTH + 64]
  const runNarrow = (): void => narrow(out, 64, 128, lhs, 16, 0, rhs, 32, ROWS, DEPTH, 8, zeros, 0, 0, -Infinity)
  const runWide = (): void => wide(out, 64, lhs, 24, 0, rhs, 32, 32 * DEPTH, ROWS, DEPTH, zeros, 0, -Infinity)
  optimise(runNarrow)
  optimise(runWide)
  let [narrowMs, wideMs] = [Infinity, Infinity]
  for (let i = 0; i < REPETITIONS; i++) {
    narrowMs = Math.min(narrowMs, timeOf(runNarrow))
    wideMs = Math.min(wideMs, timeOf(runWide))
  }
  return (2 * narrowMs) / wideMs > PAIRED
}

/** Runs until the optimized code is in use, or has had time to be. */
function optimise(run: () => void): void {
  run()
  const first = Math.min(timeOf(run), timeOf(run))
  const end = clock() + PATIENCE_MS
  while (timeOf(run) * OPTIMISED > first && clock() < end);
}

function timeOf(run: () => void): number {
  const start = clock()
  for (let i = 0; i < 2; i++) run()
  return clock() - start
}
