// Attention of one query, as each token of a text has it: the scores of its keys are a product of a matrix and a vector, and the
// result is the product of their exponentials and the values. All scores lie in scratch.
//
//   scratch   query · scale │ scores │ mask or bias

import { expFactor, log } from '../math'
import { ATTENTION_FEATURES, Attention, GEMM_SCRATCH } from '../shared/instructions'
import { copySpacedWords, pmaxLanes, scaleRow, sumLanes } from '../simd'
import { meanOfRows, placed, placedOrNone, stride } from './attention-places'
import { gemv_columns_f32, gemv_rows_f32 } from './gemm-vector'

const SCORES: usize = 4 * 8 * ATTENTION_FEATURES
/** The most columns whose scores fit into scratch, with as many words of a mask. Vectors may be written up to 3 words further. */
const MOST_COLUMNS: i32 = ((GEMM_SCRATCH - <i32>SCORES) >> 3) - 4
const OTHERS: usize = SCORES + 4 * (MOST_COLUMNS + 4)

/** Whether `attendRow` can compute an Attention. */
export function fitsRow(instruction: usize): bool {
  return load<i32>(instruction, Attention.rows) == 1 && load<i32>(instruction, Attention.columns) <= MOST_COLUMNS
}

/** scores += bias */
function addWords(scores: usize, bias: usize, count: i32): void {
  for (; count > 0; count -= 4, scores += 16, bias += 16) v128.store(scores, f32x4.add(v128.load(scores), v128.load(bias)))
}

/** scores = −∞ where mask = 0 */
function hide(scores: usize, mask: usize, count: i32): void {
  for (; count > 0; count -= 4, scores += 16, mask += 16) {
    v128.store(scores, v128.bitselect(f32x4.splat(-Infinity), v128.load(scores), i32x4.eq(v128.load(mask), i32x4.splat(0))))
  }
}

/** The largest score. Skips NaN. */
function largestOf(scores: usize, count: i32): f32 {
  let largest = f32x4.splat(-Infinity)
  for (; count > 0; count -= 4, scores += 16) largest = f32x4.pmax(largest, v128.load(scores))
  return f32x4.extract_lane(pmaxLanes(largest), 0)
}

/** scores = e^(scores − shift), for a shift that no score is above. Returns their sum. */
function exponentials(scores: usize, count: i32, shift: f32): f32 {
  let sum = f32x4.splat(0.0)
  for (; count > 0; count -= 4, scores += 16) {
    const e = expFactor(f32x4.sub(v128.load(scores), f32x4.splat(shift)))
    v128.store(scores, e)
    sum = f32x4.add(sum, e)
  }
  return f32x4.extract_lane(sumLanes(sum), 0)
}

/** Computes the only row of one head. */
export function attendRow(instruction: usize, b: i32, h: i32, scratch: usize): void {
  const heads = load<i32>(instruction, Attention.heads), columns = load<i32>(instruction, Attention.columns)
  const depth = load<i32>(instruction, Attention.depth), width = load<i32>(instruction, Attention.width)
  const g = h * load<i32>(instruction, Attention.keyHeads) / heads
  const keyRow = stride(instruction, Attention.keyRow), valueRow = stride(instruction, Attention.valueRow)
  const query = load<usize>(instruction, Attention.query) + placed(instruction, Attention.queryBatch, b, Attention.queryHead, h)
  const key = load<usize>(instruction, Attention.key) + placed(instruction, Attention.keyBatch, b, Attention.keyHead, g)
  const value = load<usize>(instruction, Attention.value) + placed(instruction, Attention.valueBatch, b, Attention.valueHead, g)
  const mask = placedOrNone(instruction, Attention.mask, Attention.maskBatch, b, Attention.maskHead, h)
  const bias = placedOrNone(instruction, Attention.bias, Attention.biasBatch, b, Attention.biasHead, h)
  const maskColumn = stride(instruction, Attention.maskColumn), biasColumn = stride(instruction, Attention.biasColumn)
  const place = <usize>(b * heads + h)
  const out = load<usize>(instruction, Attention.out) + (place * <usize>width << 2)
  const logSum = load<usize>(instruction, Attention.logSum) + (place << 2)

  // Only the columns between the first and the last that are seen. The row is row 0 of the band.
  let first = 0, last = min(columns, load<i32>(instruction, Attention.after) + 1)
  if (mask) {
    while (first < last && !load<i32>(mask + <usize>first * maskColumn)) first++
    while (first < last && !load<i32>(mask + <usize>(last - 1) * maskColumn)) last--
  }
  const count = last - first
  const scores = scratch + SCORES, others = scratch + OTHERS
  scaleRow(scratch, query, depth, f32x4.splat(load<f32>(instruction, Attention.scale)))
  gemv_rows_f32(scores, key + <usize>first * keyRow, keyRow, scratch, count, depth, 0, false, -Infinity)
  if (bias) {
    copySpacedWords(others, bias + <usize>first * biasColumn, biasColumn, count)
    addWords(scores, others, count)
  }
  if (mask) {
    copySpacedWords(others, mask + <usize>first * maskColumn, maskColumn, count)
    hide(scores, others, count)
  }
  // The lanes after the last score have the exponential 0.
  v128.store(scores + (<usize>count << 2), f32x4.splat(-Infinity))
  const largest = largestOf(scores, count)
  // With nothing seen, −∞ − −∞ would be NaN.
  const sum = exponentials(scores, count, largest == -Infinity ? 0 : largest)
  if (sum == 0.0) {
    store<f32>(logSum, Infinity)
    meanOfRows(out, value, valueRow, columns, width)
    return
  }
  store<f32>(logSum, largest + f32x4.extract_lane(log(f32x4.splat(sum)), 0))
  gemv_columns_f32(out, scores, 4, value + <usize>first * valueRow, valueRow, 32, width, count, 0, false, -Infinity)
  scaleRow(out, out, width, f32x4.splat(<f32>1.0 / sum))
}
