// The Huffman codes and the bits of the scans of a JPEG file. scans.ts makes blocks of them.

import { CODES_SIZE, END, MOST_SYMBOLS, SHIFT, SHORT, SYMBOLS } from '../../../../assembly/shared/jpeg-codes'
import { DataError } from '../../../core/errors'

/** Codes of up to 16 bits (annexes C and F.2.2.3). */
export class Huffman {
  /** All of it, in the layout of assembly/shared/jpeg-codes.ts. */
  readonly bytes = new Uint8Array(CODES_SIZE)
  private readonly short = new Uint16Array(this.bytes.buffer, SHORT, 256)
  private readonly end = new Int32Array(this.bytes.buffer, END, 17)
  private readonly shift = new Int32Array(this.bytes.buffer, SHIFT, 17)

  /** @param symbols in the order of their codes */
  constructor(counts: Uint8Array, symbols: Uint8Array) {
    if (symbols.length > MOST_SYMBOLS) throw new DataError('its codes are damaged')
    this.bytes.set(symbols, SYMBOLS)
    for (let length = 1, code = 0, position = 0; length <= 16; length++, code <<= 1) {
      this.shift[length] = position - code
      for (const stop = position + counts[length - 1]!; position < stop; position++, code++)
        if (length <= 8)
          this.short.fill((length << 8) | symbols[position]!, code << (8 - length), (code + 1) << (8 - length))
      if (code > 1 << length) throw new DataError('its codes are damaged')
      this.end[length] = code
    }
  }

  /** The next symbol. */
  read(bits: Bits): number {
    const next = bits.peek(16)
    const known = this.short[next >> 8]!
    if (known !== 0) {
      bits.drop(known >> 8)
      return known & 255
    }
    for (let length = 9; length <= 16; length++) {
      const code = next >> (16 - length)
      if (code < this.end[length]!) {
        bits.drop(length)
        return this.bytes[SYMBOLS + this.shift[length]! + code]!
      }
    }
    throw new DataError('a code is damaged')
  }
}

/** Where in the bytes of a scan its reader is. */
export interface ScanPosition {
  /** The position of the next byte that was not looked at. */
  readonly at: number
  /** The bits before it that were not taken; negative if more were taken than there are. */
  readonly left: number
  /** Looks at 25 bits at least, up to the next marker. */
  fill(): void
  /** Continues with the byte at `at`. */
  begin(at: number): void
}

/** The bits of a scan, up to the next marker; zeros after it. */
export class Bits implements ScanPosition {
  private buffer = 0
  private count = 0
  private added = 0

  constructor(
    private readonly bytes: Uint8Array,
    public at: number,
  ) {}

  get left(): number {
    return this.count - this.added
  }

  fill(): void {
    while (this.count <= 24) {
      let byte = this.bytes[this.at]
      // After FF, a byte 0 is left out; any other is a marker.
      if (byte === undefined || (byte === 0xff && this.bytes[this.at + 1] !== 0)) {
        byte = 0
        this.added += 8
      } else this.at += byte === 0xff ? 2 : 1
      this.buffer = (this.buffer << 8) | byte
      this.count += 8
    }
  }

  begin(at: number): void {
    this.at = at
    this.buffer = this.count = this.added = 0
  }

  /** The next n ≤ 16 bits, which stay. */
  peek(n: number): number {
    if (this.count < n) this.fill()
    return (this.buffer >>> (this.count - n)) & ((1 << n) - 1)
  }

  /** Takes n bits that were looked at. */
  drop(n: number): void {
    this.count -= n
  }

  /** The next n ≤ 16 bits. */
  take(n: number): number {
    const bits = this.peek(n)
    this.count -= n
    return bits
  }

  /** A number of n bits: those that begin with 0 are negative (F.2.2.1). */
  signed(n: number): number {
    if (n === 0) return 0
    const value = this.take(n)
    return value < 1 << (n - 1) ? value - (1 << n) + 1 : value
  }
}

/** @throws DataError if more bits were taken than there are */
export function requireEnough({ left }: ScanPosition): void {
  if (left < 0) throw new DataError('its data are truncated')
}

/** The second byte of the first and of the last marker of a restart (table B.1). */
export const [RST0, RST7] = [0xd0, 0xd7]
/** The bits that an encoder may leave before such a marker, of which 7 fill a byte. */
const MOST_LEFT = 24

/** Continues after the marker of a restart. @throws DataError if it is not here */
export function restart(bits: ScanPosition, bytes: Uint8Array): void {
  bits.fill()
  let { at } = bits
  while (bytes[at + 1] === 0xff) at++
  const marker = bytes[at + 1] ?? 0
  if (bits.left > MOST_LEFT || bytes[at] !== 0xff || marker < RST0 || marker > RST7)
    throw new DataError('its data are damaged or truncated')
  bits.begin(at + 2)
}
