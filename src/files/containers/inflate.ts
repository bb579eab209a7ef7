// DEFLATE data, decompressed with a limit: by the engine where it can, which takes a fifth of the time, otherwise by fflate. RFC 1951.

import { concatBytes } from '../../core/bytes'
import { nodeModule } from '../../engine/runtime/platform'

/**
 * Decompresses data.
 * @param most the number of bytes that the result may have
 * @param excess makes the error for more
 * @returns the bytes, and whether the data have an end
 */
export type Inflate = (
  data: Uint8Array,
  most: number,
  excess: () => Error,
) => { readonly bytes: Uint8Array; readonly isComplete: boolean }

/** DEFLATE data alone, or with the header and the checksum of zlib. */
export type Wrapping = 'deflate-raw' | 'deflate'

/** At most 4 MB decompressed. */
const PIECE = 4096

/** Loads fflate, whose function throws its own errors for damaged data. In Node, its zlib decompresses what is not damaged. */
export async function loadInflate(): Promise<Inflate> {
  const { Inflate } = await import('fflate')
  return (data, most, excess) => {
    const whole = inflatedAtOnce('deflate-raw', data, most)
    if (whole !== null) return { bytes: whole, isComplete: true }
    const result = new Uint8Array(most)
    let size = 0
    let isComplete = false
    const stream = new Inflate((piece, isLast) => {
      if (size + piece.length > most) throw excess()
      result.set(piece, size)
      size += piece.length
      isComplete ||= isLast
    })
    // Pieces, so that data that expand too much are noticed early.
    for (let at = 0; at < data.length; at += PIECE)
      stream.push(data.subarray(at, at + PIECE), at + PIECE >= data.length)
    return { bytes: result.subarray(0, size), isComplete }
  }
}

/** Buffers of fewer bytes are parts of one that Node shares. */
const OWN_BUFFER = 4096

/**
 * The result of Node's zlib; null elsewhere, and for data that are damaged, too large or followed by others: what is wrong is found
 * by the code for all platforms.
 */
export function inflatedAtOnce(wrapping: Wrapping, data: Uint8Array, most: number): Uint8Array | null {
  const zlib = nodeModule('node:zlib')
  if (zlib === null || most === 0 || most >= 2 ** 31) return null
  try {
    // One byte more than the result has, so that it is one piece.
    const options = { maxOutputLength: most, chunkSize: Math.max(OWN_BUFFER, most + 1), info: true }
    const inflate = wrapping === 'deflate' ? zlib.inflateSync : zlib.inflateRawSync
    const result: unknown = inflate(data, options)
    if (!hasInfo(result) || result.engine.bytesWritten !== data.length) return null
    const { buffer } = result
    return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length)
  } catch {
    return null
  }
}

interface InflatedWithInfo {
  readonly buffer: Buffer
  readonly engine: { readonly bytesWritten: number }
}

/** The types of Node do not have the result that the option `info` asks for. */
function hasInfo(result: unknown): result is InflatedWithInfo {
  return typeof result === 'object' && result !== null && 'engine' in result
}

/** The same by a DecompressionStream, as pages have it. Where there is zlib, its verdict is known: the streams of Node let other data follow. */
export async function inflatedInStream(wrapping: Wrapping, data: Uint8Array, most: number): Promise<Uint8Array | null> {
  if (typeof DecompressionStream !== 'function' || nodeModule('node:zlib') !== null) return null
  try {
    const stream = new DecompressionStream(wrapping)
    const writer = stream.writable.getWriter()
    // Damaged data reject these as well as the reading.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a stream refuses shared memory as it refuses damaged data
    const written = [writer.write(data as Uint8Array<ArrayBuffer>), writer.close()]
    for (const each of written) each.catch(() => undefined)
    const reader = stream.readable.getReader()
    const pieces: Uint8Array[] = []
    let size = 0
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return concatBytes(pieces)
      pieces.push(value)
      size += value.length
      if (size > most) {
        await reader.cancel()
        return null
      }
    }
  } catch {
    return null
  }
}
