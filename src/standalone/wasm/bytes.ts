// The numbers of WebAssembly's binary format: read from bytes, and written.

import { internalError } from '../../core/errors'

/** Reads a binary from its start to its end. */
export class ByteReader {
  at = 0

  constructor(readonly bytes: Uint8Array) {}

  byte(): number {
    const byte = this.bytes[this.at++]
    if (byte === undefined) throw internalError('a binary ends too early')
    return byte
  }

  /** LEB128, of at most 32 bits. */
  unsigned(): number {
    let [value, shift, byte] = [0, 0, 0]
    do {
      byte = this.byte()
      value |= (byte & 127) << shift
      shift += 7
    } while (byte > 127)
    return value >>> 0
  }

  /** Signed LEB128. Of more than 32 bits only the lower ones. */
  signed(): number {
    let [value, shift, byte] = [0, 0, 0]
    do {
      byte = this.byte()
      if (shift < 32) value |= (byte & 127) << shift
      shift += 7
    } while (byte > 127)
    return shift < 32 && byte & 64 ? value | (-1 << shift) : value
  }

  take(length: number): Uint8Array {
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }

  list<Element>(read: () => Element): Element[] {
    return Array.from({ length: this.unsigned() }, read)
  }
}

/** Bytes, as single ones or as parts of others. */
export type Piece = number | Uint8Array | readonly Piece[]

export function unsigned(value: number): number[] {
  const bytes: number[] = []
  let rest = value >>> 0
  while (rest > 127) {
    bytes.push((rest & 127) | 128)
    rest >>>= 7
  }
  return [...bytes, rest]
}

export function signed(value: number): number[] {
  const bytes: number[] = []
  let rest = value | 0
  while (rest < -64 || rest > 63) {
    bytes.push((rest & 127) | 128)
    rest >>= 7
  }
  return [...bytes, rest & 127]
}

/** A length, and as many items. */
export function list(items: readonly Piece[]): Piece {
  return [unsigned(items.length), ...items]
}

/** A length in bytes, and the bytes. */
export function sized(...pieces: readonly Piece[]): Piece {
  const bytes = join(pieces)
  return [unsigned(bytes.length), bytes]
}

export function name(text: string): Piece {
  return sized(new TextEncoder().encode(text))
}

export function join(piece: Piece): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(lengthOf(piece))
  write(piece, bytes, 0)
  return bytes
}

function lengthOf(piece: Piece): number {
  if (typeof piece === 'number') return 1
  if (piece instanceof Uint8Array) return piece.length
  return piece.reduce<number>((sum, each) => sum + lengthOf(each), 0)
}

function write(piece: Piece, bytes: Uint8Array, at: number): number {
  if (typeof piece === 'number') {
    bytes[at] = piece
    return at + 1
  }
  if (piece instanceof Uint8Array) {
    bytes.set(piece, at)
    return at + piece.length
  }
  return piece.reduce<number>((position, each) => write(each, bytes, position), at)
}
