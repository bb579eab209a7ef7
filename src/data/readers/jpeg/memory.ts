// The memory of a picture that is decoded: that of assembly/jpeg.ts, where its kernels run, or plain arrays.

import { CODES_SIZE } from '../../../../assembly/shared/jpeg-codes'
import { fromBase64 } from '../../../core/base64'
import { jpegModule } from './binary'

/** The exports of assembly/jpeg.ts. Addresses are those of arrays in their memory: `byteOffset`. */
export interface JpegKernels {
  readonly memory: WebAssembly.Memory
  readonly FREE: WebAssembly.Global
  begin(from: number, to: number): void
  position(): number
  left(): number
  fill(): void
  block(to: number, dc: number, ac: number): number
  transformBlocks(blocks: number, count: number, steps: number, to: number, stride: number): void
  enlarge(
    own: number,
    other: number,
    columns: number,
    sums: number,
    to: number,
    evenBias: number,
    oddBias: number,
  ): void
  mixColours(light: number, blue: number, red: number, width: number, to: number): void
}

/** Where arrays of a picture are. */
export interface Room {
  /** null without kernels. */
  readonly kernels: JpegKernels | null
  /** Zeros. */
  words(length: number): Int16Array
  bytes(length: number): Uint8Array
}

export const PLAIN_ROOM: Room = {
  kernels: null,
  words: (length) => new Int16Array(length),
  bytes: (length) => new Uint8Array(length),
}

const PAGE = 65536
/** Kernels read and write so much beyond arrays. */
const MARGIN = 64
/** A scan has at most four components, each with two tables. */
const MOST_TABLES = 8
/** Memory of up to this size is kept for the next picture: 16 MiB. */
const KEPT = 2 ** 24

/** null before first use. */
let compiled: WebAssembly.Module | 'impossible' | null = null
let kept: JpegKernels | null = null

const instantiate = (module: WebAssembly.Module): JpegKernels =>
  new WebAssembly.Instance(module).exports as unknown as JpegKernels

function moduleOf(): WebAssembly.Module | null {
  try {
    compiled ??= new WebAssembly.Module(fromBase64(jpegModule))
  } catch {
    // An engine without SIMD, or a page that forbids WebAssembly.
    compiled = 'impossible'
  }
  return compiled === 'impossible' ? null : compiled
}

/** Room in the memory of the kernels. That of small pictures is valid until the next one is decoded. */
export class KernelRoom implements Room {
  private readonly buffer: ArrayBuffer
  private readonly codesAt: number
  private free: number
  /** The bytes of the file. */
  readonly file: Uint8Array

  /** @param size of all arrays and the gaps between them. @returns null if there are no kernels, or not so much memory */
  static of(file: Uint8Array, size: number): KernelRoom | null {
    const module = moduleOf()
    if (module === null) return null
    const all = 2 * PAGE + file.length + size
    try {
      const kernels = all > KEPT ? instantiate(module) : (kept ??= instantiate(module))
      const lacking = all - kernels.memory.buffer.byteLength
      if (lacking > 0) kernels.memory.grow(Math.ceil(lacking / PAGE))
      return new KernelRoom(kernels, file)
    } catch {
      return null
    }
  }

  private constructor(
    readonly kernels: JpegKernels,
    file: Uint8Array,
  ) {
    this.buffer = kernels.memory.buffer
    this.free = kernels.FREE.value as number
    this.codesAt = this.take(MOST_TABLES * CODES_SIZE)
    this.file = this.bytes(file.length)
    this.file.set(file)
  }

  private take(bytes: number): number {
    const at = Math.ceil(this.free / 16) * 16
    this.free = at + bytes + MARGIN
    return at
  }

  words(length: number): Int16Array {
    return new Int16Array(this.buffer, this.take(2 * length), length).fill(0)
  }

  bytes(length: number): Uint8Array {
    return new Uint8Array(this.buffer, this.take(length), length)
  }

  /** Copies a table of codes. @param slot below `MOST_TABLES`. @returns its address */
  placeCodes(slot: number, codes: Uint8Array): number {
    const at = this.codesAt + slot * CODES_SIZE
    new Uint8Array(this.buffer, at, CODES_SIZE).set(codes)
    return at
  }
}
