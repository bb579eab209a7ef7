// From rows of light, blue and red differences to rows of red, green and blue (T.871). Reads no file: see jpeg.ts.

import type { PixelRows } from '../pixel-rows'
import type { JpegRoom } from './memory'
import type { SampleRows } from './samples'

export type Colours = readonly [light: SampleRows, blue: SampleRows, red: SampleRows]

/** Writes the row y, three bytes for each pixel. */
type WriteColours = (rows: Colours, y: number, colours: Uint8ClampedArray) => void

/** Rows that are red, green and blue already. */
export const copyColours: WriteColours = (rows, y, colours) => {
  rows.forEach(({ data, begin }, channel) => {
    const start = begin(y)
    for (let x = 0, at = channel; at < colours.length; x++, at += 3) colours[at] = data[start + x]!
  })
}

/**
 * YCbCr → red, green, blue: y + 1.402 r, y − 0.34414 b − 0.71414 r and y + 1.772 b, where r and b are from −128 to 127, with factors
 * of 2⁻¹⁶, as in libjpeg.
 */
export const mixColours: WriteColours = ([light, blue, red], y, colours) => {
  const [l, b, r] = [light.begin(y), blue.begin(y), red.begin(y)]
  for (let x = 0, at = 0; at < colours.length; x++, at += 3) {
    const lightness = light.data[l + x]!
    const ofBlue = blue.data[b + x]! - 128
    const ofRed = red.data[r + x]! - 128
    colours[at] = lightness + ((91881 * ofRed + 32768) >> 16)
    colours[at + 1] = lightness + ((-22554 * ofBlue - 46802 * ofRed + 32768) >> 16)
    colours[at + 2] = lightness + ((116130 * ofBlue + 32768) >> 16)
  }
}

/** The same by kernels: rows of red, green, blue and 255. */
export function mixedByKernels([light, blue, red]: Colours, width: number, room: JpegRoom): PixelRows['row'] {
  const pixels = room.bytes(4 * width)
  const addressOf = ({ data, begin }: SampleRows, y: number): number => data.byteOffset + begin(y)
  return (y) => {
    room.kernels.mixColours(addressOf(light, y), addressOf(blue, y), addressOf(red, y), width, pixels.byteOffset)
    return pixels
  }
}
