// Images in memory or half decoded, row by row, and their rows as numbers of the requested channels and scale.

/** The numbers of an image: `channels` for each pixel, which are grey; grey and alpha; red, green, blue; or these and alpha. */
interface Form {
  readonly width: number
  readonly height: number
  readonly channels: 1 | 2 | 3 | 4
  /** The number that means 255. Default 255. */
  readonly largest?: number
}

/** Integers from 0 to `largest`. */
type Samples = Uint8Array | Uint8ClampedArray | Uint16Array

/** An image whose rows are made when they are needed. */
export interface PixelRows extends Form {
  /** The row y, valid until the next call. */
  row(y: number): Samples
}

/** All rows, one after the other. */
export interface PixelArray extends Form {
  readonly data: Samples
}

export function rowsOf({ data, ...form }: PixelArray): PixelRows {
  const length = form.width * form.channels
  return { ...form, row: (y) => data.subarray(y * length, (y + 1) * length) }
}

export type Channels = 1 | 3 | 4

/** The weights of grey in Pillow and JPEG (ITU-R 601), in units of 1/65536. */
const RED = 19595
const GREEN = 38470
const BLUE = 7471

/** Writes pixels of the row y to `into`, from `at` on: for each of the columns `to` float32 numbers. */
export type WriteRow = (y: number, into: Float32Array, at: number) => void

/** Rows in other channels, with all numbers times `scale`. @param columns those of the pixels that are written */
export function rowWriter(
  { channels: from, largest = 255, row }: PixelRows,
  to: Channels,
  scale: number,
  columns: Int32Array,
): WriteRow {
  const levels = levelsOf(largest, scale)
  const count = columns.length
  const isGrey = from <= 2
  if (to === 1 && isGrey)
    return (y, into, at) => {
      const samples = row(y)
      for (let x = 0; x < count; x++) into[at + x] = levels[samples[from * columns[x]!]!]!
    }
  if (to === 1) {
    const factor = 255 / largest
    return (y, into, at) => {
      const samples = row(y)
      for (let x = 0; x < count; x++) {
        const i = from * columns[x]!
        const light = samples[i]! * factor * RED + samples[i + 1]! * factor * GREEN + samples[i + 2]! * factor * BLUE
        into[at + x] = Math.fround(Math.floor((light + 32768) / 65536)) * scale
      }
    }
  }
  const [green, blue] = isGrey ? [0, 0] : [1, 2]
  // The last of two or four samples.
  const alpha = from % 2 === 0 ? from - 1 : null
  const opaque = 255 * scale
  return (y, into, at) => {
    const samples = row(y)
    for (let x = 0, o = at; x < count; x++, o += to) {
      const i = from * columns[x]!
      into[o] = levels[samples[i]!]!
      into[o + 1] = levels[samples[i + green]!]!
      into[o + 2] = levels[samples[i + blue]!]!
      if (to === 4) into[o + 3] = alpha === null ? opaque : levels[samples[i + alpha]!]!
    }
  }
}

/** All columns of an image. */
export const allColumns = ({ width }: PixelRows): Int32Array => Int32Array.from({ length: width }, (_, x) => x)

/** The numbers that samples of 0 to `largest` mean. */
function levelsOf(largest: number, scale: number): Float32Array {
  const factor = 255 / largest
  const levels = new Float32Array(largest + 1)
  for (let sample = 0; sample <= largest; sample++) levels[sample] = Math.fround(sample * factor) * scale
  return levels
}
