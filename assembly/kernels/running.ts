// Running sums and products, and linear recurrences, along the middle axis of [outer, axis, inner]. float32 is summed in
// float64, so that the error does not grow with the length.

import { Running } from '../shared/instructions'
import { RunningFold } from '../shared/opcodes'

@inline
function step(fold: RunningFold, before: f64, x: f32, factor: usize): f64 {
  if (fold == RunningFold.Sum) return before + <f64>x
  if (fold == RunningFold.Product) return before * <f64>x
  return <f64>load<f32>(factor) * before + <f64>x
}

/** A row of n elements, `stride` bytes apart; the stride is negative from the end on. */
@inline
function runRow(fold: RunningFold, out: usize, input: usize, factor: usize, n: i32, stride: isize): void {
  let result: f64 = fold == RunningFold.Product ? 1 : 0
  for (; n > 0; n--) {
    result = step(fold, result, load<f32>(input), factor)
    store<f32>(out, <f32>result)
    out += stride
    input += stride
    factor += stride
  }
}

/** Four neighbouring columns of a Sum or an Affine. */
@inline
function runColumns(fold: RunningFold, out: usize, input: usize, factor: usize, n: i32, stride: isize): void {
  let low = f64x2.splat(0)
  let high = low
  for (; n > 0; n--) {
    const x = v128.load(input)
    if (fold == RunningFold.Affine) {
      const f = v128.load(factor)
      low = f64x2.mul(low, f64x2.promote_low_f32x4(f))
      high = f64x2.mul(high, f64x2.promote_low_f32x4(v128.shuffle<i64>(f, f, 1, 1)))
      factor += stride
    }
    low = f64x2.add(low, f64x2.promote_low_f32x4(x))
    high = f64x2.add(high, f64x2.promote_low_f32x4(v128.shuffle<i64>(x, x, 1, 1)))
    v128.store(out, v128.shuffle<i64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2))
    out += stride
    input += stride
  }
}

/** Four neighbouring columns of a SumI32. */
@inline
function runIntegerColumns(out: usize, input: usize, n: i32, stride: isize): void {
  let sums = i32x4.splat(0)
  for (; n > 0; n--) {
    sums = i32x4.add(sums, v128.load(input))
    v128.store(out, sums)
    out += stride
    input += stride
  }
}

@inline
function runIntegers(isProduct: bool, out: usize, input: usize, n: i32, stride: isize): void {
  let result: i32 = isProduct ? 1 : 0
  if (!isProduct && stride == 4) {
    // the sums within a vector, and the last sum before it
    const zero = i32x4.splat(0)
    let before = zero
    for (; n >= 4; n -= 4) {
      let x = v128.load(input)
      x = i32x4.add(x, v128.shuffle<i32>(zero, x, 0, 4, 5, 6))
      x = i32x4.add(x, v128.shuffle<i32>(zero, x, 0, 0, 4, 5))
      x = i32x4.add(x, before)
      v128.store(out, x)
      before = v128.shuffle<i32>(x, x, 3, 3, 3, 3)
      out += 16
      input += 16
    }
    result = i32x4.extract_lane(before, 0)
  }
  for (; n > 0; n--) {
    result = isProduct ? result * load<i32>(input) : result + load<i32>(input)
    store<i32>(out, result)
    out += stride
    input += stride
  }
}

// Separate functions, because they are called often enough to be optimised within the first large instruction.

export function run_row(fold: RunningFold, out: usize, input: usize, factor: usize, n: i32, stride: isize): void {
  if (fold == RunningFold.Sum) runRow(RunningFold.Sum, out, input, factor, n, stride)
  else if (fold == RunningFold.Product) runRow(RunningFold.Product, out, input, factor, n, stride)
  else if (fold == RunningFold.SumI32) runIntegers(false, out, input, n, stride)
  else if (fold == RunningFold.ProductI32) runIntegers(true, out, input, n, stride)
  else runRow(RunningFold.Affine, out, input, factor, n, stride)
}

export function run_columns(fold: RunningFold, out: usize, input: usize, factor: usize, n: i32, stride: isize): void {
  if (fold == RunningFold.Sum) runColumns(RunningFold.Sum, out, input, factor, n, stride)
  else if (fold == RunningFold.SumI32) runIntegerColumns(out, input, n, stride)
  else runColumns(RunningFold.Affine, out, input, factor, n, stride)
}

/** Runs a Running. */
export function running(instruction: usize, _part: i32, _parts: i32): void {
  let out = load<usize>(instruction, Running.out)
  let input = load<usize>(instruction, Running.input)
  let factor = load<usize>(instruction, Running.factor)
  const axis = load<i32>(instruction, Running.axis)
  const inner = load<i32>(instruction, Running.inner)
  const fold: RunningFold = load<i32>(instruction, Running.fold)
  const rowSize = <isize>inner << 2
  const block = <usize>axis * rowSize
  const hasColumns = fold == RunningFold.Sum || fold == RunningFold.SumI32 || fold == RunningFold.Affine
  let stride = rowSize
  if (load<i32>(instruction, Running.isBackwards)) {
    const end = block - rowSize
    out += end
    input += end
    factor += end
    stride = -rowSize
  }
  for (let outer = load<i32>(instruction, Running.outer); outer > 0; outer--) {
    let column = 0
    for (; hasColumns && column + 4 <= inner; column += 4) {
      const offset = <usize>column << 2
      run_columns(fold, out + offset, input + offset, factor + offset, axis, stride)
    }
    for (; column < inner; column++) {
      const offset = <usize>column << 2
      run_row(fold, out + offset, input + offset, factor + offset, axis, stride)
    }
    out += block
    input += block
    factor += block
  }
}
