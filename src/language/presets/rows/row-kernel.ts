// Runs assembly/rows.ts in a separate memory: the numbers of files become float32, or integers of few bits, and are checked to be finite.
// Files are read into that memory.

import { KernelModule, MARGIN, reserve, type KernelExports } from '../../../data/readers/kernel-memory'
import { STRIP_OUTPUTS, packedShape } from '../../../engine/primitives/packed'
import { BF16, F16, F32, type NumberKind } from '../../../files/containers/numbers'
import type { Matrix } from '../../layers/packed-weight'
import { rowsModule } from './rows-binary'

interface Exports extends KernelExports {
  setUp(): void
  /** @returns whether all numbers are finite: 0 or 1 */
  widen(kind: number, from: number, to: number, count: number): number
  /** @returns the first row with a number that is not finite, or −1 */
  pack(
    kind: number,
    bits: number,
    from: number,
    rowBytes: number,
    rows: number,
    inputs: number,
    room: number,
    out: number,
    lane: number,
  ): number
}

const kernelModule = /* @__PURE__ */ new KernelModule<Exports>(rowsModule)

/** The numbers that the kernels read, in their order there. */
const KINDS = [F32, F16, BF16] as const

/** Rows of a matrix as they are in a file. */
export interface FileRows {
  readonly kind: NumberKind
  readonly bytes: Uint8Array<ArrayBuffer>
}

interface Extents {
  /** The most bytes of a block. */
  readonly block: number
  /** The most inputs of a row. */
  readonly inputs: number
}

/** The most bytes that the result of a byte of a file takes: float32 of float16. */
const GROWTH = 2

export class RowKernel {
  private readonly kernels: Exports
  private readonly room: number
  private readonly out: number
  /** Where files are read. */
  readonly slots: readonly Uint8Array<ArrayBuffer>[]
  /** Room for rows that come from elsewhere. */
  private readonly spare: Uint8Array<ArrayBuffer>

  /** null if the engine cannot run it. @param count of slots */
  static make(extents: Extents, count: number): RowKernel | null {
    try {
      const kernels = kernelModule.instance()
      return kernels === null ? null : new RowKernel(kernels, extents, count)
    } catch (error) {
      // The engine has no memory.
      if (error instanceof RangeError) return null
      throw error
    }
  }

  private constructor(kernels: Exports, { block, inputs }: Extents, count: number) {
    this.kernels = kernels
    let free = kernels.FREE.value
    const take = (bytes: number): number => {
      const at = Math.ceil(free / 64) * 64
      free = at + bytes + MARGIN
      return at
    }
    this.room = take(4 * (inputs + 64))
    this.out = take(GROWTH * block + 2 * STRIP_OUTPUTS * 9 * (inputs + 32))
    const slots = Array.from({ length: count }, () => take(block))
    const spareBytes = Math.max(block, 4 * inputs)
    const spare = take(spareBytes)
    reserve(kernels, free)
    // The memory does not grow any more, so that views of it stay valid.
    this.slots = slots.map((at) => new Uint8Array(kernels.memory.buffer, at, block))
    this.spare = new Uint8Array(kernels.memory.buffer, spare, spareBytes)
    kernels.setUp()
  }

  /** Whether it writes numbers of a kind. */
  takes(kind: NumberKind): boolean {
    return KINDS.includes(kind)
  }

  /**
   * Writes rows into a matrix, from row `row` on.
   * @returns the first of the rows that has a number that is not finite; −1 if there is none
   */
  write(matrix: Matrix, row: number, { kind, bytes }: FileRows): number {
    if (bytes.buffer === this.spare.buffer) return this.writeHere(matrix, row, { kind, bytes })
    const rowBytes = matrix.inputs * kind.bytes
    const step = Math.floor(this.spare.length / rowBytes)
    for (let from = 0; from * rowBytes < bytes.length; from += step) {
      const part = bytes.subarray(from * rowBytes, (from + step) * rowBytes)
      const here = this.spare.subarray(0, part.length)
      here.set(part)
      const refused = this.writeHere(matrix, row + from, { kind, bytes: here })
      if (refused >= 0) return from + refused
    }
    return -1
  }

  /** @param bytes in the memory of the kernels */
  private writeHere(matrix: Matrix, row: number, { kind, bytes }: FileRows): number {
    const { kernels, out, room } = this
    const { inputs, format } = matrix
    const { view } = matrix.variable
    const number = KINDS.indexOf(kind)
    const rowBytes = inputs * kind.bytes
    const rows = bytes.length / rowBytes
    const { buffer } = kernels.memory
    if (format === null) {
      if (kernels.widen(number, bytes.byteOffset, out, rows * inputs) === 0)
        return this.firstNotFinite(number, bytes, rowBytes, inputs)
      view.set(new Float32Array(buffer, out, rows * inputs), row * inputs)
      return -1
    }
    const strip = packedShape(format)[1]
    const lane = row % STRIP_OUTPUTS
    const from = ((row - lane) / STRIP_OUTPUTS) * strip
    const size = Math.ceil((lane + rows) / STRIP_OUTPUTS) * strip
    const packed = new Int8Array(buffer, out, size)
    // The other rows of the first and of the last strip stay as they are.
    if (lane > 0) packed.set(view.subarray(from, from + strip))
    if ((lane + rows) % STRIP_OUTPUTS !== 0) packed.set(view.subarray(from + size - strip, from + size), size - strip)
    const refused = kernels.pack(number, format.bits, bytes.byteOffset, rowBytes, rows, inputs, room, out, lane)
    if (refused < 0) view.set(packed, from)
    return refused
  }

  private firstNotFinite(kind: number, bytes: Uint8Array, rowBytes: number, inputs: number): number {
    let row = 0
    while (this.kernels.widen(kind, bytes.byteOffset + row * rowBytes, this.room, inputs) === 1) row++
    return row
  }
}
