// Attention of one query, as each token of a text has it: the scores of its keys are a product of a matrix and a vector, and the
// result is the product of their exponentials and the values. Heads that share keys and values read a block of them in turn, while
// it is in the first-level cache.
//
//   scratch   mask or bias │ for each head: query · scale │ scores

import { expFactor, log } from '../math'
import { partEnd, partStart } from '../parts'
import { ATTENTION_COLUMNS, Attention, GEMM_SCRATCH } from '../shared/instructions'
import { copySpacedWords, pmaxLanes, scaleRow, sumLanes } from '../simd'
import { meanOfRows, placed, placedOrNone, stride } from './attention-places'
import { gemv_columns_f32, gemv_rows_f32 } from './gemm-vector'

/** The bytes of a row of scratch: vectors may be written up to 3 words past its end. */
@inline
function rowBytes(words: i32): usize {
  return <usize>(words + 7 & ~3) << 2
}

/** The bytes of scratch for each head. */
@inline
function headBytes(instruction: usize): usize {
  return rowBytes(load<i32>(instruction, Attention.depth)) + rowBytes(load<i32>(instruction, Attention.columns))
}

@inline
function headsOfGroup(instruction: usize): i32 {
  return load<i32>(instruction, Attention.heads) / max(1, load<i32>(instruction, Attention.keyHeads))
}

/** Whether `attentionRow` can run an Attention. */
export function fitsRow(instruction: usize): bool {
  const columns = load<i32>(instruction, Attention.columns)
  if (load<i32>(instruction, Attention.rows) != 1 || columns > GEMM_SCRATCH >> 2) return false
  return rowBytes(columns) + <usize>headsOfGroup(instruction) * headBytes(instruction) <= <usize>GEMM_SCRATCH
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

/** The address of query, key or value for head h of sample b. */
@inline
function headOf(instruction: usize, field: usize, batchField: usize, b: i32, headField: usize, h: i32): usize {
  return load<usize>(instruction + field) + placed(instruction, batchField, b, headField, h)
}

/** The address of the result of head h of sample b. */
@inline
function outOf(instruction: usize, b: i32, h: i32): usize {
  const place = <usize>(b * load<i32>(instruction, Attention.heads) + h)
  return load<usize>(instruction, Attention.out) + (place * <usize>load<i32>(instruction, Attention.width) << 2)
}

@inline
function logSumOf(instruction: usize, b: i32, h: i32): usize {
  return load<usize>(instruction, Attention.logSum) + (<usize>(b * load<i32>(instruction, Attention.heads) + h) << 2)
}

/** Whether the mask of one of the heads shows a column. */
@inline
function isShown(mask: usize, headStep: usize, heads: i32): bool {
  for (; heads > 0; heads--, mask += headStep) if (load<i32>(mask)) return true
  return false
}

/** Computes heads from `h` to `end` of sample b, which share keys and values. */
function attendHeads(instruction: usize, b: i32, h: i32, end: i32, scratch: usize): void {
  const columns = load<i32>(instruction, Attention.columns)
  const depth = load<i32>(instruction, Attention.depth), width = load<i32>(instruction, Attention.width)
  const g = h / headsOfGroup(instruction)
  const keyRow = stride(instruction, Attention.keyRow), valueRow = stride(instruction, Attention.valueRow)
  const key = headOf(instruction, Attention.key, Attention.keyBatch, b, Attention.keyHead, g)
  const value = headOf(instruction, Attention.value, Attention.valueBatch, b, Attention.valueHead, g)
  const room = scratch + rowBytes(columns), step = headBytes(instruction), scores = rowBytes(depth)
  for (let i = h, own = room; i < end; i++, own += step) {
    const query = headOf(instruction, Attention.query, Attention.queryBatch, b, Attention.queryHead, i)
    scaleRow(own, query, depth, f32x4.splat(load<f32>(instruction, Attention.scale)))
  }
  // Only the columns from the first to the last that any of the heads sees. The row is row 0 of the band.
  let first = 0, last = min(columns, load<i32>(instruction, Attention.after) + 1)
  const mask = placedOrNone(instruction, Attention.mask, Attention.maskBatch, b, Attention.maskHead, h)
  if (mask) {
    const maskHead = stride(instruction, Attention.maskHead), maskColumn = stride(instruction, Attention.maskColumn)
    const masks = maskHead == 0 ? 1 : end - h
    while (first < last && !isShown(mask + <usize>first * maskColumn, maskHead, masks)) first++
    while (first < last && !isShown(mask + <usize>(last - 1) * maskColumn, maskHead, masks)) last--
  }
  for (let s = first; s < last; s += ATTENTION_COLUMNS) {
    const count = min(ATTENTION_COLUMNS, last - s)
    for (let i = h, own = room; i < end; i++, own += step) {
      gemv_rows_f32(
        own + scores + (<usize>(s - first) << 2), key + <usize>s * keyRow, keyRow, own, count, depth, 0, false, -Infinity,
      )
    }
  }
  for (let i = h, own = room; i < end; i++, own += step) {
    shares(instruction, b, i, first, last - first, own + scores, scratch)
  }
  for (let s = first; s < last; s += ATTENTION_COLUMNS) {
    const count = min(ATTENTION_COLUMNS, last - s)
    for (let i = h, own = room; i < end; i++, own += step) {
      const out = outOf(instruction, b, i)
      gemv_columns_f32(
        out, own + scores + (<usize>(s - first) << 2), 4, value + <usize>s * valueRow, valueRow, 32, width, count,
        s == first ? 0 : out, true, -Infinity,
      )
    }
  }
  for (let i = h; i < end; i++) {
    if (load<f32>(logSumOf(instruction, b, i)) == Infinity) meanOfRows(outOf(instruction, b, i), value, valueRow, columns, width)
  }
}

/** Turns the scores of a head into their shares of the result, and writes logSum; a row that sees nothing gets +∞. */
function shares(instruction: usize, b: i32, h: i32, first: i32, count: i32, scores: usize, room: usize): void {
  const bias = placedOrNone(instruction, Attention.bias, Attention.biasBatch, b, Attention.biasHead, h)
  if (bias) {
    const step = stride(instruction, Attention.biasColumn)
    copySpacedWords(room, bias + <usize>first * step, step, count)
    addWords(scores, room, count)
  }
  const mask = placedOrNone(instruction, Attention.mask, Attention.maskBatch, b, Attention.maskHead, h)
  if (mask) {
    const step = stride(instruction, Attention.maskColumn)
    copySpacedWords(room, mask + <usize>first * step, step, count)
    hide(scores, room, count)
  }
  // The lanes after the last score have the exponential 0.
  v128.store(scores + (<usize>count << 2), f32x4.splat(-Infinity))
  const largest = largestOf(scores, count)
  // With nothing seen, −∞ − −∞ would be NaN.
  const sum = exponentials(scores, count, largest == -Infinity ? 0 : largest)
  store<f32>(logSumOf(instruction, b, h), sum == 0.0 ? Infinity : largest + f32x4.extract_lane(log(f32x4.splat(sum)), 0))
  scaleRow(scores, scores, count, f32x4.splat(<f32>1.0 / sum))
}

/** Runs an Attention of one row, or a part of its heads. */
export function attentionRow(instruction: usize, part: i32, parts: i32): void {
  const heads = load<i32>(instruction, Attention.heads)
  // Threads share the heads of a group. A head has the same bits in any case.
  const size = parts == 1 ? headsOfGroup(instruction) : 1
  const groups = heads / size
  const count = load<i32>(instruction, Attention.batch) * groups
  const scratch = load<usize>(instruction, Attention.scratch) + part * GEMM_SCRATCH
  const end = partEnd(count, 1, part, parts)
  for (let i = partStart(count, 1, part, parts); i < end; i++) {
    const h = i % groups * size
    attendHeads(instruction, i / groups, h, h + size, scratch)
  }
}
