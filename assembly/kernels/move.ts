// Copies and fills buffers, and adds into a part of one. Copies and fills take any 32-bit element.

import { partEnd, partStart, rowPartEnd, rowPartStart } from '../parts'
import { Copy, CopyDimension, Fill } from '../shared/instructions'
import { copyRun, copySpacedWords, fillShortRows, fillWords, storeTransposed } from '../simd'

/**
 * out[i, j] = input[j, i] for out [rows, columns]: rows of out and rows of input are `…Stride` bytes apart. Reads four rows
 * of input side by side, which the processor foresees. If the rows of out share few sets of the caches, it reads sixteen,
 * because a cache line would be evicted before it is complete.
 */
export function transpose_4x4_bits(
  out: usize, input: usize, rows: i32, columns: i32, outStride: usize, inputStride: usize,
): void {
  const width = outStride & 511 ? 4 : 16
  for (let start = 0; start < rows; start += 1024) {
    const end = min(start + 1024, rows)
    for (let first = 0; first < columns; first += width) {
      const last = min(first + width, columns)
      let row = start
      for (; row + 4 <= end; row += 4) {
        let to = out + <usize>row * outStride + (<usize>first << 2)
        let from = input + <usize>first * inputStride + (<usize>row << 2)
        let column = first
        for (; column + 4 <= last; column += 4) {
          const a = v128.load(from)
          const b = v128.load(from + inputStride)
          const c = v128.load(from + 2 * inputStride)
          const d = v128.load(from + 3 * inputStride)
          storeTransposed(to, outStride, a, b, c, d)
          to += 16
          from += inputStride << 2
        }
        for (; column < last; column++) {
          const x = v128.load(from)
          v128.store32_lane(to, x, 0)
          v128.store32_lane(to + outStride, x, 1)
          v128.store32_lane(to + 2 * outStride, x, 2)
          v128.store32_lane(to + 3 * outStride, x, 3)
          to += 4
          from += inputStride
        }
      }
      for (; row < end; row++) {
        let to = out + <usize>row * outStride + (<usize>first << 2)
        let from = input + <usize>first * inputStride + (<usize>row << 2)
        for (let column = first; column < last; column++) {
          store<u32>(to, load<u32>(from))
          to += 4
          from += inputStride
        }
      }
    }
  }
}

/** out(i, j) = input(i, j) for [rows, columns]; strides in elements. */
export function copy_strided_bits(
  out: usize, input: usize, rows: i32, columns: i32,
  inputRow: i32, inputColumn: i32, outRow: i32, outColumn: i32,
): void {
  const inputRowSize = <usize>inputRow << 2
  const outRowSize = <usize>outRow << 2
  if (outColumn == 1 && inputColumn == 1) {
    for (; rows > 0; rows--) {
      copyRun(out, input, columns)
      out += outRowSize
      input += inputRowSize
    }
  } else if (outColumn == 1 && inputColumn == 0) {
    // whole vectors reach into the next rows, so the last rows are filled one by one
    const short = columns <= 16 && outRow == columns ? rows - (15 / columns + 1) : 0
    if (short > 0) {
      fillShortRows(out, input, inputRowSize, short, columns)
      rows -= short
      out += <usize>short * outRowSize
      input += <usize>short * inputRowSize
    }
    for (; rows > 0; rows--) {
      fill_bits(out, load<i32>(input), columns)
      out += outRowSize
      input += inputRowSize
    }
  } else if (outColumn == 1 && inputRow == 1) {
    transpose_4x4_bits(out, input, rows, columns, outRowSize, <usize>inputColumn << 2)
  } else if (outRow == 1 && inputColumn == 1) {
    transpose_4x4_bits(out, input, columns, rows, <usize>outColumn << 2, inputRowSize)
  } else {
    copyScattered(out, input, rows, columns, inputRowSize, <usize>inputColumn << 2, outRowSize, <usize>outColumn << 2)
  }
}

/** copy_strided_bits where the rows of at most one side are contiguous; the steps are in bytes. */
@inline
function copyScattered(
  out: usize, input: usize, rows: i32, columns: i32, inputRow: usize, inputStep: usize, outRow: usize, outStep: usize,
): void {
  for (; rows > 0; rows--) {
    let to = out
    let from = input
    let i = columns
    if (outStep == 4) {
      copySpacedWords(to, from, inputStep, i)
      i = 0
    } else if (inputStep == 4) {
      for (; i >= 4; i -= 4) {
        const x = v128.load(from)
        v128.store32_lane(to, x, 0)
        to += outStep
        v128.store32_lane(to, x, 1)
        to += outStep
        v128.store32_lane(to, x, 2)
        to += outStep
        v128.store32_lane(to, x, 3)
        to += outStep
        from += 16
      }
    }
    for (; i > 0; i--) {
      store<u32>(to, load<u32>(from))
      to += outStep
      from += inputStep
    }
    out += outRow
    input += inputRow
  }
}

/** out(i, j) += input(i, j) for [rows, columns] float32; strides in elements. One rounding per element. */
export function add_strided_f32(
  out: usize, input: usize, rows: i32, columns: i32,
  inputRow: i32, inputColumn: i32, outRow: i32, outColumn: i32,
): void {
  const inputRowSize = <usize>inputRow << 2
  const outRowSize = <usize>outRow << 2
  const inputStep = <usize>inputColumn << 2
  const outStep = <usize>outColumn << 2
  for (; rows > 0; rows--) {
    let to = out
    let from = input
    let n = columns
    if (outColumn == 1 && inputColumn == 1) {
      for (; n >= 4; n -= 4) {
        v128.store(to, f32x4.add(v128.load(to), v128.load(from)))
        to += 16
        from += 16
      }
    }
    for (; n > 0; n--) {
      store<f32>(to, load<f32>(to) + load<f32>(from))
      to += outStep
      from += inputStep
    }
    out += outRowSize
    input += inputRowSize
  }
}

/** Runs a Copy, or a part of it. */
export function copy(instruction: usize, part: i32, parts: i32): void {
  moveBlocks(instruction, part, parts, false)
}

/** Runs an Accumulate, or a part of it. */
export function accumulate(instruction: usize, part: i32, parts: i32): void {
  moveBlocks(instruction, part, parts, true)
}

/**
 * Copies or adds the two innermost groups of evenly spaced dimensions as a matrix, for each index of the others. A part
 * is some of the matrices, with only some rows of the first and last, or columns if those are more.
 */
function moveBlocks(instruction: usize, part: i32, parts: i32, adds: bool): void {
  const out = load<usize>(instruction, Copy.out)
  const input = load<usize>(instruction, Copy.input)
  const first = instruction + Copy.size
  let dimension = first + <usize>load<i32>(instruction, Copy.rank) * CopyDimension.size
  let columns = 1, inputColumn = 1, outColumn = 1
  let rows = 1, inputRow = 0, outRow = 0
  while (dimension > first) {
    const inner = dimension - CopyDimension.size
    const extent = load<i32>(inner, CopyDimension.extent)
    const inputStride = load<i32>(inner, CopyDimension.inputStride)
    const outStride = load<i32>(inner, CopyDimension.outStride)
    if (columns == 1) {
      columns = extent
      if (extent != 1) {
        inputColumn = inputStride
        outColumn = outStride
      }
    } else if (extent != 1) {
      if (inputStride != inputColumn * columns || outStride != outColumn * columns) break
      columns *= extent
    }
    dimension = inner
  }
  while (dimension > first) {
    const inner = dimension - CopyDimension.size
    const extent = load<i32>(inner, CopyDimension.extent)
    const inputStride = load<i32>(inner, CopyDimension.inputStride)
    const outStride = load<i32>(inner, CopyDimension.outStride)
    if (rows == 1) {
      rows = extent
      inputRow = inputStride
      outRow = outStride
    } else if (extent != 1) {
      if (inputStride != inputRow * rows || outStride != outRow * rows) break
      rows *= extent
    }
    dimension = inner
  }
  let blocks = 1
  for (let d = first; d < dimension; d += CopyDimension.size) blocks *= load<i32>(d, CopyDimension.extent)
  if (rows == 0 || columns == 0) return
  const byRows = rows >= columns
  const extent = byRows ? rows : columns
  const end = rowPartEnd(blocks, extent, 16, part, parts)
  for (let place = rowPartStart(blocks, extent, 16, part, parts); place < end; ) {
    const block = place / extent
    const from = place - block * extent
    const items = min(extent, end - block * extent) - from
    place += items
    const skip = <usize>(from * (byRows ? outRow : outColumn)) << 2
    const inputSkip = <usize>(from * (byRows ? inputRow : inputColumn)) << 2
    moveMatrix(
      adds, out + skip, input + inputSkip, first, dimension, block, byRows ? items : rows, byRows ? columns : items,
      inputRow, inputColumn, outRow, outColumn,
    )
  }
}

/** Copies or adds a matrix, or some of its rows or columns, at index `block` of the dimensions `first` … `end`. */
@inline
function moveMatrix(
  adds: bool, out: usize, input: usize, first: usize, end: usize, block: i32, rows: i32, columns: i32,
  inputRow: i32, inputColumn: i32, outRow: i32, outColumn: i32,
): void {
  let inputOffset = 0
  let outOffset = 0
  for (let d = end; d > first; ) {
    d -= CopyDimension.size
    const extent = load<i32>(d, CopyDimension.extent)
    const index = block % extent
    block /= extent
    inputOffset += index * load<i32>(d, CopyDimension.inputStride)
    outOffset += index * load<i32>(d, CopyDimension.outStride)
  }
  out += <usize>outOffset << 2
  input += <usize>inputOffset << 2
  if (adds) add_strided_f32(out, input, rows, columns, inputRow, inputColumn, outRow, outColumn)
  else copy_strided_bits(out, input, rows, columns, inputRow, inputColumn, outRow, outColumn)
}

/** out [n] = word. The engine writes many zeros faster than vectors do: a million of them 1.7 times as fast. */
export function fill_bits(out: usize, word: i32, n: i32): void {
  if (n > 256 && word == 0) memory.fill(out, 0, <usize>n << 2)
  else fillWords(out, word, n)
}

/** Runs a Fill, or a part of its elements. */
export function fill(instruction: usize, part: i32, parts: i32): void {
  const count = load<i32>(instruction, Fill.count)
  const first = partStart(count, 16, part, parts)
  fill_bits(
    load<usize>(instruction, Fill.out) + (<usize>first << 2), load<i32>(instruction, Fill.value),
    partEnd(count, 16, part, parts) - first,
  )
}
