// zlib data, decompressed with a limit.

import { FormatError } from '../../core/errors'
import { adler32 } from './checksums'

/** Decompresses zlib data. @throws FormatError if they have errors, or more than `most` bytes decompressed */
export type Inflate = (bytes: Uint8Array, most: number) => Uint8Array

/** At most 4 MB decompressed. */
const PIECE = 4096

/** Loads fflate. */
export async function loadInflate(): Promise<Inflate> {
  const { Inflate } = await import('fflate')
  return (bytes, most) => {
    const result = new Uint8Array(most)
    let size = 0
    let isComplete = false
    const stream = new Inflate((piece, isLast) => {
      if (size + piece.length > most) throw new FormatError(`it has more than ${most} bytes`)
      result.set(piece, size)
      size += piece.length
      isComplete ||= isLast
    })
    // A header of 2 bytes, DEFLATE, a checksum of 4 bytes, big-endian.
    const end = bytes.length - 4
    if (end < 2 || (bytes[0]! & 15) !== 8 || ((bytes[0]! << 8) | bytes[1]!) % 31 !== 0 || bytes[1]! & 32)
      throw new FormatError('its header is damaged')
    // Pieces, so that data that expand too much are noticed early.
    for (let at = 2; at < end; at += PIECE)
      stream.push(bytes.subarray(at, Math.min(at + PIECE, end)), at + PIECE >= end)
    const sum = bytes.subarray(end).reduce((sum, byte) => sum * 256 + byte, 0)
    if (!isComplete || adler32(result.subarray(0, size)) !== sum) throw new FormatError('its checksum differs')
    return result.subarray(0, size)
  }
}
