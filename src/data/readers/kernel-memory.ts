// Small modules of kernels, each with a separate memory in which a reader places arrays. Knows no kernel.

import { fromBase64 } from '../../core/base64'
import { typed } from '../../core/tree'

/** The exports of every module. An address is the `byteOffset` of an array in its memory. */
export interface KernelExports {
  readonly memory: WebAssembly.Memory
  /** The first byte that is free. */
  readonly FREE: WebAssembly.Global<'i32'>
}

const PAGE = 65536
/** The number of bytes beyond an array that kernels may read and write. */
export const MARGIN = 64
/** A memory of up to this size is kept for the next arrays: 16 MiB. */
const KEPT = 2 ** 24

/** A module as text, which is compiled when it is first used. */
export class KernelModule<Exports extends KernelExports> {
  private compiled: WebAssembly.Module | 'impossible' | null = null
  private kept: Exports | null = null

  constructor(private readonly text: string) {}

  /** The kernels with a new memory; null if the engine cannot run them. */
  instance(): Exports | null {
    try {
      this.compiled ??= new WebAssembly.Module(fromBase64(this.text))
    } catch {
      // An engine without SIMD, or a page that forbids WebAssembly.
      this.compiled = 'impossible'
    }
    if (this.compiled === 'impossible') return null
    // The exports are those of the module's source, which `Exports` describes.
    return typed(new WebAssembly.Instance(this.compiled).exports)
  }

  /** The kernels with a memory that all callers use, one at a time; null if the engine cannot run them. */
  shared(): Exports | null {
    return (this.kept ??= this.instance())
  }

  /**
   * Room for arrays. Small arrays are valid only up to the next call, which reuses their memory.
   * @param size of all arrays in bytes, with some spare bytes for each
   * @returns null if the engine cannot run the kernels, or lacks the memory
   */
  room(size: number): KernelRoom<Exports> | null {
    const all = size + PAGE
    try {
      const kernels = all > KEPT ? this.instance() : this.shared()
      if (kernels === null) return null
      reserve(kernels, all)
      return new KernelRoom(kernels)
    } catch {
      return null
    }
  }
}

/** Makes the memory of kernels at least `bytes` large. */
export function reserve({ memory }: KernelExports, bytes: number): void {
  const lacking = bytes - memory.buffer.byteLength
  if (lacking > 0) memory.grow(Math.ceil(lacking / PAGE))
}

/** Arrays in the memory of kernels. */
export class KernelRoom<Exports extends KernelExports> {
  private readonly buffer: ArrayBuffer
  private free: number

  constructor(readonly kernels: Exports) {
    this.buffer = kernels.memory.buffer
    this.free = kernels.FREE.value
  }

  private take(bytes: number): number {
    const at = Math.ceil(this.free / 16) * 16
    this.free = at + bytes + MARGIN
    return at
  }

  /** Any values. */
  bytes(length: number): Uint8Array {
    return new Uint8Array(this.buffer, this.take(length), length)
  }

  /** Zeros. */
  words(length: number): Int16Array {
    return new Int16Array(this.buffer, this.take(2 * length), length).fill(0)
  }

  /** Any values. */
  floats(length: number): Float32Array {
    return new Float32Array(this.buffer, this.take(4 * length), length)
  }

  /** Any values. */
  integers(length: number): Int32Array {
    return new Int32Array(this.buffer, this.take(4 * length), length)
  }
}
