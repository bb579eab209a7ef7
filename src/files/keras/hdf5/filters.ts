// The filters of a chunk: gzip, shuffle, and a checksum.

import { quoted } from '../../../core/errors'
import type { Cursor, FileBytes } from './bytes'
import { fletcher32, littleEndian } from './checksums'

export interface Filter {
  readonly id: number
  readonly values: readonly number[]
}

const GZIP = 1
const SHUFFLE = 2
const FLETCHER32 = 3
const CHECKSUM_SIZE = 4

/** version 1 or 2, count 1, [padding 6]; filters: id 2, [size of the name 2], flags 2, count 2, [name], values 4 */
export function readFilters(file: FileBytes, message: Cursor | undefined): Filter[] {
  if (message === undefined) return []
  const version = message.version(1, 2)
  const count = message.uint(1)
  if (version === 1) message.take(6)
  const filters = Array.from({ length: count }, (): Filter => {
    const id = message.uint(2)
    const nameSize = version === 1 || id >= 256 ? message.uint(2) : 0
    message.take(2)
    const valueCount = message.uint(2)
    message.take(version === 1 ? Math.ceil(nameSize / 8) * 8 : nameSize)
    const values = Array.from({ length: valueCount }, () => message.uint(4))
    if (version === 1 && valueCount % 2 === 1) message.take(4)
    if (id !== GZIP && id !== SHUFFLE && id !== FLETCHER32)
      throw file.fail(
        `filter ${id} is not supported: only gzip, shuffle and fletcher32. Decompress it with h5repack -f NONE`,
      )
    file.isCompressed ||= id === GZIP
    return { id, values }
  })
  if (new Set(filters.map(({ id }) => id)).size < count) throw file.fail('a filter that is used twice is not supported')
  return filters
}

/**
 * The elements of a chunk.
 * @param mask bit i: filter i was not applied to this chunk
 * @param size the bytes of a chunk without filters
 */
export function unfilter(
  file: FileBytes,
  filters: readonly Filter[],
  mask: number,
  stored: Uint8Array,
  size: number,
): Uint8Array {
  const checksums = filters.filter(({ id }) => id === FLETCHER32).length
  const bytes = filters.reduceRight((bytes, { id, values }, i) => {
    if ((mask >>> i) & 1) return bytes
    if (id === SHUFFLE) return unshuffle(bytes, values[0] ?? 0)
    if (id === GZIP) return inflated(file, bytes, size + checksums * CHECKSUM_SIZE)
    const end = bytes.length - CHECKSUM_SIZE
    if (end < 0 || fletcher32(bytes.subarray(0, end)) !== littleEndian(bytes, end))
      throw file.fail('the file is damaged: the checksum of a chunk differs')
    return bytes.subarray(0, end)
  }, stored)
  if (bytes.length !== size) throw file.fail(`the file is damaged: a chunk has ${bytes.length} bytes, not ${size}`)
  return bytes
}

function inflated(file: FileBytes, bytes: Uint8Array, most: number): Uint8Array {
  if (file.unzip === null) throw file.fail('the values are compressed, and no function to decompress them was passed')
  try {
    return file.unzip(bytes, most)
  } catch (error) {
    throw file.fail(
      `the file is damaged: a chunk is not zlib data: ${error instanceof Error ? error.message : quoted(error)}`,
    )
  }
}

/** Shuffled elements: first the first byte of each, then the second byte of each, …; then the bytes after the last. */
function unshuffle(bytes: Uint8Array, size: number): Uint8Array {
  const count = Math.floor(bytes.length / size)
  if (size < 2 || count === 0) return bytes
  const result = new Uint8Array(bytes)
  for (let i = 0, from = 0; i < size; i++) for (let k = 0; k < count; k++) result[k * size + i] = bytes[from++]!
  return result
}
