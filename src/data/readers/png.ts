// Decodes PNG (PNG specification, third edition, https://www.w3.org/TR/png-3/): every chunk's checksum is checked, and the
// decompressed size is known before anything is decompressed. Chunks that pictures do not need are only checked.

import { crc32 } from '../../files/containers/crc32'
import { unzip } from '../../files/containers/zlib'
import { concatBytes } from '../../core/bytes'
import { DataError } from '../../core/errors'
import type { PixelArray } from './pixel-rows'
import { PNG_SIGNATURE } from './picture-files'

/** A chunk: length (4 bytes), type (4), data, CRC-32 of type and data (4). */
const [FRAME, HEADER] = [12, 13]

/** By colour type: the samples of a pixel, and the possible bits of one. */
const FORMS: Readonly<Record<number, { readonly samples: 1 | 2 | 3 | 4; readonly depths: readonly number[] }>> = {
  0: { samples: 1, depths: [1, 2, 4, 8, 16] },
  2: { samples: 3, depths: [8, 16] },
  3: { samples: 1, depths: [1, 2, 4, 8] },
  4: { samples: 2, depths: [8, 16] },
  6: { samples: 4, depths: [8, 16] },
}
const INDEXED = 3

/** The passes of interlacing by Adam7: the first column and row, and the steps between columns and rows. */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const
const WHOLE = [[0, 0, 1, 1]] as const

interface Head {
  readonly width: number
  readonly height: number
  readonly depth: number
  readonly samples: 1 | 2 | 3 | 4
  readonly isIndexed: boolean
  readonly passes: readonly (readonly [x: number, y: number, dx: number, dy: number])[]
}

/** @throws DataError for a damaged file, FormatError for damaged compressed data */
export async function decodePng(bytes: Uint8Array): Promise<PixelArray> {
  const { head, palette, packed } = partsOf(bytes)
  const size = passSizes(head).reduce((sum, { rows, stride }) => sum + rows * (1 + stride), 0)
  const raw = await unzip(packed, size)
  if (raw.length !== size) throw new DataError(`${size} bytes of pixels were expected, received ${raw.length}`)
  const samples = samplesOf(raw, head)
  const { width, height } = head
  return palette === null
    ? { width, height, channels: head.samples, data: samples, largest: 2 ** head.depth - 1 }
    : { width, height, channels: palette.channels, data: inColours(samples, palette) }
}

interface Palette {
  readonly channels: 3 | 4
  readonly colours: Uint8Array
}

function partsOf(bytes: Uint8Array): { head: Head; palette: Palette | null; packed: Uint8Array } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let head: Head | null = null
  let [colours, alpha]: [Uint8Array | null, Uint8Array | null] = [null, null]
  const packed: Uint8Array[] = []
  for (let at = PNG_SIGNATURE.length, type = ''; type !== 'IEND';) {
    const length = at + FRAME <= bytes.length ? view.getUint32(at) : Infinity
    const end = at + 8 + length
    if (end + 4 > bytes.length) throw new DataError('it is truncated')
    type = String.fromCharCode(...bytes.subarray(at + 4, at + 8))
    if (crc32(bytes.subarray(at + 4, end)) !== view.getUint32(end))
      throw new DataError(`the checksum of its part ${type} differs`)
    const content = bytes.subarray(at + 8, end)
    if ((head === null) !== (type === 'IHDR')) throw new DataError('its first part, and no other, must be IHDR')
    if (type === 'IHDR') head = headOf(content)
    else if (type === 'PLTE') colours = content
    else if (type === 'tRNS') alpha = content
    else if (type === 'IDAT') packed.push(content)
    // The first letter of a part that a decoder must know is a capital.
    else if (type !== 'IEND' && type < 'a') throw new DataError(`it has an unknown part ${type}`)
    at = end + 4
  }
  const data = packed.length === 1 ? packed[0]! : concatBytes(packed)
  if (!head!.isIndexed) return { head: head!, palette: null, packed: data }
  if (colours === null || colours.length % 3 !== 0) throw new DataError('its palette is missing or damaged')
  return { head: head!, palette: paletteOf(colours, alpha), packed: data }
}

function headOf(content: Uint8Array): Head {
  if (content.length !== HEADER) throw new DataError('its part IHDR is damaged')
  const view = new DataView(content.buffer, content.byteOffset)
  const [depth, colour, compression, filter, interlace] = content.subarray(8)
  const form = FORMS[colour!]
  if (form === undefined || !form.depths.includes(depth!) || compression !== 0 || filter !== 0 || interlace! > 1)
    throw new DataError('its part IHDR names a form that PNG does not have')
  const [width, height] = [view.getUint32(0), view.getUint32(4)]
  if (width === 0 || height === 0) throw new DataError('it has no pixels')
  const { samples } = form
  return { width, height, depth: depth!, samples, isIndexed: colour === INDEXED, passes: interlace ? ADAM7 : WHOLE }
}

function paletteOf(colours: Uint8Array, alpha: Uint8Array | null): Palette {
  if (alpha === null) return { channels: 3, colours }
  const all = new Uint8Array((colours.length / 3) * 4).fill(255)
  for (let i = 0; i < colours.length / 3; i++) {
    all.set(colours.subarray(3 * i, 3 * i + 3), 4 * i)
    if (i < alpha.length) all[4 * i + 3] = alpha[i]!
  }
  return { channels: 4, colours: all }
}

/** The pixels of each pass, and the bytes of a row without that of its filter. */
function passSizes({
  width,
  height,
  depth,
  samples,
  passes,
}: Head): { columns: number; rows: number; stride: number }[] {
  return passes.map(([x, y, dx, dy]) => {
    const columns = Math.max(0, Math.ceil((width - x) / dx))
    return {
      columns,
      rows: columns === 0 ? 0 : Math.max(0, Math.ceil((height - y) / dy)),
      stride: Math.ceil((columns * samples * depth) / 8),
    }
  })
}

/** [height, width, samples], in place if a sample is one or two bytes and the rows are in order. */
function samplesOf(raw: Uint8Array, head: Head): Uint8Array | Uint16Array {
  const { width, height, depth, samples, passes } = head
  const isInPlace = depth >= 8 && passes === WHOLE && raw.buffer instanceof ArrayBuffer
  const pixel = Math.max(1, (samples * depth) / 8)
  const size = width * height * samples
  const Samples = depth === 16 ? Uint16Array : Uint8Array
  const result = isInPlace ? new Samples(raw.buffer, raw.byteOffset, size) : new Samples(size)
  let at = 0
  passSizes(head).forEach(({ columns, rows, stride }, i) => {
    const [x, y, dx, dy] = passes[i]!
    for (let row = 0, above = -1; row < rows; row++) {
      // In place, rows move to the front by the bytes of the filters.
      const to = isInPlace ? row * stride : at + 1
      unfilter(raw, at, to, above, stride, pixel)
      if (!isInPlace) {
        for (let column = 0; column < columns; column++)
          for (let sample = 0; sample < samples; sample++)
            result[((y + row * dy) * width + x + column * dx) * samples + sample] = sampleAt(
              raw,
              to,
              column * samples + sample,
              depth,
            )
      }
      above = to
      at += 1 + stride
    }
  })
  if (isInPlace && depth === 16) for (let i = 0; i < size; i++) result[i] = sampleAt(raw, 0, i, depth)
  return result
}

function sampleAt(raw: Uint8Array, row: number, i: number, depth: number): number {
  if (depth === 16) return raw[row + 2 * i]! * 256 + raw[row + 2 * i + 1]!
  const bit = i * depth
  return (raw[row + (bit >> 3)]! >> (8 - depth - (bit & 7))) & (2 ** depth - 1)
}

/**
 * Undoes the filter of a row: the bytes after `from`, whose first names the filter, become those at `to`. What is before the first
 * pixel and above the first row is 0.
 */
function unfilter(raw: Uint8Array, from: number, to: number, above: number, stride: number, pixel: number): void {
  const filter = raw[from]!
  if (filter > 4) throw new DataError(`a row has the unknown filter ${filter}`)
  if (to !== from + 1) raw.copyWithin(to, from + 1, from + 1 + stride)
  const end = to + stride
  if (filter === 1) left(raw, to, end, pixel)
  else if (filter === 2 && above >= 0) up(raw, to, end, above - to)
  else if (filter === 3) mean(raw, to, end, above < 0 ? null : above - to, pixel)
  // Above the first row, the nearest to a + 0 − 0 is a.
  else if (filter === 4 && above < 0) left(raw, to, end, pixel)
  else if (filter === 4) nearest(raw, to, end, above - to, pixel)
}

// Each loop goes along one sample of the pixels, so that what is left of it stays in a register.

function left(raw: Uint8Array, to: number, end: number, pixel: number): void {
  for (let at = to + pixel; at < end; at++) raw[at] = raw[at]! + raw[at - pixel]!
}

/** @param up from a byte to that above it */
function up(raw: Uint8Array, to: number, end: number, up: number): void {
  for (let at = to; at < end; at++) raw[at] = raw[at]! + raw[at + up]!
}

function mean(raw: Uint8Array, to: number, end: number, up: number | null, pixel: number): void {
  for (let first = to; first < to + pixel; first++)
    for (let at = first, a = 0; at < end; at += pixel) {
      const b = up === null ? 0 : raw[at + up]!
      raw[at] = a = (raw[at]! + ((a + b) >> 1)) & 255
    }
}

function nearest(raw: Uint8Array, to: number, end: number, up: number, pixel: number): void {
  if (pixel === 3) return nearestOfThree(raw, to, end, up)
  for (let first = to; first < to + pixel; first++)
    for (let at = first, a = 0, c = 0; at < end; at += pixel) {
      const b = raw[at + up]!
      raw[at] = a = (raw[at]! + paeth(a, b, c)) & 255
      c = b
    }
}

/** The same for pixels of three bytes, most of all: three samples at once keep the processor busy. */
function nearestOfThree(raw: Uint8Array, to: number, end: number, up: number): void {
  let [a0, a1, a2, c0, c1, c2] = [0, 0, 0, 0, 0, 0]
  for (let at = to; at < end; at += 3) {
    const b0 = raw[at + up]!
    const b1 = raw[at + up + 1]!
    const b2 = raw[at + up + 2]!
    raw[at] = a0 = (raw[at]! + paeth(a0, b0, c0)) & 255
    raw[at + 1] = a1 = (raw[at + 1]! + paeth(a1, b1, c1)) & 255
    raw[at + 2] = a2 = (raw[at + 2]! + paeth(a2, b2, c2)) & 255
    c0 = b0
    c1 = b1
    c2 = b2
  }
}

/** Of left, up and corner the one that is nearest to left + up − corner. Without branches, which no processor could predict. */
function paeth(a: number, b: number, c: number): number {
  const toLeft = b - c
  const toUp = a - c
  const [ofLeft, ofUp, ofCorner] = [Math.abs(toLeft), Math.abs(toUp), Math.abs(toLeft + toUp)]
  // All ones if the second is nearer than the first.
  const isUp = (ofUp - ofLeft) >> 31
  const isCorner = (ofCorner - (ofLeft ^ ((ofLeft ^ ofUp) & isUp))) >> 31
  const side = a ^ ((a ^ b) & isUp)
  return side ^ ((side ^ c) & isCorner)
}

function inColours(samples: ArrayLike<number>, { channels, colours }: Palette): Uint8Array {
  const result = new Uint8Array(samples.length * channels)
  for (let i = 0, at = 0; i < samples.length; i++) {
    const from = samples[i]! * channels
    if (from >= colours.length) throw new DataError(`pixel ${i} has colour ${samples[i]}, which the palette lacks`)
    for (let channel = 0; channel < channels; channel++) result[at++] = colours[from + channel]!
  }
  return result
}
