// The index of the extreme along the middle axis of [outer, axis, inner]: the first index of the largest or smallest
// element, or of the first NaN. reduce.ts reduces values, reduce-i32.ts integers.

import { Extreme, Reduction } from '../shared/opcodes'
import { rowPartEnd, rowPartStart } from '../parts'
import { ArgReduce } from '../shared/instructions'
import { store_up_to_4, swapHalves, swapNeighbours } from '../simd'
import { extremeRun, identity, pickExtreme } from './extremes'
import { argMax_i32, argMin_i32 } from './reduce-i32'

/** Elements whose extreme is taken at once; only the first such block with the result is searched. */
const BLOCK = 256

@inline
function argRows(reduction: Reduction, out: usize, input: usize, rows: i32, axis: i32): void {
  for (; rows > 0; rows--) {
    // first the value, then its first index
    let best = identity(reduction), nan = i32x4.splat(0)
    let index = 0
    for (let start = 0; start < axis; start += BLOCK) {
      const block = input + (<usize>start << 2), n = min(axis - start, BLOCK)
      let y = extremeRun(reduction, block, n)
      nan = v128.or(nan, f32x4.ne(y, y))
      y = pickExtreme(reduction, y, swapHalves(y))
      y = pickExtreme(reduction, y, swapNeighbours(y))
      const isBetter = reduction == Reduction.Max ? f32x4.gt(y, best) : f32x4.lt(y, best)
      best = pickExtreme(reduction, best, y)
      index = i32x4.extract_lane(isBetter, 0) ? start : index
    }
    if (v128.any_true(nan)) {
      index = -1
      let x: f32
      do x = load<f32>(input + (<usize>++index << 2))
      while (x == x)
    } else {
      // Sixteen at a time: leaving in the middle costs a mispredicted branch. The search stops inside the row, because the row
      // contains the value.
      let pointer = input + (<usize>index << 2), found = 0
      while (true) {
        const is0 = f32x4.eq(v128.load(pointer), best), is1 = f32x4.eq(v128.load(pointer, 16), best)
        const is2 = f32x4.eq(v128.load(pointer, 32), best), is3 = f32x4.eq(v128.load(pointer, 48), best)
        found = i32x4.bitmask(is0) | i32x4.bitmask(is1) << 4 | i32x4.bitmask(is2) << 8 | i32x4.bitmask(is3) << 12
        if (found) break
        pointer += 64
      }
      index = <i32>(pointer - input >> 2) + ctz(found)
    }
    store<i32>(out, index)
    out += 4
    input += <usize>axis << 2
  }
}

/** The first index of the largest element of each row, or of the first NaN. */
export function argMax_rows_f32(out: usize, input: usize, rows: i32, axis: i32): void {
  argRows(Reduction.Max, out, input, rows, axis)
}

/** The first index of the smallest element of each row, or of the first NaN. */
export function argMin_rows_f32(out: usize, input: usize, rows: i32, axis: i32): void {
  argRows(Reduction.Min, out, input, rows, axis)
}

/** The same over columns. */
export function argReduce_columns_f32(
  out: usize, input: usize, outer: i32, axis: i32, inner: i32, first: i32, end: i32, extreme: Extreme,
): void {
  // the smallest is the largest of −x
  const flip = i32x4.splat(extreme == Extreme.Min ? 0x80000000 : 0)
  const rowSize = <usize>inner << 2
  for (; outer > 0; outer--) {
    const last = outer == 1 ? end : inner
    for (let column = first; column < last; column += 4) {
      let pointer = input + (<usize>column << 2)
      let best = v128.xor(v128.load(pointer), flip)
      let bestIndex = i32x4.splat(0)
      for (let i = 1; i < axis; i++) {
        pointer += rowSize
        const x = v128.xor(v128.load(pointer), flip)
        // larger, or the first NaN
        const wins = v128.and(v128.not(f32x4.le(x, best)), f32x4.eq(best, best))
        best = v128.bitselect(x, best, wins)
        bestIndex = v128.bitselect(i32x4.splat(i), bestIndex, wins)
      }
      store_up_to_4(out + (<usize>column << 2), bestIndex, last - column)
    }
    first = 0
    out += rowSize
    input += <usize>axis * rowSize
  }
}

/** Runs an ArgReduce, or a part of its results. An empty axis gives 0. */
export function argReduce(instruction: usize, part: i32, parts: i32): void {
  let out = load<usize>(instruction, ArgReduce.out)
  let input = load<usize>(instruction, ArgReduce.input)
  let outer = load<i32>(instruction, ArgReduce.outer)
  const axis = load<i32>(instruction, ArgReduce.axis)
  const inner = load<i32>(instruction, ArgReduce.inner)
  const extreme: Extreme = load<i32>(instruction, ArgReduce.extreme)
  let first = 0
  let end = inner
  if (parts > 1) {
    const begin = rowPartStart(outer, inner, 16, part, parts)
    const stop = rowPartEnd(outer, inner, 16, part, parts)
    if (begin == stop) return
    const row = begin / inner
    first = begin - row * inner
    outer = (stop - 1) / inner - row + 1
    end = stop - (row + outer - 1) * inner
    out += <usize>row * (<usize>inner << 2)
    input += <usize>(row * axis) * (<usize>inner << 2)
  }
  if (extreme == Extreme.MaxI32) argMax_i32(out, input, outer, axis, inner, first, end)
  else if (extreme == Extreme.MinI32) argMin_i32(out, input, outer, axis, inner, first, end)
  else if (inner != 1 || axis == 0) argReduce_columns_f32(out, input, outer, axis, inner, first, end, extreme)
  else if (extreme == Extreme.Max) argMax_rows_f32(out, input, outer, axis)
  else argMin_rows_f32(out, input, outer, axis)
}
