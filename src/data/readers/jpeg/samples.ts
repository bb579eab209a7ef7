// From the coefficients of a JPEG component to rows of samples in the size of the picture: the inverse cosine transform, block row by
// block row as rows are requested, and the enlarging of components that are stored smaller. The bits are those of libjpeg. Reads no
// file: see jpeg.ts. Kernels of assembly/jpeg.ts do the same.

import type { Room } from './memory'

/** The blocks of one colour. */
export interface Blocks {
  /** Blocks in a unit of interleaved data (MCU). */
  readonly h: number
  readonly v: number
  /** Blocks in a row. */
  readonly stored: number
  /** Blocks of 64 coefficients. */
  readonly blocks: Int16Array
}

/** Rows of samples, each a part of `data`. */
export interface SampleRows {
  readonly data: Uint8Array
  /** Where the row y begins in `data`, until the next call. */
  begin(y: number): number
}

/**
 * The rows of a component in the size of the picture. Samples of half the size are between those of the picture, so the nearer one
 * counts three times (libjpeg: "fancy upsampling"); others are repeated.
 * @param steps of the quantization
 * @param most the blocks in a unit of the components that have most, across and down
 */
export function samplesOf(
  component: Blocks,
  steps: Int16Array,
  [most, tall]: readonly [number, number],
  [width, height]: readonly [number, number],
  room: Room,
): SampleRows {
  const { h, v } = component
  const [columns, rows] = [Math.ceil((width * h) / most), Math.ceil((height * v) / tall)]
  const plane = planeOf(component, steps, room)
  const isBetweenColumns = most === 2 * h && (tall === v || tall === 2 * v) && columns > 2
  const isBetweenRows = tall === 2 * v && (most === h || isBetweenColumns)
  const { data } = plane
  if (!isBetweenRows && h === most) return { data, begin: (y) => plane.begin(Math.floor((y * v) / tall)) }
  const row = room.bytes(2 * columns + 16)
  // Four times the samples of a row.
  const sums = room.words(columns + 32)
  const { kernels } = room
  const [evenBias, oddBias] = isBetweenRows ? [8, 7] : [4, 8]
  const begin = (y: number): number => {
    const near = Math.floor((y * v) / tall)
    const isUpper = y % 2 === 0
    const nearest = plane.begin(near)
    const other = isBetweenRows ? plane.begin(Math.max(0, Math.min(rows - 1, near + (isUpper ? -1 : 1)))) : nearest
    // libjpeg rounds halves down and up in turn.
    if (isBetweenColumns && kernels !== null) {
      const [from, to] = [data.byteOffset, row.byteOffset]
      kernels.enlarge(from + nearest, from + other, columns, sums.byteOffset, to, evenBias, oddBias)
    } else if (isBetweenColumns) {
      addRows(data, nearest, other, columns, sums)
      enlarge(sums, columns, row, evenBias, oddBias)
    } else if (isBetweenRows) {
      addRows(data, nearest, other, columns, sums)
      for (let x = 0; x < width; x++) row[x] = (sums[x]! + (isUpper ? 1 : 2)) >> 2
    } else for (let x = 0; x < width; x++) row[x] = data[nearest + Math.floor((x * h) / most)]!
    return 0
  }
  return { data: row, begin }
}

function addRows(data: Uint8Array, nearest: number, other: number, columns: number, sums: Int16Array): void {
  for (let x = 0; x < columns; x++) sums[x] = 3 * data[nearest + x]! + data[other + x]!
}

/** Two samples for each of `sums`: three parts of it and one of its neighbour, of which 16 are one. */
function enlarge(sums: Int16Array, columns: number, row: Uint8Array, evenBias: number, oddBias: number): void {
  const last = columns - 1
  for (let x = 0; x <= last; x++) {
    const sum = 3 * sums[x]!
    row[2 * x] = (sum + sums[Math.max(0, x - 1)]! + evenBias) >> 4
    row[2 * x + 1] = (sum + sums[Math.min(last, x + 1)]! + oddBias) >> 4
  }
}

/** The rows of a component as they are stored. A row of blocks is transformed when one of its rows is first requested. */
function planeOf({ stored, blocks }: Blocks, steps: Int16Array, room: Room): SampleRows {
  const { kernels } = room
  const stride = 8 * stored
  const data = room.bytes(blocks.length)
  const isDone = new Uint8Array(blocks.length / (8 * stride))
  const begin = (y: number): number => {
    const blockRow = y >> 3
    if (isDone[blockRow] === 0) {
      isDone[blockRow] = 1
      const start = blockRow * 8 * stride
      if (kernels !== null) {
        const from = blocks.byteOffset + 2 * start
        kernels.transformBlocks(from, stored, steps.byteOffset, data.byteOffset + start, stride)
      } else for (let i = 0; i < stored; i++) transformBlock(blocks, start + 64 * i, steps, data, start + 8 * i, stride)
    }
    return y * stride
  }
  return { data, begin }
}

const work = new Int16Array(64)

/**
 * Coefficients × steps → samples: x = 128 + Σᵤᵥ αᵤ αᵥ S cos((2x+1)uπ/16) cos((2y+1)vπ/16) (A.3.3), along columns and then along rows,
 * with the integers of libjpeg ("islow"): factors of 2⁻¹³, two more bits between the passes.
 */
function transformBlock(
  blocks: Int16Array,
  from: number,
  steps: Int16Array,
  to: Uint8Array,
  start: number,
  stride: number,
): void {
  for (let i = 0; i < 64; i++) work[i] = blocks[from + i]! * steps[i]!
  for (let column = 0; column < 8; column++) transformLine(column, 8, 11)
  for (let row = 0; row < 8; row++) {
    transformLine(8 * row, 1, 18)
    for (let x = 0, at = start + row * stride; x < 8; x++)
      to[at + x] = 128 + Math.max(-128, Math.min(127, work[8 * row + x]!))
  }
}

/**
 * The inverse cosine transform of 8 numbers of `work` at a distance of `step`; even and odd coefficients are added separately.
 * @param shift the number of low bits that are dropped
 */
function transformLine(at: number, step: number, shift: number): void {
  const [s0, s1, s2, s3] = [work[at]!, work[at + step]!, work[at + 2 * step]!, work[at + 3 * step]!]
  const [s4, s5, s6, s7] = [work[at + 4 * step]!, work[at + 5 * step]!, work[at + 6 * step]!, work[at + 7 * step]!]
  const sum = (s0 + s4) * 8192
  const difference = (s0 - s4) * 8192
  const near = s2 * 10703 + s6 * 4433
  const far = s2 * 4433 - s6 * 10704
  const put = (i: number, even: number, odd: number): void => {
    work[at + i * step] = rounded(even + odd, shift)
    work[at + (7 - i) * step] = rounded(even - odd, shift)
  }
  put(0, sum + near, s1 * 11363 + s3 * 9633 + s5 * 6437 + s7 * 2260)
  put(1, difference + far, s1 * 9633 - s3 * 2259 - s5 * 11362 - s7 * 6436)
  put(2, difference - far, s1 * 6437 - s3 * 11362 + s5 * 2261 + s7 * 9633)
  put(3, sum - near, s1 * 2260 - s3 * 6436 + s5 * 9633 - s7 * 11363)
}

/** Without its last bits, in the range of int16. */
const rounded = (x: number, shift: number): number =>
  Math.max(-32768, Math.min(32767, (x + (1 << (shift - 1))) >> shift))
