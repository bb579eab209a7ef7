// Decodes JPEG (ITU-T T.81): sequential and progressive, Huffman codes, 8 bits, with the same pixels as libjpeg. Damaged and truncated
// files are errors. A sample costs three bytes; a row of colours is made when it is read. scans.ts reads coefficients, samples.ts
// transforms them.

import { DataError } from '../../../core/errors'
import type { PixelRows } from '../pixel-rows'
import { Huffman, RST0, RST7, requireEnough, restart } from './codes'
import { copyColours, mixColours, mixedByKernels, type Colours } from './colours'
import { roomFor, type Room } from './memory'
import { samplesOf, type Blocks, type SampleRows } from './samples'
import {
  ZIGZAG,
  placeFile,
  progressive,
  sequential,
  sequentialByKernels,
  type PlacedFile,
  type ScanPart,
  type ScanReader,
} from './scans'

/** The second byte of markers (table B.1). */
const MARKER = { dht: 0xc4, eoi: 0xd9, sos: 0xda, dqt: 0xdb, dri: 0xdd, app14: 0xee }
/** Frames: baseline, extended sequential, progressive. */
const PROGRESSIVE = 0xc2
const FRAMES = [0xc0, 0xc1, PROGRESSIVE]
/** Progressive files have about ten; each visits every block. */
const MOST_SCANS = 100

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
  /** Where the arrays of the picture are. */
  readonly room: Room
}

interface Part extends ScanPart {
  readonly component: Component
}

/**
 * The rows of a picture, which are valid until the next one is decoded.
 * @throws DataError for a file that is damaged, truncated, or of a kind that is not read
 */
export function decodeJpeg(bytes: Uint8Array): PixelRows {
  return new Decoder(bytes).decode()
}

class Decoder {
  private readonly view: DataView
  private readonly tables: Int16Array[] = []
  private readonly codes: Record<number, Huffman> = {}
  private interval = 0
  private frame: Frame | null = null
  private placed: PlacedFile | null = null
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
      else if (marker !== undefined && marker >= RST0 && marker <= RST7) at += 2
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
    else if (FRAMES.includes(marker)) this.readFrame(segment, marker === PROGRESSIVE)
    else if (marker >= 0xc3 && marker <= 0xcf)
      throw new DataError('it is lossless, hierarchical or arithmetically coded, which is not read')
  }

  /** Quantization (B.2.4.1): precision and number, then 64 steps. The low 16 bits of a step are used. */
  private readTables(segment: Uint8Array): void {
    for (let at = 0; at < segment.length;) {
      const [size, number] = [segment[at]! >> 4 === 0 ? 1 : 2, segment[at]! & 15]
      const table = new Int16Array(64)
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
    const [precision, h1 = 0, h0 = 0, w1 = 0, w0 = 0, count = 0] = segment
    const [height, width] = [(h1 << 8) | h0, (w1 << 8) | w0]
    if (precision !== 8) throw new DataError(`it has ${precision} bits for each colour; 8 are read`)
    if (width * height === 0 || ![1, 3, 4].includes(count) || segment.length < 6 + 3 * count)
      throw new DataError('its header is damaged')
    const headers = Array.from({ length: count }, (_, i) => segment.subarray(6 + 3 * i, 9 + 3 * i))
    const factors = headers.map(([, factor]) => [factor! >> 4, factor! & 15] as const)
    if (factors.some(([h, v]) => h < 1 || h > 4 || v < 1 || v > 4)) throw new DataError('its header is damaged')
    const [most, tall] = [Math.max(...factors.map(([h]) => h)), Math.max(...factors.map(([, v]) => v))]
    const units = [Math.ceil(width / 8 / most), Math.ceil(height / 8 / tall)] as const
    const lengths = factors.map(([h, v]) => 64 * units[0] * h * units[1] * v)
    // Coefficients and samples, and rows in the size of the picture.
    const size = lengths.reduce((sum, length) => sum + 3 * length + 8 * width, 0)
    const room = roomFor(this.bytes, size)
    const components = headers.map(([id, , table], i) => {
      const [h, v] = factors[i]!
      return {
        id: id!,
        h,
        v,
        table: table!,
        stored: units[0] * h,
        columns: Math.ceil(Math.ceil((width * h) / most) / 8),
        rows: Math.ceil(Math.ceil((height * v) / tall) / 8),
        blocks: room.words(lengths[i]!),
      }
    })
    this.frame = { width, height, isProgressive, units, most: [most, tall], components, room }
  }

  /** A scan (B.2.3): its components and their codes, the coefficients and bits that it has; then data. @returns where it ends */
  private scan(header: Uint8Array, start: number): number {
    const { frame } = this
    const count = header[0]!
    if (frame === null || count < 1 || count > 4 || header.length < 4 + 2 * count)
      throw new DataError('a scan is damaged')
    const [first = 0, last = 0, bit = 0] = header.subarray(1 + 2 * count)
    const [high, low] = [bit >> 4, bit & 15]
    if (frame.isProgressive && (first > last || last > 63 || (first > 0 && count > 1) || low > 13))
      throw new DataError('a scan is damaged')
    const parts = Array.from({ length: count }, (_, i): Part => {
      const component = frame.components.find(({ id }) => id === header[1 + 2 * i])
      const codes = header[2 + 2 * i]!
      const [dc, ac] = [this.codes[codes >> 4], this.codes[16 | (codes & 15)]]
      const needs = frame.isProgressive ? [first === 0 && high === 0, first > 0] : [true, true]
      if (component === undefined || (needs[0] === true && dc === undefined) || (needs[1] === true && ac === undefined))
        throw new DataError('a scan has no codes')
      return { component, dc: dc!, ac: ac!, dcAt: 0, acAt: 0, last: 0 }
    })
    const reader = frame.isProgressive
      ? progressive(this.bytes, start, { first, last, low, isRefined: high > 0 })
      : this.sequential(frame, start, parts)
    const { bits } = reader
    this.decodeBlocks(frame, parts, reader, (isLast) => {
      requireEnough(bits)
      if (isLast) return
      restart(bits, this.bytes)
      reader.restart?.()
      for (const part of parts) part.last = 0
    })
    requireEnough(bits)
    let at = bits.at
    // To the next marker that is not a restart.
    while (at < this.bytes.length && (this.bytes[at] !== 0xff || this.bytes[at + 1] === 0)) at++
    return at
  }

  private sequential({ room }: Frame, start: number, parts: readonly Part[]): ScanReader {
    if (room.kernels === null) return sequential(this.bytes, start)
    return sequentialByKernels((this.placed ??= placeFile(this.bytes, room)), start, parts)
  }

  /** All blocks of a scan: those of one component row by row, those of several interleaved (A.2). */
  private decodeBlocks(
    { units }: Frame,
    parts: readonly Part[],
    { decode }: ScanReader,
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
    const { width, height, most, components, room } = frame
    const rows = components.map((component) => {
      const steps = this.tables[component.table]
      if (steps === undefined) throw new DataError('a table is missing')
      const placed = room.words(64)
      placed.set(steps)
      return samplesOf(component, placed, most, [width, height], room)
    })
    const [first, second, third, inks] = rows
    if (second === undefined || third === undefined) {
      const { data } = first!
      const row = (y: number): Uint8Array => {
        const begin = first!.begin(y)
        return data.subarray(begin, begin + width)
      }
      return { width, height, channels: 1, row }
    }
    const three: Colours = [first!, second, third]
    const isMixed = this.hasMixedColours(components)
    if (isMixed && inks === undefined && room.kernels !== null)
      return { width, height, channels: 4, row: mixedByKernels(three, width, room) }
    const colours = new Uint8ClampedArray(width * 3)
    const write = isMixed ? mixColours : copyColours
    const row = (y: number): Uint8ClampedArray => {
      write(three, y, colours)
      if (inks !== undefined) this.print(inks, y, colours)
      return colours
    }
    return { width, height, channels: 3, row }
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
