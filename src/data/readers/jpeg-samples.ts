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

/** A row of samples, valid until the next call. */
type SampleRow = (y: number) => Uint8Array

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
): SampleRow {
  const { h, v } = component
  const [columns, rows] = [Math.ceil((width * h) / most), Math.ceil((height * v) / tall)]
  const plane = planeOf(component, steps, columns)
  const isBetweenRows = tall === 2 * v && rows > 2
  const isBetweenColumns = most === 2 * h && columns > 2
  if (!isBetweenRows && h === most) return (y) => plane(Math.floor((y * v) / tall))
  const row = new Uint8Array(width)
  // Four times the samples of a row.
  const sums = new Uint16Array(columns)
  return (y) => {
    const near = Math.floor((y * v) / tall)
    const own = plane(near)
    for (let x = 0; x < columns; x++) sums[x] = own[x]! * (isBetweenRows ? 3 : 4)
    if (isBetweenRows) {
      const other = plane(Math.max(0, Math.min(rows - 1, near + (y % 2 === 0 ? -1 : 1))))
      for (let x = 0; x < columns; x++) sums[x]! += other[x]!
    }
    // libjpeg rounds halves down and up in turn.
    if (isBetweenColumns) enlarge(sums, row, isBetweenRows ? 8 : 4, isBetweenRows ? 7 : 8)
    else for (let x = 0; x < width; x++) row[x] = (sums[h === most ? x : Math.floor((x * h) / most)]! + 2) >> 2
    return row
  }
}

/** Two samples for each of `sums`: three parts of it and one of its neighbour, of which 16 are one. */
function enlarge(sums: Uint16Array, row: Uint8Array, evenBias: number, oddBias: number): void {
  const last = sums.length - 1
  for (let at = 0, x = 0, before = sums[0]!; at <= last; at++, x += 2) {
    const sum = sums[at]!
    row[x] = (3 * sum + before + evenBias) >> 4
    // The last column of an odd width has no second sample: it is beyond the row.
    row[x + 1] = (3 * sum + sums[at < last ? at + 1 : last]! + oddBias) >> 4
    before = sum
  }
}

/** The rows of a component as they are stored. A row of blocks is transformed when one of its rows is first asked for. */
function planeOf({ stored, blocks }: Blocks, steps: Uint16Array, columns: number): SampleRow {
  const stride = 8 * stored
  const data = new Uint8Array(blocks.length)
  const isDone = new Uint8Array(blocks.length / (8 * stride))
  return (y) => {
    const blockRow = y >> 3
    if (isDone[blockRow] === 0) {
      isDone[blockRow] = 1
      const start = blockRow * 8 * stride
      for (let i = 0; i < stored; i++) transformBlock(blocks, start + 64 * i, steps, data, start + 8 * i, stride)
    }
    return data.subarray(y * stride, y * stride + columns)
  }
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
 * A transform of a first number alone is the same number everywhere, with the same bits.
 */
function transformBlock(
  blocks: Int16Array,
  from: number,
  steps: Uint16Array,
  to: Uint8Array,
  start: number,
  stride: number,
): void {
  // Which rows have numbers: none but the first, and of it none but the first.
  let [isFirstRow, isFlat] = [true, true]
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
    if (some !== 0) {
      for (let j = 0; j < 8; j++) work[i + j] = blocks[at + j]! * steps[i + j]!
      transform(i, 1)
    } else work.fill(blocks[at]! * steps[i]! * C4, i, i + 8)
    if (some !== 0) isFlat = false
    if (i > 0 && (some !== 0 || blocks[at] !== 0)) isFirstRow = false
  }
  if (isFirstRow) {
    for (let j = 0; j < 8; j++) {
      const sample = sampleOf(isFlat ? (blocks[from]! * steps[0]!) / 8 : work[j]! * C4)
      for (let i = 0, at = start + j; i < 8; i++, at += stride) to[at] = sample
    }
    return
  }
  for (let j = 0; j < 8; j++) transform(j, 8)
  for (let i = 0, at = start; i < 64; i += 8, at += stride)
    for (let j = 0; j < 8; j++) to[at + j] = sampleOf(work[i + j]!)
}

/** The nearest integer to x + 128, and halves upwards, from 0 to 255. */
function sampleOf(x: number): number {
  const above = x + 128 + 0.5
  return above < 1 ? 0 : above >= 256 ? 255 : above | 0
}

/** The inverse cosine transform of 8 numbers of `work`: even and odd coefficients apart, 22 products. Without lists, which would be made for each. */
function transform(at: number, step: number): void {
  const s0 = work[at]!
  const s1 = work[at + step]!
  const s2 = work[at + 2 * step]!
  const s3 = work[at + 3 * step]!
  const s4 = work[at + 4 * step]!
  const s5 = work[at + 5 * step]!
  const s6 = work[at + 6 * step]!
  const s7 = work[at + 7 * step]!
  const sum = (s0 + s4) * C4
  const difference = (s0 - s4) * C4
  const near = s2 * C2 + s6 * C6
  const far = s2 * C6 - s6 * C2
  const odd0 = s1 * C1 + s3 * C3 + s5 * C5 + s7 * C7
  const odd1 = s1 * C3 - s3 * C7 - s5 * C1 - s7 * C5
  const odd2 = s1 * C5 - s3 * C1 + s5 * C7 + s7 * C3
  const odd3 = s1 * C7 - s3 * C5 + s5 * C3 - s7 * C1
  work[at] = sum + near + odd0
  work[at + 7 * step] = sum + near - odd0
  work[at + step] = difference + far + odd1
  work[at + 6 * step] = difference + far - odd1
  work[at + 2 * step] = difference - far + odd2
  work[at + 5 * step] = difference - far - odd2
  work[at + 3 * step] = sum - near + odd3
  work[at + 4 * step] = sum - near - odd3
}
