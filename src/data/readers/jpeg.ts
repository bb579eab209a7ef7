// Decodes JPEG (ITU-T T.81): sequential and progressive, Huffman codes, 8 bits. Damaged and truncated files are errors. A sample
// costs three bytes; rows of colours are made when they are asked for. jpeg-samples.ts transforms the coefficients.

import { DataError } from '../../core/errors'
import type { Blocks, SampleRows } from './jpeg-samples'
import { samplesOf } from './jpeg-samples'
import { colourWriter, copyColours, mixColours } from './jpeg-colours'
import type { PixelRows } from './pixel-rows'

/** The second byte of markers (table B.1). */
const MARKER = { dht: 0xc4, rst0: 0xd0, rst7: 0xd7, eoi: 0xd9, sos: 0xda, dqt: 0xdb, dri: 0xdd, app14: 0xee }
/** Frames: baseline, extended sequential, progressive. */
const [BASELINE, EXTENDED, PROGRESSIVE] = [0xc0, 0xc1, 0xc2]
/** Progressive files have about ten; each visits every block. */
const MOST_SCANS = 100

/** The position in a block of the k-th coefficient (figure A.6). */
const ZIGZAG = Uint8Array.from([
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
  35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47,
  55, 62, 63,
])

interface Component extends Blocks {
  readonly id: number
  readonly table: number
  /** Blocks that hold the picture. */
  readonly columns: number
  readonly rows: number
}

interface Frame {
  readonly width: number
  readonly height: number
  readonly isProgressive: boolean
  readonly units: readonly [across: number, down: number]
  /** The blocks in a unit of the components that have most, across and down. */
  readonly most: readonly [h: number, v: number]
  readonly components: readonly Component[]
}

/** Decodes a block of a scan, whose coefficients are from `at` on. */
type DecodeBlock = (blocks: Int16Array, at: number, part: ScanPart) => void

interface ScanPart {
  readonly component: Component
  readonly dc: Huffman
  readonly ac: Huffman
  /** The last DC coefficient. */
  last: number
}

/** @throws DataError for a file that is damaged, truncated, or of a kind that is not read */
export function decodeJpeg(bytes: Uint8Array): PixelRows {
  return new Decoder(bytes).decode()
}

/** Codes of up to 16 bits (annexes C and F.2.2.3). */
class Huffman {
  /** For the next 8 bits: length · 256 + symbol, or 0. */
  readonly short = new Uint16Array(256)
  /** By length: the first code that is too large. */
  readonly end = new Int32Array(17)
  /** By length: what to add to a code for the position of its symbol. */
  readonly shift = new Int32Array(17)

  /** @param symbols in the order of their codes */
  constructor(
    counts: Uint8Array,
    readonly symbols: Uint8Array,
  ) {
    for (let length = 1, code = 0, position = 0; length <= 16; length++, code <<= 1) {
      this.shift[length] = position - code
      for (const stop = position + counts[length - 1]!; position < stop; position++, code++)
        if (length <= 8)
          this.short.fill((length << 8) | symbols[position]!, code << (8 - length), (code + 1) << (8 - length))
      if (code > 1 << length) throw new DataError('its codes are damaged')
      this.end[length] = code
    }
  }
}

/** The bits of a scan, up to the next marker; zeros after it. */
class Bits {
  private buffer = 0
  private count = 0
  private added = 0

  constructor(
    private readonly bytes: Uint8Array,
    /** The position of the next byte. */
    public at: number,
  ) {}

  private fill(): void {
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

  /** The next n ≤ 16 bits. */
  take(n: number): number {
    if (this.count < n) this.fill()
    this.count -= n
    return (this.buffer >>> this.count) & ((1 << n) - 1)
  }

  /** A number of n bits: those that begin with 0 are negative (F.2.2.1). */
  signed(n: number): number {
    if (n === 0) return 0
    const value = this.take(n)
    return value < 1 << (n - 1) ? value - (1 << n) + 1 : value
  }

  symbol({ short, end, shift, symbols }: Huffman): number {
    if (this.count < 16) this.fill()
    const known = short[(this.buffer >>> (this.count - 8)) & 255]!
    if (known !== 0) {
      this.count -= known >> 8
      return known & 255
    }
    for (let length = 9; length <= 16; length++) {
      const code = (this.buffer >>> (this.count - length)) & ((1 << length) - 1)
      if (code < end[length]!) {
        this.count -= length
        return symbols[shift[length]! + code]!
      }
    }
    throw new DataError('a code is damaged')
  }

  /** @throws DataError if more bits were taken than there are */
  requireEnough(): void {
    if (this.added > this.count) throw new DataError('its data are truncated')
  }

  /** Continues after the marker of a restart. @throws DataError if it is not here */
  restart(): void {
    while (this.bytes[this.at + 1] === 0xff) this.at++
    const marker = this.bytes[this.at + 1] ?? 0
    if (this.bytes[this.at] !== 0xff || marker < MARKER.rst0 || marker > MARKER.rst7)
      throw new DataError('its data are damaged or truncated')
    this.at += 2
    this.buffer = this.count = this.added = 0
  }
}

class Decoder {
  private readonly view: DataView
  private readonly tables: Uint16Array[] = []
  private readonly codes: Record<number, Huffman> = {}
  private interval = 0
  private frame: Frame | null = null
  /** How the colours of an Adobe file are transformed: 0 not, 1 YCbCr, 2 YCCK; null for other files. */
  private adobe: number | null = null

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  decode(): PixelRows {
    for (let at = 2, scans = 0; ;) {
      if (this.bytes[at] !== 0xff) throw new DataError('it is truncated, or a marker is missing')
      const marker = this.bytes[at + 1]
      if (marker === 0xff || marker === 0) at += 1
      else if (marker === MARKER.eoi) return this.pixels()
      else if (marker !== undefined && marker >= MARKER.rst0 && marker <= MARKER.rst7) at += 2
      else {
        const end = at + 4 > this.bytes.length ? Infinity : at + 2 + this.view.getUint16(at + 2)
        if (end > this.bytes.length || end < at + 4) throw new DataError('it is truncated')
        const segment = this.bytes.subarray(at + 4, end)
        if (marker === MARKER.sos) {
          if (++scans > MOST_SCANS) throw new DataError(`it has more than ${MOST_SCANS} scans`)
          at = this.scan(segment, end)
        } else {
          this.read(marker!, segment)
          at = end
        }
      }
    }
  }

  private read(marker: number, segment: Uint8Array): void {
    if (marker === MARKER.dqt) this.readTables(segment)
    else if (marker === MARKER.dht) this.readCodes(segment)
    else if (marker === MARKER.dri) this.interval = (segment[0]! << 8) | segment[1]!
    else if (marker === MARKER.app14 && String.fromCharCode(...segment.subarray(0, 5)) === 'Adobe')
      this.adobe = segment[11]!
    else if ([BASELINE, EXTENDED, PROGRESSIVE].includes(marker as 0xc0)) this.readFrame(segment, marker === PROGRESSIVE)
    else if (marker >= 0xc3 && marker <= 0xcf)
      throw new DataError('it is lossless, hierarchical or arithmetically coded, which is not read')
  }

  /** Quantization (B.2.4.1): precision and number, 64 steps. */
  private readTables(segment: Uint8Array): void {
    for (let at = 0; at < segment.length;) {
      const [size, number] = [segment[at]! >> 4 === 0 ? 1 : 2, segment[at]! & 15]
      const table = new Uint16Array(64)
      for (let k = 0; k < 64; k++) {
        const from = at + 1 + k * size
        table[ZIGZAG[k]!] = size === 1 ? segment[from]! : (segment[from]! << 8) | segment[from + 1]!
      }
      at += 1 + 64 * size
      if (at > segment.length) throw new DataError('its tables are truncated')
      this.tables[number] = table
    }
  }

  /** Huffman codes (B.2.4.2): class and number, 16 counts, symbols. */
  private readCodes(segment: Uint8Array): void {
    for (let at = 0; at < segment.length;) {
      const counts = segment.subarray(at + 1, at + 17)
      const end = at + 17 + counts.reduce((sum, count) => sum + count, 0)
      if (end > segment.length) throw new DataError('its codes are truncated')
      this.codes[segment[at]!] = new Huffman(counts, segment.subarray(at + 17, end))
      at = end
    }
  }

  /** The frame (B.2.2): precision, height, width, components of 3 bytes. */
  private readFrame(segment: Uint8Array, isProgressive: boolean): void {
    if (this.frame !== null) throw new DataError('it has two frames')
    const [precision, h1, h0, w1, w0, count] = segment as unknown as number[]
    const [height, width] = [(h1! << 8) | h0!, (w1! << 8) | w0!]
    if (precision !== 8) throw new DataError(`it has ${precision} bits for each colour; 8 are read`)
    if (width * height === 0 || ![1, 3, 4].includes(count!) || segment.length < 6 + 3 * count!)
      throw new DataError('its header is damaged')
    const own = Array.from({ length: count! }, (_, i) => segment.subarray(6 + 3 * i, 9 + 3 * i))
    const factors = own.map(([, factor]) => [factor! >> 4, factor! & 15] as const)
    if (factors.some(([h, v]) => h < 1 || h > 4 || v < 1 || v > 4)) throw new DataError('its header is damaged')
    const [most, tall] = [Math.max(...factors.map(([h]) => h)), Math.max(...factors.map(([, v]) => v))]
    const units = [Math.ceil(width / 8 / most), Math.ceil(height / 8 / tall)] as const
    const components = own.map(([id, , table], i) => {
      const [h, v] = factors[i]!
      const stored = units[0] * h
      return {
        id: id!,
        h,
        v,
        table: table!,
        stored,
        columns: Math.ceil(Math.ceil((width * h) / most) / 8),
        rows: Math.ceil(Math.ceil((height * v) / tall) / 8),
        blocks: new Int16Array(64 * stored * units[1] * v),
      }
    })
    this.frame = { width, height, isProgressive, units, most: [most, tall], components }
  }

  /** A scan (B.2.3): its components and their codes, the coefficients and bits that it has; then data. @returns where it ends */
  private scan(header: Uint8Array, start: number): number {
    const { frame } = this
    const count = header[0]!
    if (frame === null || count < 1 || count > 4 || header.length < 4 + 2 * count)
      throw new DataError('a scan is damaged')
    const [first, last, bit] = header.subarray(1 + 2 * count) as unknown as [number, number, number]
    const [high, low] = [bit >> 4, bit & 15]
    if (frame.isProgressive && (first > last || last > 63 || (first > 0 && count > 1) || low > 13))
      throw new DataError('a scan is damaged')
    const parts = Array.from({ length: count }, (_, i): ScanPart => {
      const component = frame.components.find(({ id }) => id === header[1 + 2 * i])
      const codes = header[2 + 2 * i]!
      const [dc, ac] = [this.codes[codes >> 4], this.codes[16 | (codes & 15)]]
      const needs = frame.isProgressive ? [first === 0 && high === 0, first > 0] : [true, true]
      if (component === undefined || (needs[0] === true && dc === undefined) || (needs[1] === true && ac === undefined))
        throw new DataError('a scan has no codes')
      return { component, dc: dc!, ac: ac!, last: 0 }
    })
    const bits = new Bits(this.bytes, start)
    const range = { first, last, low, isRefined: high > 0 }
    const { decode, restart } = frame.isProgressive
      ? progressive(bits, range)
      : { decode: sequential(bits), restart: null }
    this.decodeBlocks(frame, parts, decode, (isLast) => {
      bits.requireEnough()
      if (isLast) return
      bits.restart()
      restart?.()
      for (const part of parts) part.last = 0
    })
    bits.requireEnough()
    let at = bits.at
    // To the next marker that is not a restart.
    while (at < this.bytes.length && (this.bytes[at] !== 0xff || this.bytes[at + 1] === 0)) at++
    return at
  }

  /** All blocks of a scan: those of one component row by row, those of several interleaved (A.2). */
  private decodeBlocks(
    { units }: Frame,
    parts: readonly ScanPart[],
    decode: DecodeBlock,
    onInterval: (isLast: boolean) => void,
  ): void {
    const isSingle = parts.length === 1
    const { columns, rows } = parts[0]!.component
    const [across, down] = isSingle ? [columns, rows] : units
    const { interval } = this
    for (let unit = 0, left = interval, row = 0; row < down; row++) {
      for (let column = 0; column < across; column++, unit++) {
        for (const part of parts) {
          const { h, v, stored, blocks } = part.component
          if (isSingle) decode(blocks, 64 * (row * stored + column), part)
          else
            for (let y = 0; y < v; y++)
              for (let x = 0; x < h; x++) decode(blocks, 64 * ((row * v + y) * stored + column * h + x), part)
        }
        if (interval > 0 && --left === 0) {
          onInterval(unit + 1 === across * down)
          left = interval
        }
      }
      if (interval === 0) onInterval(true)
    }
  }

  private pixels(): PixelRows {
    const { frame } = this
    if (frame === null) throw new DataError('it has no picture')
    const { width, height, most, components } = frame
    const rows = components.map((component) => {
      const steps = this.tables[component.table]
      if (steps === undefined) throw new DataError('a table is missing')
      return samplesOf(component, steps, most, [width, height])
    })
    const [first, ...others] = rows
    if (others.length === 0) {
      const { data } = first!
      const row = (y: number): Uint8Array => {
        const begin = first!.begin(y)
        return data.subarray(begin, begin + width)
      }
      return { width, height, channels: 1, row }
    }
    const colours = new Uint8ClampedArray(width * 3)
    const mix = this.hasMixedColours(components) ? mixColours : copyColours
    const [red, green, blue, inks] = rows as [SampleRows, SampleRows, SampleRows, SampleRows?]
    // Four inks are mixed as bytes.
    const write = mix === mixColours && inks === undefined ? colourWriter(red, green, blue) : undefined
    const row = (y: number): Uint8ClampedArray => {
      mix(red, green, blue, y, colours)
      if (inks !== undefined) this.print(inks, y, colours)
      return colours
    }
    return { width, height, channels: 3, row, ...(write === undefined ? {} : { colours: write }) }
  }

  /** Whether the colours are YCbCr, or YCCK with four inks, and not red, green and blue, or plain inks. */
  private hasMixedColours(components: readonly Component[]): boolean {
    if (components.length === 4) return this.adobe === 2
    const isRgb = components.map(({ id }) => String.fromCharCode(id)).join('') === 'RGB'
    return (this.adobe ?? (isRgb ? 0 : 1)) !== 0
  }

  /** Darkens the colours of a row by the fourth ink. */
  private print({ data, begin }: SampleRows, y: number, colours: Uint8ClampedArray): void {
    const start = begin(y)
    // Files of Adobe have 255 minus the inks.
    const isInverted = this.adobe !== null
    for (let at = 0; at < colours.length; at++) {
      const light = data[start + Math.floor(at / 3)]!
      colours[at] = isInverted ? (colours[at]! * light) / 255 : ((255 - colours[at]!) * (255 - light)) / 255
    }
  }
}

/** Blocks of a sequential scan (F.2.2). */
function sequential(bits: Bits): DecodeBlock {
  return (blocks, at, part) => {
    blocks[at] = part.last += bits.signed(bits.symbol(part.dc) & 15)
    for (let k = 1; k < 64; k++) {
      const symbol = bits.symbol(part.ac)
      const zeros = symbol >> 4
      const size = symbol & 15
      if (size === 0 && zeros < 15) return
      k += zeros
      if (k > 63) throw new DataError('a block is damaged')
      if (size > 0) blocks[at + ZIGZAG[k]!] = bits.signed(size)
    }
  }
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
function progressive(
  bits: Bits,
  { first, last, low, isRefined }: ScanRange,
): { readonly decode: DecodeBlock; readonly restart: () => void } {
  /** The blocks from here on that have no more coefficients. */
  let empty = 0
  const one = 1 << low
  const decode: DecodeBlock = (blocks, at, part) => {
    if (first === 0) {
      if (!isRefined) blocks[at] = (part.last += bits.signed(bits.symbol(part.dc) & 15)) << low
      else if (bits.take(1) === 1) blocks[at]! |= one
      return
    }
    const refine = (i: number): void => {
      if (bits.take(1) === 1 && (blocks[i]! & one) === 0) blocks[i]! += blocks[i]! > 0 ? one : -one
    }
    let k = first
    while (empty === 0 && k <= last) {
      const symbol = bits.symbol(part.ac)
      const run = symbol >> 4
      const size = symbol & 15
      if (size === 0 && run < 15) {
        empty = (1 << run) + bits.take(run)
        break
      }
      const value = size === 0 ? 0 : isRefined ? (bits.take(1) === 1 ? one : -one) : bits.signed(size) << low
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
  return { decode, restart: () => void (empty = 0) }
}
