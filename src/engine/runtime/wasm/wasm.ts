// Binds the wasm kernels to a memory, plain or shared: selects the binary, decodes it, instantiates it. Nothing
// happens before the first call.

import { StateError, internalError } from '../../../core/errors'
import { core, decoder, fusions } from './binaries'
import { decodeBytes } from './decode'
import type { Binary } from './families'
import { fuse } from './fuse'

/** `relaxed` has fused multiply-add; its last bits may differ between machines. */
export type SimdLevel = 'plain' | 'relaxed'

/** The exports of the core. They take only addresses and numbers. */
export interface KernelExports extends WebAssembly.Exports {
  /** Runs a tape. Returns 0, or 1 + the byte offset of the guard that ended it. */
  run(tape: number): number
  /** Runs one instruction. Returns a nonzero number if it was a guard that found NaN or ±Inf. */
  runOne(instruction: number): number
  /** Sets the words of a Loop's body for an iteration. */
  setTurn(loop: number, turn: number): void
  /** Runs one part of an instruction. Returns what runOne returns. */
  runPart(instruction: number, part: number, parts: number): number
  /**
   * Runs a tape with the workers of a pool. Returns what run returns, or −1 − the byte offset that was not
   * reached because a worker is missing.
   */
  lead(tape: number, threads: number, pool: number, patience: number): number
  /** Lets a pool's workers return to their host. Returns 0 if one did not respond within `patience` milliseconds. */
  pause(pool: number, threads: number, patience: number): number
  /** Ends a pool's workers. */
  abandon(pool: number): void
  /** int32 out [length] ← a random order, as in core/permute.ts. */
  permute(out: number, length: number, a: number, b: number, c: number, counter: number): void
  /** Kernels outside the core, indexed by opcode. */
  readonly table: WebAssembly.Table
}

const ENTRIES = ['run', 'runOne', 'runPart', 'lead', 'pause', 'abandon', 'permute'] as const

// (module (func (drop (f32x4.relaxed_madd (v128.const 0) (v128.const 0) (v128.const 0)))))
const HEADER = [0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0]
const ZERO_VECTOR = [0xfd, 12, ...new Array<number>(16).fill(0)]
const RELAXED_MADD = [0xfd, 0x85, 0x02]
const DROP_END = [0x1a, 0x0b]

function moduleOf(body: readonly number[]): Uint8Array<ArrayBuffer> {
  const code = [1, body.length + 1, 0, ...body]
  return Uint8Array.from([...HEADER, 10, code.length, ...code])
}

export function supportsSimd(): boolean {
  return typeof WebAssembly === 'object' && WebAssembly.validate(moduleOf([...ZERO_VECTOR, ...DROP_END]))
}

export function supportsRelaxedSimd(): boolean {
  const body = [...ZERO_VECTOR, ...ZERO_VECTOR, ...ZERO_VECTOR, ...RELAXED_MADD, ...DROP_END]
  return supportsSimd() && WebAssembly.validate(moduleOf(body))
}

/** @throws StateError if the engine has no WebAssembly, or none with SIMD */
export function requireSimd(): void {
  if (supportsSimd()) return
  throw new StateError(
    "This JavaScript engine has no WebAssembly SIMD (Chrome 91, Firefox 89 and Safari 16.4 have it). configure({ backend: 'interpreter' }) works everywhere, but slowly.",
  )
}

const modules = new Map<string, WebAssembly.Module>()

/** A compiled form of a module: the same kernels in different code. */
export interface ModuleVariant {
  readonly level: SimdLevel
  /** For a shared memory. */
  readonly shared: boolean
  /**
   * Recompiled after V8's flags were set: otherwise the engine would reuse code compiled earlier for the same
   * bytes.
   */
  readonly turbo: boolean
  /** Where binaries come from. Default: they are decoded from text. */
  readonly read?: ReadBinary | undefined
}

/**
 * A binary, compiled once per variant.
 * @throws StateError if the engine lacks WebAssembly SIMD, or if the page forbids WebAssembly
 */
export function compileKernels(variant: ModuleVariant, of = core): WebAssembly.Module {
  requireSimd()
  const key = `${of.name} ${variant.level} ${variant.shared} ${variant.turbo}`
  let module = modules.get(key)
  if (module === undefined) {
    module = compileModule(of, variant)
    modules.set(key, module)
  }
  return module
}

/** Adds binaries that the host has compiled, by their names: some hosts allow no other. */
export function addModules(level: SimdLevel, compiled: Readonly<Record<string, WebAssembly.Module>>): void {
  for (const [name, module] of Object.entries(compiled)) modules.set(`${name} ${level} false false`, module)
}

// The bytes are valid on every engine with SIMD, so an engine that rejects them follows a policy.
function compileModule(of: Binary, { level, shared, turbo, read }: ModuleVariant): WebAssembly.Module {
  try {
    const bytes = turbo ? withMark(bytesOf(of, level, read)) : bytesOf(of, level, read)
    if (shared) importShared(bytes)
    return new WebAssembly.Module(bytes)
  } catch (error) {
    if (error instanceof RangeError) throw noSpace(error)
    // Safari throws an EvalError.
    if (!(error instanceof WebAssembly.CompileError || error instanceof EvalError)) throw error
    throw new StateError(
      "WebAssembly is forbidden here. A page's Content Security Policy needs 'wasm-unsafe-eval' in script-src, workerd its entry; " +
        `configure({ backend: 'interpreter' }) works everywhere, but slowly. The engine's message: ${error.message}`,
      { cause: error },
    )
  }
}

/** The error for an engine that gets no memory from the system, as with a small `ulimit -v`. */
export function noSpace(cause: RangeError): StateError {
  return new StateError(
    `WebAssembly gets no memory, for which engines reserve up to 20 GiB of addresses: raise their limit (ulimit -v), start Node with --disable-wasm-trap-handler, or configure({ backend: 'interpreter' }), which is slow. ${cause.message}`,
    { cause },
  )
}

export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): KernelExports {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } })
  if (!hasKernels(exports)) throw internalError('the binary has no kernels')
  return exports
}

function hasKernels(exports: WebAssembly.Exports): exports is KernelExports {
  return ENTRIES.every((name) => typeof exports[name] === 'function')
}

/** Adds the kernels of a family to the table of the core. Both have the same memory. */
export function link(
  { table }: KernelExports,
  kernels: Binary['kernels'],
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
): void {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } })
  for (const [name, opcode] of kernels) {
    if (table.length <= opcode) table.grow(opcode + 1 - table.length)
    table.set(opcode, exports[name])
  }
}

/** Reads the plain variant of a binary by its name. Returns null if there is none. */
export type ReadBinary = (name: string) => Uint8Array<ArrayBuffer> | null

/** The bytes of a binary. @param read where it comes from; if it is not there, it is decoded from text */
export function bytesOf({ name, encoded, size }: Binary, level: SimdLevel, read?: ReadBinary): Uint8Array<ArrayBuffer> {
  const found = read?.(name)
  const bytes = found?.length === size ? found : decodeBytes(encoded, size, decoder)
  if (level === 'relaxed') fuse(bytes, fusions)
  return bytes
}

// A custom section without effect, with the name "turbo".
const MARK = [0, 6, 5, ...latin1('turbo')]

function withMark(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const marked = new Uint8Array(bytes.length + MARK.length)
  marked.set(bytes)
  marked.set(MARK, bytes.length)
  return marked
}

// (import "env" "memory" (memory …)): in the last byte, bit 0 means that the memory has a maximum, bit 1 that
// it is shared.
const MEMORY_IMPORT = [3, ...latin1('env'), 6, ...latin1('memory'), 2, 1]

function latin1(text: string): number[] {
  return Array.from(text, (letter) => letter.charCodeAt(0))
}

/** Makes a module import a shared memory. Atomic instructions are valid on both kinds, so the code stays the same. */
function importShared(bytes: Uint8Array): void {
  for (let at = 8; at < bytes.length; at++) {
    if (MEMORY_IMPORT.some((byte, i) => bytes[at + i] !== byte)) continue
    bytes[at + MEMORY_IMPORT.length - 1] = 3
    return
  }
  throw internalError('the kernels do not import a memory with a maximum')
}
