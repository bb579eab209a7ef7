// softmax and log-softmax over the rows of [rows, columns], and the cross-entropy of softmax with its gradient.
//
// Rows are processed in blocks that stay in the first-level cache, step by step: first the exponentials (of short rows
// as one run over the whole block), then the steps with one number per row, four rows at a time. For rows of ten
// columns that is 1.3 times (log-softmax: twice) as fast as row by row. The result of a row does not depend on its
// neighbours.

import { SoftmaxKind, TargetKind } from '../shared/opcodes'
import { partEnd, partStart } from '../parts'
import { CrossEntropy, CrossEntropyGradient, GEMM_SCRATCH, Softmax } from '../shared/instructions'
import { fillWords, firstLane, pmaxLanes, push, rowProduct, scaleRow, storeTail, sumLanes, tailMask } from '../simd'
import { expFactor, expFlushed, log } from '../math'

/** Floats in a block, unless one row alone is longer. */
const BLOCK = 1024

/** How many rows make a block: a multiple of 4 where possible, because four rows share a logarithm or a division. */
@inline
function blockRows(columns: i32): i32 {
  const fitting = BLOCK / max(columns, 1)
  return fitting >= 4 ? fitting & ~3 : 4
}

/** The largest of `n` ≥ 1 floats in every lane; skips NaN. */
@inline
function rowMaximum(pointer: usize, n: i32): v128 {
  let m0 = f32x4.splat(-Infinity)
  let m1 = m0
  for (; n >= 8; n -= 8) {
    m0 = f32x4.pmax(m0, v128.load(pointer))
    m1 = f32x4.pmax(m1, v128.load(pointer, 16))
    pointer += 32
  }
  if (n >= 4) {
    m0 = f32x4.pmax(m0, v128.load(pointer))
    pointer += 16
    n -= 4
  }
  if (n > 0) m1 = f32x4.pmax(m1, v128.bitselect(v128.load(pointer), m1, tailMask(n)))
  return pmaxLanes(f32x4.pmax(m0, m1))
}

// y = x − max x. In place safe.
export function subtractMaximum_rows_f32(out: usize, input: usize, rows: i32, columns: i32): void {
  for (; rows > 0; rows--) {
    const m = rowMaximum(input, columns)
    let n = columns
    for (; n >= 4; n -= 4) {
      v128.store(out, f32x4.sub(v128.load(input), m))
      out += 16
      input += 16
    }
    if (n > 0) {
      storeTail(out, f32x4.sub(v128.load(input), m), n)
      out += <usize>n << 2
      input += <usize>n << 2
    }
  }
}

// y = e^(x − m) for x ≤ m or NaN; 0 where that would be denormal, as it is for masked scores. In place safe.
export function exponentials_f32(out: usize, input: usize, count: i32, m: f32): void {
  for (; count >= 4; count -= 4) {
    v128.store(out, expFlushed(f32x4.sub(v128.load(input), f32x4.splat(m))))
    out += 16
    input += 16
  }
  if (count > 0) storeTail(out, expFlushed(f32x4.sub(v128.load(input), f32x4.splat(m))), count)
}

// y = e^x for x ≤ 0 or NaN, 0 where it counts as 0 in a product. In place safe.
export function exponentialFactors_f32(out: usize, input: usize, count: i32): void {
  for (; count >= 4; count -= 4) {
    v128.store(out, expFactor(v128.load(input)))
    out += 16
    input += 16
  }
  if (count > 0) storeTail(out, expFactor(v128.load(input)), count)
}

/** The exponentials of rows with fewer columns are computed together. */
const LONG_ROW = 32

// y = e^(x − m),  m = max x. In place safe.
export function exponentials_rows_f32(out: usize, input: usize, rows: i32, columns: i32): void {
  if (columns < LONG_ROW) {
    subtractMaximum_rows_f32(out, input, rows, columns)
    exponentials_f32(out, out, rows * columns, 0.0)
    return
  }
  const rowSize = <usize>columns << 2
  for (; rows > 0; rows--) {
    exponentials_f32(out, input, columns, f32x4.extract_lane(rowMaximum(input, columns), 0))
    out += rowSize
    input += rowSize
  }
}

/** Σ x of a row in every lane, in runs of 256, so that long rows lose no precision. */
@inline
function rowSum(pointer: usize, n: i32): v128 {
  let total = f32x4.splat(0.0)
  while (n >= 4) {
    let sum = f32x4.splat(0.0)
    const whole = min(n, 256) & ~3
    for (const end = pointer + (<usize>whole << 2); pointer < end; pointer += 16) sum = f32x4.add(sum, v128.load(pointer))
    n -= whole
    total = f32x4.add(total, sum)
  }
  if (n > 0) total = f32x4.add(total, v128.and(v128.load(pointer), tailMask(n)))
  return sumLanes(total)
}

/** The sums of up to four rows. */
@inline
function rowSums(pointer: usize, rows: i32, columns: i32): v128 {
  const rowSize = <usize>columns << 2
  let sums = rowSum(pointer, columns)
  // a missing row repeats the last one
  for (let row = 1; row < 4; row++) {
    if (row < rows) pointer += rowSize
    sums = push(sums, rowSum(pointer, columns))
  }
  return sums
}

// y = e^(x − m) / Σ e^(x − m),  m = max x. A row that holds NaN or +Inf, or −Inf only, becomes NaN. In place safe.
export function softmax_rows_f32(out: usize, input: usize, rows: i32, columns: i32): void {
  const rowSize = <usize>columns << 2
  const group = blockRows(columns)
  for (; rows > 0; rows -= group) {
    const inBlock = min(rows, group)
    exponentials_rows_f32(out, input, inBlock, columns)
    input += <usize>inBlock * rowSize
    for (let left = inBlock; left > 0; left -= 4) {
      let scales = f32x4.div(f32x4.splat(1.0), rowSums(out, left, columns))
      for (let row = min(left, 4); row > 0; row--) {
        scaleRow(out, out, columns, firstLane(scales))
        scales = push(scales, scales)
        out += rowSize
      }
    }
  }
}

/** out = (input − a) − b */
@inline
function subtractFromRow(out: usize, input: usize, columns: i32, a: v128, b: v128): void {
  for (; columns >= 4; columns -= 4) {
    v128.store(out, f32x4.sub(f32x4.sub(v128.load(input), a), b))
    out += 16
    input += 16
  }
  if (columns > 0) storeTail(out, f32x4.sub(f32x4.sub(v128.load(input), a), b), columns)
}

// y = (x − m) − ln Σ e^(x − m). In place safe. The exponentials of a block pass through `scratch`.
export function logSoftmax_rows_f32(out: usize, input: usize, rows: i32, columns: i32, scratch: usize): void {
  const rowSize = <usize>columns << 2
  if (columns >= LONG_ROW) {
    for (; rows > 0; rows--) {
      const m = rowMaximum(input, columns)
      let total = f32x4.splat(0.0)
      for (let done = 0; done < columns; done += BLOCK) {
        const n = min(columns - done, BLOCK)
        exponentials_f32(scratch, input + (<usize>done << 2), n, f32x4.extract_lane(m, 0))
        total = f32x4.add(total, rowSum(scratch, n))
      }
      subtractFromRow(out, input, columns, m, log(total))
      out += rowSize
      input += rowSize
    }
    return
  }
  const group = blockRows(columns)
  for (; rows > 0; rows -= group) {
    const inBlock = min(rows, group)
    subtractMaximum_rows_f32(out, input, inBlock, columns)
    exponentials_f32(scratch, out, inBlock * columns, 0.0)
    input += <usize>inBlock * rowSize
    let exponentials = scratch
    for (let left = inBlock; left > 0; left -= 4) {
      let logTotals = log(rowSums(exponentials, left, columns))
      exponentials += rowSize << 2
      for (let row = min(left, 4); row > 0; row--) {
        subtractFromRow(out, out, columns, f32x4.splat(0.0), firstLane(logTotals))
        logTotals = push(logTotals, logTotals)
        out += rowSize
      }
    }
  }
}

/** Runs a Softmax, or a part of its rows. */
export function softmax(instruction: usize, part: i32, parts: i32): void {
  const whole = load<i32>(instruction, Softmax.rows)
  const columns = load<i32>(instruction, Softmax.columns)
  const first = partStart(whole, 1, part, parts)
  const rows = partEnd(whole, 1, part, parts) - first
  const offset = <usize>first * (<usize>columns << 2)
  const out = load<usize>(instruction, Softmax.out) + offset
  const input = load<usize>(instruction, Softmax.input) + offset
  if (load<i32>(instruction, Softmax.kind) == SoftmaxKind.Softmax) softmax_rows_f32(out, input, rows, columns)
  else logSoftmax_rows_f32(out, input, rows, columns, load<usize>(instruction, Softmax.scratch) + part * GEMM_SCRATCH)
}

/** The steps of a loss that are the same for all targets: p from e^(x − m), and loss += weight · ln Σ e^(x − m). */
@inline
function finishCrossEntropy(losses: usize, p: usize, weights: v128, left: i32, columns: i32): void {
  const totals = rowSums(p, left, columns)
  // a loss with weight 0 stays as it is, NaN or not
  const added = v128.and(f32x4.mul(weights, log(totals)), f32x4.ne(weights, f32x4.splat(0.0)))
  const loss = f32x4.add(v128.load(losses), added)
  if (left >= 4) v128.store(losses, loss)
  else storeTail(losses, loss, left)
  let scales = f32x4.div(f32x4.splat(1.0), totals)
  for (let row = min(left, 4); row > 0; row--) {
    scaleRow(p, p, columns, firstLane(scales))
    scales = push(scales, scales)
    p += <usize>columns << 2
  }
}

/** 1 for each of four classes that exists, else 0. */
@inline
function existing(classes: usize, columns: i32): v128 {
  return v128.and(i32x4.lt_u(v128.load(classes), i32x4.splat(columns)), f32x4.splat(1.0))
}

// p = softmax x,  loss = −ln p[class], 0 for a class that does not exist. p may overwrite x.
export function crossEntropy_classes_f32(losses: usize, p: usize, logits: usize, classes: usize, rows: i32, columns: i32): void {
  const rowSize = <usize>columns << 2
  const group = blockRows(columns)
  for (; rows > 0; rows -= group) {
    const inBlock = min(rows, group)
    subtractMaximum_rows_f32(p, logits, inBlock, columns)
    for (let row = 0; row < inBlock; row++) {
      const index = load<i32>(classes + (<usize>row << 2))
      const exists = <u32>index < <u32>columns
      store<f32>(losses + (<usize>row << 2), exists ? -load<f32>(p + <usize>row * rowSize + (<usize>index << 2)) : 0.0)
    }
    exponentialFactors_f32(p, p, inBlock * columns)
    logits += <usize>inBlock * rowSize
    for (let left = inBlock; left > 0; left -= 4) {
      finishCrossEntropy(losses, p, existing(classes, columns), left, columns)
      losses += 16
      classes += 16
      p += rowSize << 2
    }
    // the last four may be fewer
    if (inBlock & 3) return
  }
}

// p = softmax x,  loss = −Σ t ln p. p may overwrite x.
export function crossEntropy_distributions_f32(losses: usize, p: usize, logits: usize, targets: usize, rows: i32, columns: i32): void {
  const rowSize = <usize>columns << 2
  const group = blockRows(columns)
  for (; rows > 0; rows -= group) {
    const inBlock = min(rows, group)
    subtractMaximum_rows_f32(p, logits, inBlock, columns)
    for (let row = 0; row < inBlock; row++) {
      const offset = <usize>row * rowSize
      store<f32>(losses + (<usize>row << 2), -rowProduct(targets + offset, p + offset, columns))
    }
    exponentialFactors_f32(p, p, inBlock * columns)
    logits += <usize>inBlock * rowSize
    for (let left = inBlock; left > 0; left -= 4) {
      finishCrossEntropy(losses, p, rowSums(targets, left, columns), left, columns)
      losses += 16
      targets += rowSize << 2
      p += rowSize << 2
    }
    if (inBlock & 3) return
  }
}

// dx = (p − [column = class]) · scale, 0 for a class that does not exist. In place safe.
export function crossEntropyGradient_classes_f32(
  out: usize, p: usize, classes: usize, scale: usize, scaleStep: usize, rows: i32, columns: i32,
): void {
  const rowSize = <usize>columns << 2
  for (; rows > 0; rows--) {
    const index = load<i32>(classes)
    if (<u32>index < <u32>columns) {
      const offset = <usize>index << 2
      const factor = load<f32>(scale)
      const ofClass = (load<f32>(p + offset) - 1.0) * factor
      scaleRow(out, p, columns, f32x4.splat(factor))
      store<f32>(out + offset, ofClass)
    } else {
      fillWords(out, 0, columns)
    }
    classes += 4
    scale += scaleStep
    out += rowSize
    p += rowSize
  }
}

// dx = (p · Σt − t) · scale. In place safe.
export function crossEntropyGradient_distributions_f32(
  out: usize, p: usize, targets: usize, scale: usize, scaleStep: usize, rows: i32, columns: i32,
): void {
  for (; rows > 0; rows--) {
    const sum = rowSum(targets, columns)
    const factor = v128.load32_splat(scale)
    let n = columns
    for (; n >= 4; n -= 4) {
      v128.store(out, f32x4.mul(f32x4.sub(f32x4.mul(v128.load(p), sum), v128.load(targets)), factor))
      out += 16
      p += 16
      targets += 16
    }
    if (n > 0) {
      storeTail(out, f32x4.mul(f32x4.sub(f32x4.mul(v128.load(p), sum), v128.load(targets)), factor), n)
      const rest = <usize>n << 2
      out += rest
      p += rest
      targets += rest
    }
    scale += scaleStep
  }
}

/** Runs a CrossEntropy, or a part of its rows. */
export function crossEntropy(instruction: usize, part: i32, parts: i32): void {
  const whole = load<i32>(instruction, CrossEntropy.rows)
  const columns = load<i32>(instruction, CrossEntropy.columns)
  const first = partStart(whole, 16, part, parts)
  const rows = partEnd(whole, 16, part, parts) - first
  const perRow = <usize>first << 2
  const offset = perRow * <usize>columns
  const losses = load<usize>(instruction, CrossEntropy.loss) + perRow
  const probabilities = load<usize>(instruction, CrossEntropy.probabilities) + offset
  const logits = load<usize>(instruction, CrossEntropy.logits) + offset
  const targets = load<usize>(instruction, CrossEntropy.targets)
  if (load<i32>(instruction, CrossEntropy.kind) == TargetKind.Classes) {
    crossEntropy_classes_f32(losses, probabilities, logits, targets + perRow, rows, columns)
  } else {
    crossEntropy_distributions_f32(losses, probabilities, logits, targets + offset, rows, columns)
  }
}

/** Runs a CrossEntropyGradient, or a part of its rows. */
export function crossEntropyGradient(instruction: usize, part: i32, parts: i32): void {
  const whole = load<i32>(instruction, CrossEntropyGradient.rows)
  const columns = load<i32>(instruction, CrossEntropyGradient.columns)
  const first = partStart(whole, 1, part, parts)
  const rows = partEnd(whole, 1, part, parts) - first
  const perRow = <usize>first << 2
  const offset = perRow * <usize>columns
  const scaleStep = <usize>load<i32>(instruction, CrossEntropyGradient.scaleStride) << 2
  const out = load<usize>(instruction, CrossEntropyGradient.out) + offset
  const probabilities = load<usize>(instruction, CrossEntropyGradient.probabilities) + offset
  const scale = load<usize>(instruction, CrossEntropyGradient.scale) + <usize>first * scaleStep
  const targets = load<usize>(instruction, CrossEntropyGradient.targets)
  if (load<i32>(instruction, CrossEntropyGradient.kind) == TargetKind.Classes) {
    crossEntropyGradient_classes_f32(out, probabilities, targets + perRow, scale, scaleStep, rows, columns)
  } else {
    crossEntropyGradient_distributions_f32(out, probabilities, targets + offset, scale, scaleStep, rows, columns)
  }
}
