// The bytes of a file that is not trusted. A structure reads its bytes through a Cursor, which ends where they end. Each
// byte of the file belongs to at most one structure, so a file cannot make the reader do more work than it has bytes.

import { FormatError, quoted } from '../../../core/errors'
import { decodeUtf8 } from '../../../core/text'
import { littleEndian, lookup3 } from './checksums'
import type { Unzip } from '../../containers/zlib'

/** Memory that a file may take beyond its own size, for decompressed and repeated values and for objects. */
const ALLOWANCE = 2 ** 25
/** Memory of an object that stands for some bytes of a file. */
const OBJECT_SIZE = 128

export class FileBytes {
  /** The path of the object that is read. */
  where = '/'
  /** Whether values are compressed. */
  isCompressed = false
  /** Decompresses them. */
  unzip: Unzip | null = null
  /** A bit for each byte that belongs to a structure. */
  private readonly claimed: Uint32Array
  private allowance: number

  constructor(readonly bytes: Uint8Array) {
    this.claimed = new Uint32Array(Math.ceil(bytes.length / 32))
    this.allowance = ALLOWANCE + bytes.length
  }

  fail(cause: string): FormatError {
    return new FormatError(`HDF5 file, ${quoted(this.where)}: ${cause}`)
  }

  /** Runs `body`; its errors name the object at `path`. */
  within<Result>(path: string, body: () => Result): Result {
    const outer = this.where
    this.where = path
    try {
      return body()
    } finally {
      this.where = outer
    }
  }

  /** Counts memory before it is used. @throws FormatError if the file takes too much */
  charge(size: number, what: string): void {
    this.allowance -= size
    if (!(this.allowance >= 0)) {
      const hint = this.isCompressed ? '. Store the values without compression: h5repack -f NONE' : ''
      throw this.fail(`${what}: the content of a file may take ${ALLOWANCE / 2 ** 20} MiB more than the file${hint}`)
    }
  }

  /** Counts objects that stand for bytes of the file, before they are made. */
  chargeObjects(count: number, what: string): void {
    this.charge(count * OBJECT_SIZE, what)
  }

  /** The bytes of one structure. @throws FormatError if they end after the file, or belong to another structure, too */
  block(start: number, size: number, what: string): Cursor {
    return new Cursor(this, this.claim(start, size, what), what)
  }

  /** The same bytes without a cursor. */
  claim(start: number, size: number, what: string): Uint8Array {
    const end = start + size
    if (!(size >= 0 && end <= this.bytes.length)) {
      throw this.fail(
        `the file is truncated or damaged: ${what} should be at bytes ${start} to ${end}, the file has ${this.bytes.length}`,
      )
    }
    for (let word = Math.floor(start / 32); word * 32 < end; word++) {
      const from = Math.max(start - word * 32, 0)
      const mask = (-1 << from) & (-1 >>> Math.max(word * 32 + 32 - end, 0))
      if ((this.claimed[word]! & mask) !== 0)
        throw this.fail(`the file is damaged: ${what} at byte ${start} overlaps another structure`)
      this.claimed[word]! |= mask
    }
    return this.bytes.subarray(start, end)
  }
}

/** Reads little-endian numbers one after the other. */
export class Cursor {
  private at = 0

  constructor(
    private readonly file: FileBytes,
    readonly bytes: Uint8Array,
    private readonly what: string,
  ) {}

  get rest(): number {
    return this.bytes.length - this.at
  }

  take(size: number): Uint8Array {
    if (!(size <= this.rest))
      throw this.file.fail(`the file is damaged: ${this.what} needs more than its ${this.bytes.length} bytes`)
    return this.bytes.subarray(this.at, (this.at += size))
  }

  /** The next bytes as a separate structure. */
  part(size: number, what = this.what): Cursor {
    return new Cursor(this.file, this.take(size), what)
  }

  /** An unsigned number of `size` bytes. */
  uint(size: number): number {
    let value = 0
    let unit = 1
    for (const byte of this.take(size)) {
      value += byte * unit
      unit *= 256
    }
    if (!Number.isSafeInteger(value)) throw this.file.fail(`the file is damaged: a number in ${this.what} is too large`)
    return value
  }

  /** An address in the file; null if it is undefined. */
  address(): number | null {
    if (this.rest < 8 || !this.bytes.subarray(this.at, this.at + 8).every((byte) => byte === 0xff)) return this.uint(8)
    this.at += 8
    return null
  }

  /** @throws FormatError if the next bytes are not these letters */
  signature(letters: string): void {
    const found = String.fromCharCode(...this.take(letters.length))
    if (found !== letters)
      throw this.file.fail(`the file is damaged: ${this.what} should begin with ${letters}, not with ${quoted(found)}`)
  }

  /**
   * Checks a checksum of the structure: its last bytes, of all before; or bytes within it, of all with zeros in their place.
   * @throws FormatError if it differs
   */
  requireChecksum(at?: number): void {
    const { bytes, file, what } = this
    const place = at ?? bytes.length - 4
    if (place < 0 || place + 4 > bytes.length) throw file.fail(`the file is damaged: ${what} of ${bytes.length} bytes`)
    const checked = at === undefined ? bytes.subarray(0, place) : new Uint8Array(bytes)
    if (at !== undefined) checked.fill(0, at, at + 4)
    const stored = littleEndian(bytes, place)
    const computed = lookup3(checked)
    if (stored === computed) return
    const where = bytes.byteOffset - file.bytes.byteOffset + place
    throw file.fail(`the file is damaged: the checksum of ${what} at byte ${where} is ${stored}, not ${computed}`)
  }

  /** @throws FormatError if the next byte is not one of these versions */
  version(...known: readonly number[]): number {
    const version = this.uint(1)
    if (!known.includes(version)) throw this.file.fail(`version ${version} of ${this.what} is not supported`)
    return version
  }

  /** The bytes from an offset on, as a separate structure. */
  from(offset: number): Cursor {
    const cursor = new Cursor(this.file, this.bytes, this.what)
    cursor.take(offset)
    return cursor
  }

  /** A name of `size` bytes. */
  name(size: number): string {
    // Names may overlap.
    this.file.charge(size, `names in ${this.what}`)
    return textOf(this.file, this.take(size))
  }

  /** A name that ends with a zero byte. */
  terminatedName(): string {
    const end = this.bytes.indexOf(0, this.at)
    if (end < 0) throw this.file.fail(`the file is damaged: a name in ${this.what} has no end`)
    const name = this.name(end - this.at)
    this.at++
    return name
  }

  /** Skips bytes until the number of bytes that were read is a multiple of 8. */
  align(): void {
    this.take(Math.min((8 - (this.at % 8)) % 8, this.rest))
  }
}

/** @throws FormatError if the bytes are not UTF-8, which includes ASCII */
export function textOf(file: FileBytes, bytes: Uint8Array): string {
  try {
    return decodeUtf8(bytes)
  } catch {
    throw file.fail('a text is not UTF-8')
  }
}
