// A position in the bytes of protocol buffers. A message is a list of fields:
//
//   ┌───────────────────────────┬──────────────────────────────────────────────┐
//   │ number · 8 + wire, varint │ varint │ 8 bytes │ length, bytes │ 4 bytes   │   by wire: 0, 1, 2, 5
//   └───────────────────────────┴──────────────────────────────────────────────┘
//
// Bytes are not copied, and every length is checked before it is used.

import { FormatError } from '../../core/errors'
import { Wire } from '../containers/protobuf'

/** The number of messages of one file: about those of a network of 30,000 nodes. */
const MOST_MESSAGES = 2 ** 17
/** Graphs in attributes of nodes of graphs; each level is two messages. */
const MOST_LEVELS = 64

/** What all messages of one file share. */
export class Source {
  readonly view: DataView
  private messages = 0

  constructor(
    readonly bytes: Uint8Array<ArrayBufferLike>,
    /** Names the file in errors. */
    readonly name: string,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  count(reader: Reader, levels: number): void {
    if (++this.messages > MOST_MESSAGES) throw reader.error(`the file has more than ${MOST_MESSAGES} messages`)
    if (levels > MOST_LEVELS) throw reader.error(`messages are nested deeper than ${MOST_LEVELS}`)
  }
}

/** A position within a message. */
export class Reader {
  constructor(
    readonly source: Source,
    public at: number,
    readonly end: number,
    /** The message around this one, and the name of this one in it; the path is needed only for an error. */
    private readonly outer: Reader | null = null,
    private readonly name = '',
    readonly levels = 0,
  ) {}

  /** The path of the message in the file, such as `graph.nodes[3]`. */
  private get path(): string {
    const outer = this.outer?.path ?? ''
    return outer === '' ? this.name : `${outer}.${this.name}`
  }

  error(problem: string): FormatError {
    const { path } = this
    const where = path === '' ? '' : ` in ${path}`
    return new FormatError(`${this.source.name}: the file is damaged${where} at byte ${this.at}: ${problem}`)
  }

  /** The position after the next `size` bytes. */
  take(size: number): number {
    const begin = this.at
    if (size > this.end - begin) throw this.error(`${size} bytes do not fit into the ${this.end - begin} that are left`)
    this.at = begin + size
    return begin
  }

  /** 7 bits per byte, the low ones first. Negative numbers have 10 bytes. */
  varint(isSigned: boolean): number {
    const { bytes } = this.source
    const begin = this.at
    let value = 0
    let scale = 1
    for (let i = 0; i < 10; i++) {
      const byte = bytes[this.take(1)]!
      value += (byte & 127) * scale
      scale *= 128
      if (byte < 128) return i < 7 ? value : wide(bytes.subarray(begin, this.at), isSigned)
    }
    this.at = begin
    throw this.error('a number has more than 10 bytes')
  }

  float(): number {
    return this.source.view.getFloat32(this.take(4), true)
  }

  double(): number {
    return this.source.view.getFloat64(this.take(8), true)
  }

  /** A part of this message. */
  within(size: number, name: string, levels = this.levels): Reader {
    const begin = this.take(size)
    return new Reader(this.source, begin, begin + size, this, name, levels)
  }
}

/** A number of more than 49 bits, rounded to a double. In two halves, because a BigInt takes microseconds. */
function wide(bytes: Uint8Array, isSigned: boolean): number {
  const bits = (i: number): number => (bytes[i] ?? 0) & 127
  const low = (bits(0) | (bits(1) << 7) | (bits(2) << 14) | (bits(3) << 21) | (bits(4) << 28)) >>> 0
  const high = (bits(4) >> 4) | (bits(5) << 3) | (bits(6) << 10) | (bits(7) << 17) | (bits(8) << 24) | (bits(9) << 31)
  return (isSigned ? high : high >>> 0) * 2 ** 32 + low
}

/** Skips the content of a field. */
export function skip(reader: Reader, wire: Wire): void {
  if (wire === Wire.Varint) reader.varint(false)
  else if (wire === Wire.Double) reader.take(8)
  else if (wire === Wire.Bytes) reader.take(reader.varint(false))
  else if (wire === Wire.Float) reader.take(4)
  else throw reader.error(`the wire type ${wire} does not exist`)
}

/** The number of fields that have this path of numbers, such as [7, 1]. Only lengths are read, so that it takes little time. */
export function countFields(reader: Reader, [first, ...others]: readonly number[]): number {
  let count = 0
  while (reader.at < reader.end) {
    const tag = reader.varint(false)
    const wire: Wire = tag % 8
    if (Math.floor(tag / 8) !== first || wire !== Wire.Bytes) skip(reader, wire)
    else {
      const inner = reader.within(reader.varint(false), String(first))
      count += others.length === 0 ? 1 : countFields(inner, others)
    }
  }
  return count
}
