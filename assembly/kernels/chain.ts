// The Chain instruction: an elementwise program that runs tile by tile, so that its temporaries stay in the first-level
// cache. Computes the address of each register; the functions of steps/ compute the steps.

import { Access } from '../shared/opcodes'
import { partEnd, partStart } from '../parts'
import { Chain, ChainOperand, ChainStep, GEMM_SCRATCH } from '../shared/instructions'
import { copySpacedWords, copyWords, fillShortRows, fillWords } from '../simd'

/** The address of register `index`, from the table of pointers at the start of scratch. */
@inline
function register(table: usize, index: usize): usize {
  return load<usize>(table + (index << 2))
}

// A strided operand is read as blocks of rows of columns. The innermost dimensions are columns as long as one stride
// describes them, the next ones are rows as long as another stride describes them, and the others count the blocks.
//
//   element i of the result:  column = i mod columns,  row = (i / columns) mod rows,  block = i / columns / rows
//   bias [n] over [m,n]:      columns = n, columnStride = 1, rows = m, rowStride = 0
//   column [m,1] over [m,n]:  columns = n, columnStride = 0, rows = m, rowStride = 1

/**
 * Gathers elements start … start+count−1 of a strided operand into `target`. With `again`, `target` still holds an earlier
 * tile, with at least as many elements, that began a multiple of `tile` elements before: it is kept if it is the same.
 */
export function gatherStrided(
  target: usize, source: usize, dims: usize, strides: usize, rank: i32,
  start: i32, count: i32, tile: i32, again: bool,
): void {
  let columns = 1, columnStride = 0, rows = 1, rowStride = 0
  let outer = rank
  while (outer > 0) {
    const extent = load<i32>(dims + (<usize>(outer - 1) << 2))
    const stride = load<i32>(strides + (<usize>(outer - 1) << 2))
    if (columns == 1) {
      columns = extent
      columnStride = stride
    } else if (extent != 1) {
      if (stride != columnStride * columns) break
      columns *= extent
    }
    outer--
  }
  while (outer > 0) {
    const extent = load<i32>(dims + (<usize>(outer - 1) << 2))
    const stride = load<i32>(strides + (<usize>(outer - 1) << 2))
    if (rows == 1) {
      rows = extent
      rowStride = stride
    } else if (extent != 1) {
      if (stride != rowStride * rows) break
      rows *= extent
    }
    outer--
  }
  const isPeriodic = outer == 0 && (rowStride == 0 || rows == 1)
  if (again && isPeriodic && tile % columns == 0) return
  const period = isPeriodic ? columns : count
  gatherBlocks(target, source, dims, strides, outer, rows, rowStride, columns, columnStride, start, min(count, period))
  // the period is repeated by copying what is written already, twice as many elements each time
  for (let done = period; done < count; done <<= 1) {
    copyWords(target + (<usize>done << 2), target, min(done, count - done))
  }
}

/** Gathers `count` elements from element `start` on, of blocks of rows of columns. `outer` is the number of the dimensions of blocks. */
@inline
function gatherBlocks(
  target: usize, source: usize, dims: usize, strides: usize, outer: i32,
  rows: i32, rowStride: i32, columns: i32, columnStride: i32, start: i32, count: i32,
): void {
  let column = start % columns
  let rest = start / columns
  let row = rest % rows
  let block = rest / rows
  let base = source + blockOffset(block, dims, strides, outer)
  while (count > 0) {
    let run = min(columns - column, count)
    const from = base + (<usize>(row * rowStride + column * columnStride) << 2)
    if (columnStride == 1) {
      copyWords(target, from, run)
    } else if (columnStride == 0) {
      if (columns <= 16 && column == 0 && count > columns + 16) {
        const many = min(rows - row, (count - 16) / columns)
        fillShortRows(target, from, <usize>rowStride << 2, many, columns)
        row += many - 1
        run *= many
      } else {
        fillWords(target, load<i32>(from), run)
      }
    } else {
      copySpacedWords(target, from, <usize>columnStride << 2, run)
    }
    count -= run
    target += <usize>run << 2
    column = 0
    if (++row == rows) {
      row = 0
      if (count > 0) base = source + blockOffset(++block, dims, strides, outer)
    }
  }
}

/** The byte offset of block `block` in an operand; blocks count through the outer `rank` dimensions. */
@inline
function blockOffset(block: i32, dims: usize, strides: usize, rank: i32): usize {
  let offset = 0
  for (let d = rank - 1; d >= 0; d--) {
    const extent = load<i32>(dims + (<usize>d << 2))
    offset += block % extent * load<i32>(strides + (<usize>d << 2))
    block /= extent
  }
  return <usize>offset << 2
}

/** The number of elements after which an operand repeats itself (a bias: its columns); 0 if there is no such number. */
@inline
function periodOf(dims: usize, strides: usize, rank: i32): i32 {
  let period = 1
  let d = rank - 1
  for (; d >= 0; d--) {
    if (load<i32>(strides + (<usize>d << 2)) == 0) break
    period *= load<i32>(dims + (<usize>d << 2))
  }
  for (; d >= 0; d--) {
    if (load<i32>(strides + (<usize>d << 2)) != 0) return 0
  }
  return period
}

/** The largest multiple of four periods within a tile, else that of one period; the tile if it is shorter than one. */
@inline
function wholePeriods(tile: i32, period: i32): i32 {
  if (period << 2 <= tile) return tile - tile % (period << 2)
  return period <= tile ? tile - tile % period : tile
}

/** Runs a Chain, or a part of its elements. */
export function chain(instruction: usize, part: i32, parts: i32): void {
  const whole = load<i32>(instruction, Chain.count)
  const first = partStart(whole, 16, part, parts)
  const end = partEnd(whole, 16, part, parts)
  const count = end - first
  let tile = load<i32>(instruction, Chain.tile)
  const rank = load<i32>(instruction, Chain.rank)
  const operandCount = load<i32>(instruction, Chain.operandCount)
  const outputCount = load<i32>(instruction, Chain.outputCount)
  const stepCount = load<i32>(instruction, Chain.stepCount)
  const registerCount = load<i32>(instruction, Chain.registerCount)
  const table = load<usize>(instruction, Chain.scratch) + part * GEMM_SCRATCH
  if (count == 0) return

  const dims = instruction + Chain.size
  const operands = dims + (<usize>rank << 2)
  const operandSize = <usize>ChainOperand.size + (<usize>rank << 2)
  const outputs = operands + <usize>operandCount * operandSize
  const program = outputs + (<usize>outputCount << 2)
  const programEnd = program + <usize>stepCount * ChainStep.size

  const firstTemporary = <usize>(operandCount + outputCount)
  const firstByte = <usize>first << 2

  // the slots of registers in scratch are a whole tile apart, even if fewer of their elements are used
  const slotSize = <usize>tile << 2
  let slot = (table + (<usize>registerCount << 2) + 15) & ~15
  let pointer = table
  let strided = false
  if (tile > count) tile = count
  for (let operand = operands; operand < outputs; operand += operandSize) {
    const access: Access = load<i32>(operand, ChainOperand.access)
    const address = load<usize>(operand, ChainOperand.address)
    store<usize>(pointer, access == Access.Contiguous ? address + firstByte : slot)
    if (access == Access.Scalar) fillWords(slot, load<i32>(address), tile)
    if (access == Access.Strided) {
      strided = true
      // shortens the tile to whole periods, so that such an operand is gathered only for the first tile
      const period = periodOf(dims, operand + ChainOperand.size, rank)
      if (period && tile < count) tile = wholePeriods(tile, period)
    }
    slot += slotSize
    pointer += 4
  }
  placeResults(pointer, table + (<usize>registerCount << 2), outputs, program, slot, slotSize, firstByte)

  for (let start = first; ; ) {
    const n = min(tile, end - start)
    if (strided) gatherOperands(table, operands, outputs, operandSize, dims, rank, start, n, tile, start > first)
    runSteps(table, program, programEnd, firstTemporary, n)
    start += tile
    if (start >= end) return
    advance(table, operands, outputs, program, operandSize, <usize>tile << 2)
  }
}

/** Writes the addresses of the registers of outputs, which also have unused slots, and of temporaries. */
@inline
function placeResults(
  pointer: usize, end: usize, outputs: usize, outputsEnd: usize, slot: usize, slotSize: usize, firstByte: usize,
): void {
  for (let output = outputs; output < outputsEnd; output += 4) {
    store<usize>(pointer, load<usize>(output) + firstByte)
    slot += slotSize
    pointer += 4
  }
  for (; pointer < end; pointer += 4) {
    store<usize>(pointer, slot)
    slot += slotSize
  }
}

/** Gathers elements start … start+count−1 of every strided operand into its register. */
@inline
function gatherOperands(
  table: usize, operands: usize, end: usize, operandSize: usize, dims: usize, rank: i32,
  start: i32, count: i32, tile: i32, again: bool,
): void {
  let pointer = table
  for (let operand = operands; operand < end; operand += operandSize) {
    if (load<i32>(operand, ChainOperand.access) == Access.Strided) {
      gatherStrided(
        load<usize>(pointer), load<usize>(operand, ChainOperand.address), dims, operand + ChainOperand.size, rank,
        start, count, tile, again,
      )
    }
    pointer += 4
  }
}

/** Runs all steps on `count` elements. */
@inline
function runSteps(table: usize, program: usize, end: usize, firstTemporary: usize, count: i32): void {
  // temporaries are written in whole vectors, because reading a vector that was written in parts stalls
  const padded = count + 3 & ~3
  for (let step = program; step < end; step += ChainStep.size) {
    const index = load<usize>(step, ChainStep.target)
    // each step is a function in the table, at its number
    call_indirect<void>(
      load<u32>(step, ChainStep.step),
      register(table, index),
      register(table, load<usize>(step, ChainStep.a)),
      register(table, load<usize>(step, ChainStep.b)),
      index < firstTemporary ? count : padded,
      register(table, load<usize>(step, ChainStep.c)),
    )
  }
}

/** Moves the registers of contiguous operands and of outputs on by `bytes`. */
@inline
function advance(
  table: usize, operands: usize, outputs: usize, program: usize, operandSize: usize, bytes: usize,
): void {
  let pointer = table
  for (let operand = operands; operand < outputs; operand += operandSize) {
    if (load<i32>(operand, ChainOperand.access) == Access.Contiguous) {
      store<usize>(pointer, load<usize>(pointer) + bytes)
    }
    pointer += 4
  }
  for (let output = outputs; output < program; output += 4) {
    store<usize>(pointer, load<usize>(pointer) + bytes)
    pointer += 4
  }
}
