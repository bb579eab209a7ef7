// Binds the wasm kernels to a memory, plain or shared: picks the binary, decodes it, instantiates it. Nothing
// happens before the first call.

import { StateError, internalError } from '../../core/errors'
import { builtFor, core, decoder, fusions } from './binaries/core'
import { decodeBytes } from './decode'
import type { Binary } from './families'
import { fuse } from './fuse'
import { instructionSet } from './instruction-set'

/** `relaxed` has fused multiply-add; its last bits may differ between machines. */
export type SimdLevel = 'plain' | 'relaxed'

/** What the tape loop offers; addresses and numbers only. */
export interface KernelExports extends WebAssembly.Exports {
  /** Runs a tape. 0, or 1 + the byte offset of the guard that ended it. */
  run(tape: number): number
  /** Runs one instruction. Not 0 when it was a guard that found NaN or ±Inf. */
  runOne(instruction: number): number
  /** Gives the words of a Loop's body what they are in a turn. */
  setTurn(loop: number, turn: number): void
  /** Runs one part of an instruction. As runOne. */
  runPart(instruction: number, part: number, parts: number): number
  /** Runs a tape with the workers of a pool. As run; −1 − the byte offset that was not reached when one is missing. */
  lead(tape: number, threads: number, pool: number, patience: number): number
  /** Lets a pool's workers return to their host. 0 when one did not come within `patience` milliseconds. */
  pause(pool: number, threads: number, patience: number): number
  /** Sends a pool's workers home. */
  abandon(pool: number): void
  /** int32 out [length] ← a random order, as core/permute.ts makes it. */
  permute(out: number, length: number, a: number, b: number, c: number, counter: number): void
  /** Kernels outside of the core, each at the number of its opcode. */
  readonly table: WebAssembly.Table
}

const ENTRIES = ['run', 'runOne', 'runPart', 'lead', 'pause', 'abandon', 'permute'] as const

// (module (func (drop (f32x4.relaxed_madd (v128.const 0) (v128.const 0) (v128.const 0)))))
const HEADER = [0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0]
const ZERO_VECTOR = [0xfd, 12, ...new Array<number>(16).fill(0)]
const RELAXED_MADD = [0xfd, 0x85, 0x02]
const DROP_END = [0x1a, 0x0b]

function probe(body: readonly number[]): Uint8Array<ArrayBuffer> {
  const code = [1, body.length + 1, 0, ...body]
  return Uint8Array.from([...HEADER, 10, code.length, ...code])
}

export function supportsSimd(): boolean {
  return typeof WebAssembly === 'object' && WebAssembly.validate(probe([...ZERO_VECTOR, ...DROP_END]))
}

export function supportsRelaxedSimd(): boolean {
  const body = [...ZERO_VECTOR, ...ZERO_VECTOR, ...ZERO_VECTOR, ...RELAXED_MADD, ...DROP_END]
  return supportsSimd() && WebAssembly.validate(probe(body))
}

const modules = new Map<string, WebAssembly.Module>()

/** A module as it is compiled: the same kernels, in different code. */
export interface ModuleVariant {
  readonly level: SimdLevel
  /** For a shared memory. */
  readonly shared: boolean
  /** Compiled anew after V8's flags were set: it would take code that it made before for the same bytes. */
  readonly turbo: boolean
}

/**
 * A binary, compiled once in each variant.
 * @param instructions what the binaries were built for
 * @throws StateError where the engine lacks WebAssembly SIMD, where a page forbids WebAssembly, and for a binary of other sources.
 */
export function compileKernels(variant: ModuleVariant, of = core, instructions = builtFor): WebAssembly.Module {
  if (!supportsSimd()) {
    throw new StateError(
      "This JavaScript engine has no WebAssembly SIMD (Chrome 91, Firefox 89, Safari 16.4 and Node 16.4 have). configure({ backend: 'interpreter' }) works everywhere, slowly.",
    )
  }
  const key = `${of.name} ${variant.level} ${variant.shared} ${variant.turbo}`
  let module = modules.get(key)
  if (module === undefined) {
    requireBuiltFor(instructions)
    module = compileModule(of, variant)
    modules.set(key, module)
  }
  return module
}

/** Refuses a binary that would read tapes otherwise than they are written. @throws StateError */
function requireBuiltFor(instructions: number): void {
  if (instructions === instructionSet()) return
  throw new StateError(
    'The WebAssembly binary was built from other sources: it knows other instructions than those that are written for it now. Run `npm run build:wasm`.',
  )
}

// The bytes are valid wherever there is SIMD, so an engine that refuses them was told to.
function compileModule(of: Binary, { level, shared, turbo }: ModuleVariant): WebAssembly.Module {
  try {
    const bytes = turbo ? withMark(bytesOf(of, level)) : bytesOf(of, level)
    if (shared) importShared(bytes)
    return new WebAssembly.Module(bytes)
  } catch (error) {
    // Safari's is an EvalError.
    if (!(error instanceof WebAssembly.CompileError || error instanceof EvalError)) throw error
    throw new StateError(
      "WebAssembly was refused here. If the page has a Content Security Policy, its script-src directive must contain 'wasm-unsafe-eval'; " +
        `configure({ backend: 'interpreter' }) works without, slowly. The engine says: ${error.message}`,
      { cause: error },
    )
  }
}

export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): KernelExports {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } })
  if (!hasKernels(exports)) throw internalError('the binary has no kernels')
  return exports
}

function hasKernels(exports: WebAssembly.Exports): exports is KernelExports {
  return ENTRIES.every((name) => typeof exports[name] === 'function')
}

/** Puts the kernels of a family into the table of the core. Both have the same memory. */
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

/** The bytes of a binary. */
export function bytesOf({ encoded, size }: Binary, level: SimdLevel): Uint8Array<ArrayBuffer> {
  const bytes = decodeBytes(encoded, size, decoder)
  if (level === 'relaxed') fuse(bytes, fusions)
  return bytes
}

// A custom section, which means nothing, with the name "turbo"
const MARK = [0, 6, 5, ...latin1('turbo')]

function withMark(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const marked = new Uint8Array(bytes.length + MARK.length)
  marked.set(bytes)
  marked.set(MARK, bytes.length)
  return marked
}

// (import "env" "memory" (memory …)): the last byte says that the memory has a maximum; bit 1 says that it is shared
const MEMORY_IMPORT = [3, ...latin1('env'), 6, ...latin1('memory'), 2, 1]

function latin1(text: string): number[] {
  return Array.from(text, (letter) => letter.charCodeAt(0))
}

/** Lets a module take a shared memory: atomic instructions are valid on both kinds, so the code is the same. */
function importShared(bytes: Uint8Array): void {
  for (let at = 8; at < bytes.length; at++) {
    if (MEMORY_IMPORT.some((byte, i) => bytes[at + i] !== byte)) continue
    bytes[at + MEMORY_IMPORT.length - 1] = 3
    return
  }
  throw internalError('the kernels import no memory with a maximum')
}
