// Pixels as a PNG in a data URI, not compressed: pictures of explanations are small.

import { concatBytes } from '../core/bytes'
import { adler32 } from '../core/adler32'
import { crc32 } from '../core/crc'

const big = (x: number): number[] => [x >>> 24, (x >>> 16) & 255, (x >>> 8) & 255, x & 255]

function chunk(name: string, content: ArrayLike<number>): Uint8Array {
  const body = concatBytes([Array.from(name, (each) => each.charCodeAt(0)), content])
  return concatBytes([big(content.length), body, big(crc32(body))])
}

/** zlib's frame around blocks that are stored as they are. */
function stored(bytes: Uint8Array): Uint8Array {
  const parts: ArrayLike<number>[] = [[0x78, 0x01]]
  const LARGEST = 65535
  for (let start = 0; start < bytes.length; start += LARGEST) {
    const block = bytes.subarray(start, start + LARGEST)
    const [low, high] = [block.length & 255, block.length >> 8]
    parts.push([Number(start + LARGEST >= bytes.length), low, high, ~low & 255, ~high & 255], block)
  }
  return concatBytes([...parts, big(adler32(bytes))])
}

/** @param pixels [rows, columns, channels], each 0 … 255: red, green and blue, or one for grey */
export function pngUri(pixels: Uint8ClampedArray, rows: number, columns: number, channels: 1 | 3 = 3): string {
  const width = channels * columns
  const lines = new Uint8Array(rows * (width + 1))
  // Each line begins with the number of its filter: none.
  for (let row = 0; row < rows; row++) lines.set(pixels.subarray(row * width, (row + 1) * width), row * (width + 1) + 1)
  const header = [...big(columns), ...big(rows), 8, channels === 3 ? 2 : 0, 0, 0, 0]
  const bytes = concatBytes([
    [0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10],
    chunk('IHDR', header),
    chunk('IDAT', stored(lines)),
    chunk('IEND', []),
  ])
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return `data:image/png;base64,${btoa(text)}`
}
