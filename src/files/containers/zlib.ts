// zlib data, decompressed with a limit. RFC 1950.

import { adler32 } from '../../core/adler32'
import { FormatError } from '../../core/errors'
import { inflatedAtOnce, inflatedInStream, loadInflate } from './inflate'

/** Decompresses zlib data. @throws FormatError if they have errors, or more than `most` bytes decompressed */
export type Unzip = (bytes: Uint8Array, most: number) => Uint8Array

/** Loads what `Unzip` needs. */
export async function loadUnzip(): Promise<Unzip> {
  const inflate = await loadInflate()
  return (data, most) => {
    const whole = inflatedAtOnce('deflate', data, most)
    if (whole !== null) return whole
    // A header of 2 bytes, DEFLATE, a checksum of 4 bytes, big-endian.
    const end = data.length - 4
    if (end < 2 || (data[0]! & 15) !== 8 || ((data[0]! << 8) | data[1]!) % 31 !== 0 || data[1]! & 32)
      throw new FormatError('its header is damaged')
    const { bytes, isComplete } = inflate(
      data.subarray(2, end),
      most,
      () => new FormatError(`it has more than ${most} bytes`),
    )
    const sum = data.subarray(end).reduce((sum, byte) => sum * 256 + byte, 0)
    if (!isComplete || adler32(bytes) !== sum) throw new FormatError('its checksum differs')
    return bytes
  }
}

/** Decompresses zlib data, in pages by a DecompressionStream. @throws FormatError as `Unzip` does */
export async function unzip(data: Uint8Array, most: number): Promise<Uint8Array> {
  const whole = inflatedAtOnce('deflate', data, most) ?? (await inflatedInStream('deflate', data, most))
  return whole ?? (await loadUnzip())(data, most)
}
