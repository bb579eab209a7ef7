// From the coefficients of a JPEG component to rows of samples in the size of the picture: the inverse cosine transform, block row by
// block row as rows are asked for, and the enlarging of components that are stored smaller. Reads no file: see jpeg.ts.

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
  steps: Uint16Array,
  [most, tall]: readonly [number, number],
  [width, height]: readonly [number, number],
): SampleRows {
  const { h, v } = component
  const [columns, rows] = [Math.ceil((width * h) / most), Math.ceil((height * v) / tall)]
  const plane = planeOf(component, steps)
  const isBetweenRows = tall === 2 * v && rows > 2
  const isBetweenColumns = most === 2 * h && columns > 2
  const { data } = plane
  if (!isBetweenRows && h === most) return { data, begin: (y) => plane.begin(Math.floor((y * v) / tall)) }
  const row = new Uint8Array(width)
  // Four times the samples of a row.
  const sums = new Uint16Array(columns)
  const begin = (y: number): number => {
    const near = Math.floor((y * v) / tall)
    const own = plane.begin(near)
    const other = isBetweenRows ? plane.begin(Math.max(0, Math.min(rows - 1, near + (y % 2 === 0 ? -1 : 1)))) : own
    addRows(data, own, other, sums)
    // libjpeg rounds halves down and up in turn.
    if (isBetweenColumns) enlarge(sums, row, isBetweenRows ? 8 : 4, isBetweenRows ? 7 : 8)
    else for (let x = 0; x < width; x++) row[x] = (sums[h === most ? x : Math.floor((x * h) / most)]! + 2) >> 2
    return 0
  }
  return { data: row, begin }
}

function addRows(data: Uint8Array, own: number, other: number, sums: Uint16Array): void {
  for (let x = 0; x < sums.length; x++) sums[x] = 3 * data[own + x]! + data[other + x]!
}

/** Two samples for each of `sums`: three parts of it and one of its neighbour, of which 16 are one. */
function enlarge(sums: Uint16Array, row: Uint8Array, evenBias: number, oddBias: number): void {
  const last = sums.length - 1
  let before = sums[0]!
  let sum = before
  for (let at = 0, x = 0; at < last; at++, x += 2) {
    const after = sums[at + 1]!
    row[x] = (3 * sum + before + evenBias) >> 4
    row[x + 1] = (3 * sum + after + oddBias) >> 4
    before = sum
    sum = after
  }
  row[2 * last] = (3 * sum + before + evenBias) >> 4
  // An odd width has no second sample of the last one: what is written beyond the row is nothing.
  row[2 * last + 1] = (4 * sum + oddBias) >> 4
}

/** The rows of a component as they are stored. A row of blocks is transformed when one of its rows is first asked for. */
function planeOf({ stored, blocks }: Blocks, steps: Uint16Array): SampleRows {
  const stride = 8 * stored
  const data = new Uint8Array(blocks.length)
  const isDone = new Uint8Array(blocks.length / (8 * stride))
  const begin = (y: number): number => {
    const blockRow = y >> 3
    if (isDone[blockRow] === 0) {
      isDone[blockRow] = 1
      const start = blockRow * 8 * stride
      for (let i = 0; i < stored; i++) transformBlock(blocks, start + 64 * i, steps, data, start + 8 * i, stride)
    }
    return y * stride
  }
  return { data, begin }
}

const half = (k: number): number => Math.cos((k * Math.PI) / 16) / 2
const C1 = half(1)
const C2 = half(2)
const C3 = half(3)
const C4 = half(4)
const C5 = half(5)
const C6 = half(6)
const C7 = half(7)

const work = new Float64Array(64)

/**
 * Coefficients × steps → samples: x = 128 + Σᵤᵥ αᵤ αᵥ S cos((2x+1)uπ/16) cos((2y+1)vπ/16) (A.3.3), along rows and then along columns.
 * Most coefficients are 0. What they would add is left out, which changes no bit.
 */
function transformBlock(
  blocks: Int16Array,
  from: number,
  steps: Uint16Array,
  to: Uint8Array,
  start: number,
  stride: number,
): void {
  // The last row that has numbers, and the numbers of the first row but the first.
  let last = 0
  let others = 0
  for (let i = 0; i < 64; i += 8) {
    const at = from + i
    const some =
      blocks[at + 1]! |
      blocks[at + 2]! |
      blocks[at + 3]! |
      blocks[at + 4]! |
      blocks[at + 5]! |
      blocks[at + 6]! |
      blocks[at + 7]!
    if (i === 0) others = some
    if (some !== 0) {
      last = i
      transformRow(blocks, at, steps, i)
    } else {
      const first = blocks[at]!
      if (first !== 0) last = i
      // `fill` would take longer.
      const equal = first * steps[i]! * C4
      work[i] = equal
      work[i + 1] = equal
      work[i + 2] = equal
      work[i + 3] = equal
      work[i + 4] = equal
      work[i + 5] = equal
      work[i + 6] = equal
      work[i + 7] = equal
    }
  }
  if (last >= 32) for (let j = 0; j < 8; j++) transformColumn(j, to, start + j, stride)
  else if (last > 0) for (let j = 0; j < 8; j++) transformShortColumn(j, to, start + j, stride)
  else
    for (let j = 0; j < 8; j++) {
      const sample = sampleOf(others === 0 ? (blocks[from]! * steps[0]!) / 8 : work[j]! * C4)
      for (let i = 0, at = start + j; i < 8; i++, at += stride) to[at] = sample
    }
}

/** The nearest integer to x + 128, and halves upwards, from 0 to 255. */
function sampleOf(x: number): number {
  const above = x + 128 + 0.5
  return above < 1 ? 0 : above >= 256 ? 255 : above | 0
}

// The inverse cosine transform of 8 numbers: even and odd coefficients apart, 22 products. Without lists, which would be made for each.

/** A row of a block × steps → a row of `work`. */
function transformRow(blocks: Int16Array, at: number, steps: Uint16Array, i: number): void {
  const s0 = blocks[at]! * steps[i]!
  const s1 = blocks[at + 1]! * steps[i + 1]!
  const s2 = blocks[at + 2]! * steps[i + 2]!
  const s3 = blocks[at + 3]! * steps[i + 3]!
  const s4 = blocks[at + 4]! * steps[i + 4]!
  const s5 = blocks[at + 5]! * steps[i + 5]!
  const s6 = blocks[at + 6]! * steps[i + 6]!
  const s7 = blocks[at + 7]! * steps[i + 7]!
  const sum = (s0 + s4) * C4
  const difference = (s0 - s4) * C4
  const near = s2 * C2 + s6 * C6
  const far = s2 * C6 - s6 * C2
  const odd0 = s1 * C1 + s3 * C3 + s5 * C5 + s7 * C7
  const odd1 = s1 * C3 - s3 * C7 - s5 * C1 - s7 * C5
  const odd2 = s1 * C5 - s3 * C1 + s5 * C7 + s7 * C3
  const odd3 = s1 * C7 - s3 * C5 + s5 * C3 - s7 * C1
  work[i] = sum + near + odd0
  work[i + 7] = sum + near - odd0
  work[i + 1] = difference + far + odd1
  work[i + 6] = difference + far - odd1
  work[i + 2] = difference - far + odd2
  work[i + 5] = difference - far - odd2
  work[i + 3] = sum - near + odd3
  work[i + 4] = sum - near - odd3
}

/** A column of `work` → a column of samples. */
function transformColumn(j: number, to: Uint8Array, at: number, stride: number): void {
  const s0 = work[j]!
  const s1 = work[j + 8]!
  const s2 = work[j + 16]!
  const s3 = work[j + 24]!
  const s4 = work[j + 32]!
  const s5 = work[j + 40]!
  const s6 = work[j + 48]!
  const s7 = work[j + 56]!
  const sum = (s0 + s4) * C4
  const difference = (s0 - s4) * C4
  const near = s2 * C2 + s6 * C6
  const far = s2 * C6 - s6 * C2
  const odd0 = s1 * C1 + s3 * C3 + s5 * C5 + s7 * C7
  const odd1 = s1 * C3 - s3 * C7 - s5 * C1 - s7 * C5
  const odd2 = s1 * C5 - s3 * C1 + s5 * C7 + s7 * C3
  const odd3 = s1 * C7 - s3 * C5 + s5 * C3 - s7 * C1
  to[at] = sampleOf(sum + near + odd0)
  to[at + 7 * stride] = sampleOf(sum + near - odd0)
  to[at + stride] = sampleOf(difference + far + odd1)
  to[at + 6 * stride] = sampleOf(difference + far - odd1)
  to[at + 2 * stride] = sampleOf(difference - far + odd2)
  to[at + 5 * stride] = sampleOf(difference - far - odd2)
  to[at + 3 * stride] = sampleOf(sum - near + odd3)
  to[at + 4 * stride] = sampleOf(sum - near - odd3)
}

/** The same for a column whose last four numbers are 0. */
function transformShortColumn(j: number, to: Uint8Array, at: number, stride: number): void {
  const s0 = work[j]!
  const s1 = work[j + 8]!
  const s2 = work[j + 16]!
  const s3 = work[j + 24]!
  const sum = s0 * C4
  const near = s2 * C2
  const far = s2 * C6
  const odd0 = s1 * C1 + s3 * C3
  const odd1 = s1 * C3 - s3 * C7
  const odd2 = s1 * C5 - s3 * C1
  const odd3 = s1 * C7 - s3 * C5
  to[at] = sampleOf(sum + near + odd0)
  to[at + 7 * stride] = sampleOf(sum + near - odd0)
  to[at + stride] = sampleOf(sum + far + odd1)
  to[at + 6 * stride] = sampleOf(sum + far - odd1)
  to[at + 2 * stride] = sampleOf(sum - far + odd2)
  to[at + 5 * stride] = sampleOf(sum - far - odd2)
  to[at + 3 * stride] = sampleOf(sum - near + odd3)
  to[at + 4 * stride] = sampleOf(sum - near - odd3)
}
