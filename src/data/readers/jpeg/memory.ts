// The memory of a JPEG that is decoded: that of assembly/jpeg.ts, where its kernels run, or plain arrays.

import { CODES_SIZE } from '../../../../assembly/shared/jpeg-codes'
import { KernelModule, type KernelExports, type KernelRoom } from '../kernel-memory'
import { jpegModule } from './jpeg-binary'

/** The exports of assembly/jpeg.ts. */
interface JpegKernels extends KernelExports {
  begin(from: number, to: number): void
  position(): number
  left(): number
  fill(): void
  block(to: number, dc: number, ac: number): number
  transformBlocks(blocks: number, count: number, steps: number, to: number, stride: number): void
  enlarge(near: number, other: number, columns: number, sums: number, to: number, even: number, odd: number): void
  mixColours(light: number, blue: number, red: number, width: number, to: number): void
}

export type JpegRoom = KernelRoom<JpegKernels>

/** Where arrays of a picture are. */
export type Room = JpegRoom | typeof PLAIN_ROOM

const PLAIN_ROOM = {
  kernels: null,
  words: (length: number) => new Int16Array(length),
  bytes: (length: number) => new Uint8Array(length),
}

/** A scan has at most four components, each with two tables. */
export const MOST_TABLES = 8

const kernels = /* @__PURE__ */ new KernelModule<JpegKernels>(jpegModule)

/** @param size of the arrays of a picture beside its file and codes */
export const roomFor = (file: Uint8Array, size: number): Room =>
  kernels.room(file.length + MOST_TABLES * CODES_SIZE + size) ?? PLAIN_ROOM
