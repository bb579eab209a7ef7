// From the bits of a scan to the coefficients of blocks: sequential and progressive scans. jpeg.ts has the order of blocks.

import { BLOCK_FAULT, CODES_SIZE, CODE_FAULT } from '../../../../assembly/shared/jpeg-codes'
import { DataError } from '../../../core/errors'
import { Bits, type Huffman, type ScanPosition } from './codes'
import { MOST_TABLES, type JpegRoom } from './memory'

/** The position in a block of the k-th coefficient (figure A.6). */
export const ZIGZAG = Uint8Array.from([
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
  35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47,
  55, 62, 63,
])

/** A colour of a scan. */
export interface ScanPart {
  readonly dc: Huffman
  readonly ac: Huffman
  /** The addresses of both for kernels. */
  dcAt: number
  acAt: number
  /** The last DC coefficient. */
  last: number
}

/** Reads the blocks of a scan. */
export interface ScanReader {
  readonly bits: ScanPosition
  /** Decodes a block whose coefficients are from `at` on. */
  readonly decode: (blocks: Int16Array, at: number, part: ScanPart) => void
  /** Forgets what holds only up to a restart. */
  readonly restart?: () => void
}

/** Blocks of a sequential scan (F.2.2). */
export function sequential(bytes: Uint8Array, start: number): ScanReader {
  const bits = new Bits(bytes, start)
  const decode = (blocks: Int16Array, at: number, part: ScanPart): void => {
    blocks[at] = part.last += bits.signed(part.dc.read(bits) & 15)
    for (let k = 1; k < 64; k++) {
      const symbol = part.ac.read(bits)
      const zeros = symbol >> 4
      const size = symbol & 15
      if (size === 0 && zeros < 15) return
      k += zeros
      if (k > 63) throw blockFault()
      if (size > 0) blocks[at + ZIGZAG[k]!] = bits.signed(size)
    }
  }
  return { bits, decode }
}

const blockFault = (): DataError => new DataError('a block is damaged')

/** What kernels read of a file. */
export interface PlacedFile extends Pick<JpegRoom, 'kernels'> {
  readonly file: Uint8Array
  /** Room for the codes of a scan. */
  readonly codes: Uint8Array
}

export function placeFile(bytes: Uint8Array, room: JpegRoom): PlacedFile {
  const file = room.bytes(bytes.length)
  file.set(bytes)
  return { kernels: room.kernels, file, codes: room.bytes(MOST_TABLES * CODES_SIZE) }
}

/** The same by kernels. @param parts all of the scan */
export function sequentialByKernels(
  { kernels, file, codes }: PlacedFile,
  start: number,
  parts: readonly ScanPart[],
): ScanReader {
  const place = ({ bytes }: Huffman, slot: number): number => {
    codes.set(bytes, slot * CODES_SIZE)
    return codes.byteOffset + slot * CODES_SIZE
  }
  parts.forEach((part, i) => {
    part.dcAt = place(part.dc, 2 * i)
    part.acAt = place(part.ac, 2 * i + 1)
  })
  const begin = (at: number): void => kernels.begin(file.byteOffset + at, file.byteOffset + file.length)
  begin(start)
  const bits: ScanPosition = {
    get at() {
      return kernels.position() - file.byteOffset
    },
    get left() {
      return kernels.left()
    },
    fill: () => kernels.fill(),
    begin,
  }
  const decode = (blocks: Int16Array, at: number, part: ScanPart): void => {
    const difference = kernels.block(blocks.byteOffset + 2 * at, part.dcAt, part.acAt)
    if (difference === CODE_FAULT) throw new DataError('a code is damaged')
    if (difference === BLOCK_FAULT) throw blockFault()
    blocks[at] = part.last += difference
  }
  return { bits, decode }
}

interface ScanRange {
  readonly first: number
  readonly last: number
  /** The position of the lowest bit that the scan has. */
  readonly low: number
  /** Whether it has one more bit of coefficients that are known. */
  readonly isRefined: boolean
}

/** Blocks of a progressive scan (annex G). */
export function progressive(bytes: Uint8Array, start: number, { first, last, low, isRefined }: ScanRange): ScanReader {
  const bits = new Bits(bytes, start)
  /** The blocks from here on that have no more coefficients. */
  let empty = 0
  const one = 1 << low
  /** A coefficient that was 0 before. */
  const coefficient = (size: number): number => {
    if (!isRefined) return bits.signed(size) << low
    return bits.take(1) === 1 ? one : -one
  }
  const decode: ScanReader['decode'] = (blocks, at, part) => {
    if (first === 0) {
      if (!isRefined) blocks[at] = (part.last += bits.signed(part.dc.read(bits) & 15)) << low
      else if (bits.take(1) === 1) blocks[at]! |= one
      return
    }
    const refine = (i: number): void => {
      if (bits.take(1) === 1 && (blocks[i]! & one) === 0) blocks[i]! += blocks[i]! > 0 ? one : -one
    }
    let k = first
    while (empty === 0 && k <= last) {
      const symbol = part.ac.read(bits)
      const run = symbol >> 4
      const size = symbol & 15
      if (size === 0 && run < 15) {
        empty = (1 << run) + bits.take(run)
        break
      }
      const value = size === 0 ? 0 : coefficient(size)
      for (let zeros = run; k <= last; k++) {
        const i = at + ZIGZAG[k]!
        if (isRefined && blocks[i] !== 0) refine(i)
        else if (zeros-- === 0) {
          if (value !== 0) blocks[i] = value
          break
        }
      }
      k++
    }
    if (empty === 0) return
    if (isRefined)
      for (; k <= last; k++) {
        const i = at + ZIGZAG[k]!
        if (blocks[i] !== 0) refine(i)
      }
    empty--
  }
  return { bits, decode, restart: () => void (empty = 0) }
}
