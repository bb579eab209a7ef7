// softmax(query · keyᵀ) · value without storing the scores, after Dao et al., "FlashAttention" (2022): a block of rows
// is combined with one block of columns at a time, while each row keeps its largest score and its sum of exponentials
// so far. The gradient recomputes the scores. gemm computes the products.
//
// The scores of a block are transposed, one query per column: maxima and sums of all queries are then vectors that need
// no horizontal reduction, keys are read without packing, and the queries of a block are packed once for all keys.
//
//   scratch   panels of gemm │ scores [columns, rows] │ their gradient, or mask or bias │ vectors │ query panels │ panels of G

import { expFactor, log } from '../math'
import { partEnd, partStart } from '../parts'
import { ATTENTION_COLUMNS, ATTENTION_FEATURES, ATTENTION_ROWS, Attention, AttentionGradient, GEMM_SCRATCH } from '../shared/instructions'
import { fillWords, rowProduct, scaleRow, storeTail, tailMask } from '../simd'
import { addRow, meanOfRows, placed, placedOrNone, stride } from './attention-places'
import { attentionRow, fitsRow } from './attention-row'
import { gemm_blocked_f32 } from './gemm'
import { pack_panels_8_f32, pack_strided_4_f32, pack_transpose_4_f32, panelBytes } from './pack'

/** Bytes from one row of a block of scores to the next. */
const STEP: usize = 4 * ATTENTION_ROWS
/** The bits of −∞. */
const NO_MAXIMUM: i32 = 0xff800000
/** Offset in scratch of the data of this kernel: gemm may pack a block of values before it. */
const OWN: usize = 4 * ATTENTION_COLUMNS * 512
/** Features of a value up to which those panels fit. */
const PACKED_WIDTH: i32 = 512
/**
 * Bytes between rows from which on the second factor of a product is packed: 1.3 times as fast for 64 rows 512 bytes
 * apart.
 */
const FAR: usize = 512
/** Rows of a first factor from which wide tiles, which read it only from panels, are faster although it has to be packed. */
const WIDE_ROWS: i32 = 24
const TILE: usize = STEP * (ATTENTION_COLUMNS + 4)
const VECTORS: usize = OWN + 3 * TILE
const PANELS: usize = VECTORS + 4 * STEP

/** Rows of a block: fewer when rows are so long that their panels would not fit. */
@inline
function blockRows(instruction: usize): i32 {
  return load<i32>(instruction, Attention.depth) + load<i32>(instruction, Attention.width) <= ATTENTION_FEATURES ? ATTENTION_ROWS : 8
}

/**
 * Whether any score of rows t … and columns s … counts: blocks outside the band, and blocks of masked keys, are
 * skipped.
 */
function isSeen(instruction: usize, mask: usize, t: i32, rows: i32, s: i32, columns: i32): bool {
  if (s > t + rows - 1 + load<i32>(instruction, Attention.after)) return false
  if (s + columns - 1 < t - load<i32>(instruction, Attention.before)) return false
  if (!mask || load<i32>(instruction, Attention.maskRow) != 0) return true
  const step = stride(instruction, Attention.maskColumn)
  let pointer = mask + <usize>s * step
  for (; columns > 0; columns--, pointer += step) if (load<i32>(pointer)) return true
  return false
}

/** target [columns, rows] = source [rows, columns] with these steps; writes up to three rows more. */
function transposeTile(target: usize, source: usize, rowStep: usize, columnStep: usize, rows: i32, columns: i32): void {
  for (; rows > 0; rows -= 4) {
    if (columnStep == 4) pack_transpose_4_f32(target, STEP, source, rowStep, rows, columns)
    else pack_strided_4_f32(target, STEP, source, rowStep, columnStep, rows, columns)
    target += 16
    source += 4 * rowStep
  }
}

/** scores += bias */
export function attention_bias_f32(scores: usize, bias: usize, rows: i32, columns: i32): void {
  for (; columns > 0; columns--, scores += STEP, bias += STEP) {
    for (let at: usize = 0; at < <usize>rows << 2; at += 16) {
      v128.store(scores + at, f32x4.add(v128.load(scores + at), v128.load(bias + at)))
    }
  }
}

/** scores = −∞ where mask = 0 */
export function attention_mask_f32(scores: usize, mask: usize, rows: i32, columns: i32): void {
  for (; columns > 0; columns--, scores += STEP, mask += STEP) {
    for (let at: usize = 0; at < <usize>rows << 2; at += 16) {
      const isMasked = i32x4.eq(v128.load(mask + at), i32x4.splat(0))
      v128.store(scores + at, v128.bitselect(f32x4.splat(-Infinity), v128.load(scores + at), isMasked))
    }
  }
}

/** scores [columns, rows] = the operand of softmax for rows t … and columns s …; `query` is packed and scaled. */
function makeScores(
  instruction: usize, scores: usize, spare: usize, query: usize, key: usize, mask: usize, bias: usize,
  t: i32, rows: i32, s: i32, columns: i32, scratch: usize,
): void {
  const depth = load<i32>(instruction, Attention.depth)
  const keyRow = stride(instruction, Attention.keyRow)
  const wide = load<i32>(instruction, Attention.wide) != 0
  gemm_blocked_f32(
    scores, key + <usize>s * keyRow, keyRow, 4, query, 32, 4, panelBytes(8, depth),
    columns, rows, depth, 0, 0, -Infinity, scratch, ATTENTION_ROWS, false, wide && columns >= WIDE_ROWS, wide,
  )
  if (bias) {
    const rowStep = stride(instruction, Attention.biasRow), columnStep = stride(instruction, Attention.biasColumn)
    transposeTile(spare, bias + <usize>t * rowStep + <usize>s * columnStep, rowStep, columnStep, rows, columns)
    attention_bias_f32(scores, spare, rows, columns)
  }
  if (mask) {
    const rowStep = stride(instruction, Attention.maskRow), columnStep = stride(instruction, Attention.maskColumn)
    let pointer = mask + <usize>t * rowStep + <usize>s * columnStep
    if (rowStep == 0) {
      for (let i = 0; i < columns; i++, pointer += columnStep) {
        if (!load<i32>(pointer)) fillWords(scores + <usize>i * STEP, NO_MAXIMUM, rows)
      }
    } else {
      transposeTile(spare, pointer, rowStep, columnStep, rows, columns)
      attention_mask_f32(scores, spare, rows, columns)
    }
  }
  const before = load<i32>(instruction, Attention.before), after = load<i32>(instruction, Attention.after)
  if (s + columns - 1 <= t + after && s >= t + rows - 1 - before) return
  for (let i = 0; i < columns; i++) {
    // Rows before `first` would see keys too far ahead; rows from `end` on, keys too far back.
    const first = min(max(s + i - after - t, 0), rows)
    const end = min(max(s + i + before + 1 - t, first), rows)
    leaveOnly(scores + <usize>i * STEP, first, end, rows)
  }
}

/** Writes −∞ everywhere except in first … end, in whole vectors: the next load would wait for a narrower store. */
@inline
function leaveOnly(row: usize, first: i32, end: i32, count: i32): void {
  const negative = f32x4.splat(-Infinity)
  let pointer = row
  for (; first >= 4; first -= 4, pointer += 16) v128.store(pointer, negative)
  if (first > 0) v128.store(pointer, v128.bitselect(negative, v128.load(pointer), tailMask(first)))
  pointer = row + (<usize>(end & ~3) << 2)
  const left = end & 3
  if (left > 0) {
    v128.store(pointer, v128.bitselect(v128.load(pointer), negative, tailMask(left)))
    pointer += 16
  }
  for (const last = row + (<usize>count << 2); pointer < last; pointer += 16) v128.store(pointer, negative)
}

/** maxima [rows] = max(maxima, the largest of each column's scores). Skips NaN. */
export function attention_maxima_f32(maxima: usize, scores: usize, rows: i32, columns: i32): void {
  for (; rows > 0; rows -= 16) {
    let m0 = v128.load(maxima), m1 = v128.load(maxima, 16), m2 = v128.load(maxima, 32), m3 = v128.load(maxima, 48)
    for (let p = scores, i = columns; i > 0; i--, p += STEP) {
      m0 = f32x4.pmax(m0, v128.load(p))
      m1 = f32x4.pmax(m1, v128.load(p, 16))
      m2 = f32x4.pmax(m2, v128.load(p, 32))
      m3 = f32x4.pmax(m3, v128.load(p, 48))
    }
    v128.store(maxima, m0)
    v128.store(maxima, m1, 16)
    v128.store(maxima, m2, 32)
    v128.store(maxima, m3, 48)
    maxima += 64
    scores += 64
  }
}

/** scores = e^(scores − shifts [rows]), and adds their sums to `sums` [rows]. No score is above its shift. */
export function attention_exponentials_f32(sums: usize, shifts: usize, scores: usize, rows: i32, columns: i32): void {
  for (; rows > 0; rows -= 8) {
    const shift0 = v128.load(shifts), shift1 = v128.load(shifts, 16)
    let sum0 = f32x4.splat(0.0), sum1 = f32x4.splat(0.0)
    for (let p = scores, i = columns; i > 0; i--, p += STEP) {
      const e0 = expFactor(f32x4.sub(v128.load(p), shift0))
      const e1 = expFactor(f32x4.sub(v128.load(p, 16), shift1))
      sum0 = f32x4.add(sum0, e0)
      sum1 = f32x4.add(sum1, e1)
      v128.store(p, e0)
      v128.store(p, e1, 16)
    }
    v128.store(sums, f32x4.add(v128.load(sums), sum0))
    v128.store(sums, f32x4.add(v128.load(sums, 16), sum1), 16)
    sums += 32
    shifts += 32
    scores += 32
  }
}

/** Multiplies the rows of `out` by `factors`, unless all factors are 1. */
function scaleRows(out: usize, outStep: usize, width: i32, factors: usize, rows: i32): void {
  for (; rows > 0; rows--, out += outStep, factors += 4) {
    if (load<f32>(factors) != 1.0) scaleRow(out, out, width, v128.load32_splat(factors))
  }
}

/** Computes rows t … of one head. */
function attendRows(instruction: usize, b: i32, h: i32, t: i32, rows: i32, scratch: usize): void {
  const heads = load<i32>(instruction, Attention.heads), all = load<i32>(instruction, Attention.rows)
  const columns = load<i32>(instruction, Attention.columns)
  const depth = load<i32>(instruction, Attention.depth), width = load<i32>(instruction, Attention.width)
  const wide = load<i32>(instruction, Attention.wide) != 0
  const g = h * load<i32>(instruction, Attention.keyHeads) / heads
  const queryRow = stride(instruction, Attention.queryRow), valueRow = stride(instruction, Attention.valueRow)
  const outStep = <usize>(heads * width) << 2
  const query = load<usize>(instruction, Attention.query) + placed(instruction, Attention.queryBatch, b, Attention.queryHead, h) + <usize>t * queryRow
  const key = load<usize>(instruction, Attention.key) + placed(instruction, Attention.keyBatch, b, Attention.keyHead, g)
  const value = load<usize>(instruction, Attention.value) + placed(instruction, Attention.valueBatch, b, Attention.valueHead, g)
  const mask = placedOrNone(instruction, Attention.mask, Attention.maskBatch, b, Attention.maskHead, h)
  const bias = placedOrNone(instruction, Attention.bias, Attention.biasBatch, b, Attention.biasHead, h)
  const out = load<usize>(instruction, Attention.out) + (<usize>((b * all + t) * heads + h) * <usize>width << 2)
  const logSum = load<usize>(instruction, Attention.logSum) + (<usize>((b * heads + h) * all + t) << 2)

  const scores = scratch + OWN, spare = scores + TILE
  const maxima = scratch + VECTORS, sums = maxima + STEP, shifts = sums + STEP, factors = shifts + STEP
  const panels = scratch + PANELS
  packScaled(panels, query, queryRow, rows, depth, load<f32>(instruction, Attention.scale))
  fillWords(maxima, NO_MAXIMUM, ATTENTION_ROWS)
  fillWords(sums, 0, ATTENTION_ROWS)

  let isFirst = true
  for (let s = 0; s < columns; s += ATTENTION_COLUMNS) {
    const count = min(ATTENTION_COLUMNS, columns - s)
    if (!isSeen(instruction, mask, t, rows, s, count)) continue
    makeScores(instruction, scores, spare, panels, key, mask, bias, t, rows, s, count, scratch)
    memory.copy(factors, maxima, STEP)
    attention_maxima_f32(maxima, scores, rows, count)
    shiftSums(maxima, sums, shifts, factors, rows)
    attention_exponentials_f32(sums, shifts, scores, rows, count)
    if (!isFirst) scaleRows(out, outStep, width, factors, rows)
    gemm_blocked_f32(
      out, scores, 4, STEP, value + <usize>s * valueRow, valueRow, 4, 32,
      rows, width, count, isFirst ? 0 : out, isFirst ? 0 : outStep, -Infinity, scratch, heads * width,
      valueRow >= FAR && width <= PACKED_WIDTH && rows >= 16, false, wide,
    )
    isFirst = false
  }

  finishRows(out, outStep, logSum, maxima, sums, factors, value, valueRow, rows, columns, width)
}

/**
 * shifts = the new maxima. factors, which hold the maxima before, become e^(maxima before − shifts); sums are multiplied by
 * them.
 */
@inline
function shiftSums(maxima: usize, sums: usize, shifts: usize, factors: usize, rows: i32): void {
  for (let at: usize = 0; at < <usize>rows << 2; at += 16) {
    // a row with nothing unmasked so far would give −∞ − −∞ = NaN
    const largest = v128.load(maxima + at)
    const shift = v128.bitselect(f32x4.splat(0.0), largest, f32x4.eq(largest, f32x4.splat(-Infinity)))
    const factor = expFactor(f32x4.sub(v128.load(factors + at), shift))
    v128.store(shifts + at, shift)
    v128.store(factors + at, factor)
    v128.store(sums + at, f32x4.mul(v128.load(sums + at), factor))
  }
}

/** out /= sums, and logSum = maxima + ln sums. Rows without scores are the mean of all values. */
@inline
function finishRows(
  out: usize, outStep: usize, logSum: usize, maxima: usize, sums: usize, factors: usize, value: usize, valueRow: usize,
  rows: i32, columns: i32, width: i32,
): void {
  for (let at: usize = 0; at < <usize>rows << 2; at += 16) {
    const sum = v128.load(sums + at)
    const isEmpty = f32x4.eq(sum, f32x4.splat(0.0))
    const logarithm = v128.bitselect(f32x4.splat(Infinity), f32x4.add(v128.load(maxima + at), log(sum)), isEmpty)
    const left = rows - <i32>(at >> 2)
    if (left >= 4) v128.store(logSum + at, logarithm)
    else storeTail(logSum + at, logarithm, left)
    v128.store(factors + at, f32x4.div(f32x4.splat(1.0), sum))
  }
  for (let i = 0; i < rows; i++) {
    const row = out + <usize>i * outStep
    if (load<f32>(sums + (<usize>i << 2)) == 0.0) {
      meanOfRows(row, value, valueRow, columns, width)
    } else {
      scaleRow(row, row, width, v128.load32_splat(factors + (<usize>i << 2)))
    }
  }
}

/** Packs source [rows, depth] · scale into panels of 8. */
function packScaled(panels: usize, source: usize, step: usize, rows: i32, depth: i32, scale: f32): void {
  pack_panels_8_f32(panels, source, step, 4, rows, depth)
  const bytes = <usize>((rows + 7) >> 3) * panelBytes(8, depth)
  if (scale != 1.0) scaleRow(panels, panels, <i32>(bytes >> 2), f32x4.splat(scale))
}

/** Runs an Attention, or a part of its blocks of rows. */
export function attention(instruction: usize, part: i32, parts: i32): void {
  if (fitsRow(instruction)) {
    attentionRow(instruction, part, parts)
    return
  }
  const heads = load<i32>(instruction, Attention.heads), all = load<i32>(instruction, Attention.rows)
  const size = blockRows(instruction)
  const blocks = (all + size - 1) / size
  const count = load<i32>(instruction, Attention.batch) * heads * blocks
  const scratch = load<usize>(instruction, Attention.scratch) + part * GEMM_SCRATCH
  const end = partEnd(count, 1, part, parts)
  for (let i = partStart(count, 1, part, parts); i < end; i++) {
    const head = i / blocks
    const t = (i - head * blocks) * size
    attendRows(instruction, head / heads, head % heads, t, min(size, all - t), scratch)
  }
}

/**
 * Turns scores [columns, rows] and dP in place into P = e^(scores − logSums) and scale · dS = scale · P · (dP −
 * deltas).
 */
export function attention_gradients_f32(
  scores: usize, gradients: usize, logSums: usize, deltas: usize, scale: f32, rows: i32, columns: i32,
): void {
  const factor = f32x4.splat(scale)
  for (; rows > 0; rows -= 8) {
    const logSum0 = v128.load(logSums), logSum1 = v128.load(logSums, 16)
    const delta0 = v128.load(deltas), delta1 = v128.load(deltas, 16)
    for (let s = scores, g = gradients, i = columns; i > 0; i--, s += STEP, g += STEP) {
      const p0 = expFactor(f32x4.sub(v128.load(s), logSum0))
      const p1 = expFactor(f32x4.sub(v128.load(s, 16), logSum1))
      v128.store(s, p0)
      v128.store(s, p1, 16)
      const g0 = f32x4.sub(v128.load(g), delta0), g1 = f32x4.sub(v128.load(g, 16), delta1)
      v128.store(g, f32x4.mul(f32x4.mul(p0, factor), g0))
      v128.store(g, f32x4.mul(f32x4.mul(p1, factor), g1), 16)
    }
    scores += 32
    gradients += 32
    logSums += 32
    deltas += 32
  }
}

/** The gradients of one head of keys and values of one sample, and of the queries that attend to it. */
function gradientOfHead(instruction: usize, b: i32, g: i32, scratch: usize): void {
  const heads = load<i32>(instruction, Attention.heads), keyHeads = load<i32>(instruction, Attention.keyHeads)
  const all = load<i32>(instruction, Attention.rows), columns = load<i32>(instruction, Attention.columns)
  const depth = load<i32>(instruction, Attention.depth), width = load<i32>(instruction, Attention.width)
  const keyStep = <usize>(keyHeads * depth) << 2, valueStep = <usize>(keyHeads * width) << 2
  const dKey = load<usize>(instruction, AttentionGradient.dKey) + (<usize>(b * columns * keyHeads + g) * <usize>depth << 2)
  const dValue = load<usize>(instruction, AttentionGradient.dValue) + (<usize>(b * columns * keyHeads + g) * <usize>width << 2)
  for (let s = 0; s < columns; s++) {
    fillWords(dKey + <usize>s * keyStep, 0, depth)
    fillWords(dValue + <usize>s * valueStep, 0, width)
  }
  const size = blockRows(instruction)
  const group = heads / keyHeads
  for (let h = g * group; h < (g + 1) * group; h++) {
    const head = b * heads + h
    let dBias = load<usize>(instruction, AttentionGradient.dBias)
    if (dBias) {
      dBias += <usize>(head * all * columns) << 2
      fillWords(dBias, 0, all * columns)
    }
    for (let t = 0; t < all; t += size) {
      prepareRows(instruction, b, h, t, min(size, all - t), dValue, scratch)
      gradientOfRows(instruction, b, g, h, t, min(size, all - t), dKey, dValue, dBias, scratch)
    }
  }
}

/** The offset in scratch of the panels of the result's gradient. */
@inline
function gradientPanelsOf(instruction: usize, scratch: usize): usize {
  return scratch + PANELS + <usize>(blockRows(instruction) >> 3) * panelBytes(8, load<i32>(instruction, Attention.depth))
}

/**
 * Before the gradients of rows t … of one head: packs the queries and the gradient of the result, and writes to scratch, for each
 * row, logSum and delta = gradient · out − dLogSum.
 */
@inline
function prepareRows(instruction: usize, b: i32, h: i32, t: i32, rows: i32, dValue: usize, scratch: usize): void {
  const heads = load<i32>(instruction, Attention.heads), all = load<i32>(instruction, Attention.rows)
  const columns = load<i32>(instruction, Attention.columns)
  const depth = load<i32>(instruction, Attention.depth), width = load<i32>(instruction, Attention.width)
  const queryRow = stride(instruction, Attention.queryRow)
  const outStep = <usize>(heads * width) << 2, valueStep = <usize>(load<i32>(instruction, Attention.keyHeads) * width) << 2
  const place = <usize>((b * all + t) * heads + h) * <usize>width << 2
  const query = load<usize>(instruction, Attention.query) + placed(instruction, Attention.queryBatch, b, Attention.queryHead, h) + <usize>t * queryRow
  const gradient = load<usize>(instruction, AttentionGradient.gradient) + place
  const out = load<usize>(instruction, Attention.out) + place
  const sumPlace = <usize>((b * heads + h) * all + t) << 2
  const logSum = load<usize>(instruction, Attention.logSum) + sumPlace
  let dLogSum = load<usize>(instruction, AttentionGradient.dLogSum)
  if (dLogSum) dLogSum += sumPlace
  const logSums = scratch + VECTORS, deltas = logSums + STEP
  packScaled(scratch + PANELS, query, queryRow, rows, depth, load<f32>(instruction, Attention.scale))
  pack_panels_8_f32(gradientPanelsOf(instruction, scratch), gradient, outStep, 4, rows, width)
  for (let i = 0; i < rows; i++) {
    const at = <usize>i << 2
    store<f32>(logSums + at, load<f32>(logSum + at))
    const delta = rowProduct(gradient + <usize>i * outStep, out + <usize>i * outStep, width)
    store<f32>(deltas + at, dLogSum ? delta - load<f32>(dLogSum + at) : delta)
    if (load<f32>(logSum + at) == Infinity) addMean(dValue, valueStep, gradient + <usize>i * outStep, width, columns)
  }
}

/** Adds the gradients of rows t … of head h to dKey and dValue of head g, and writes dQuery. */
@inline
function gradientOfRows(
  instruction: usize, b: i32, g: i32, h: i32, t: i32, rows: i32, dKey: usize, dValue: usize, dBias: usize, scratch: usize,
): void {
  const heads = load<i32>(instruction, Attention.heads), keyHeads = load<i32>(instruction, Attention.keyHeads)
  const all = load<i32>(instruction, Attention.rows), columns = load<i32>(instruction, Attention.columns)
  const depth = load<i32>(instruction, Attention.depth), width = load<i32>(instruction, Attention.width)
  const wide = load<i32>(instruction, Attention.wide) != 0
  const queryRow = stride(instruction, Attention.queryRow), keyRow = stride(instruction, Attention.keyRow)
  const keyStep = <usize>(keyHeads * depth) << 2, valueStep = <usize>(keyHeads * width) << 2
  const queryStep = <usize>(heads * depth) << 2, outStep = <usize>(heads * width) << 2
  const query = load<usize>(instruction, Attention.query) + placed(instruction, Attention.queryBatch, b, Attention.queryHead, h) + <usize>t * queryRow
  const key = load<usize>(instruction, Attention.key) + placed(instruction, Attention.keyBatch, b, Attention.keyHead, g)
  const mask = placedOrNone(instruction, Attention.mask, Attention.maskBatch, b, Attention.maskHead, h)
  const place = <usize>((b * all + t) * heads + h)
  const gradient = load<usize>(instruction, AttentionGradient.gradient) + (place * <usize>width << 2)
  const dQuery = load<usize>(instruction, AttentionGradient.dQuery) + (place * <usize>depth << 2)
  const scores = scratch + OWN, gradients = scores + TILE
  let isFirst = true
  for (let s = 0; s < columns; s += ATTENTION_COLUMNS) {
    const count = min(ATTENTION_COLUMNS, columns - s)
    if (!isSeen(instruction, mask, t, rows, s, count)) continue
    const packs = wide && count >= WIDE_ROWS
    gradientOfScores(instruction, b, g, h, t, rows, s, count, mask, key, dBias, scratch)
    const dv = dValue + <usize>s * valueStep, dk = dKey + <usize>s * keyStep
    // dValue += Pᵀ · G,  dKey += dSᵀ · query,  dQuery += dS · key
    gemm_blocked_f32(
      dv, scores, STEP, 4, gradient, outStep, 4, 32, count, width, rows, dv, valueStep, -Infinity, scratch,
      keyHeads * width, outStep >= FAR && width <= PACKED_WIDTH && count >= 16, packs, wide,
    )
    gemm_blocked_f32(
      dk, gradients, STEP, 4, query, queryRow, 4, 32, count, depth, rows, dk, keyStep, -Infinity, scratch,
      keyHeads * depth, queryRow >= FAR && depth <= PACKED_WIDTH && count >= 16, packs, wide,
    )
    gemm_blocked_f32(
      dQuery, gradients, 4, STEP, key + <usize>s * keyRow, keyRow, 4, 32, rows, depth, count,
      isFirst ? 0 : dQuery, isFirst ? 0 : queryStep, -Infinity, scratch, heads * depth,
      keyRow >= FAR && depth <= PACKED_WIDTH && rows >= 16, false, wide,
    )
    isFirst = false
  }
  if (isFirst) for (let i = 0; i < rows; i++) fillWords(dQuery + <usize>i * queryStep, 0, depth)
}

/** Writes P and scale · dS of rows t … and columns s … to scratch, and adds dS to dBias, if it is not 0. */
@inline
function gradientOfScores(
  instruction: usize, b: i32, g: i32, h: i32, t: i32, rows: i32, s: i32, count: i32, mask: usize, key: usize, dBias: usize, scratch: usize,
): void {
  const columns = load<i32>(instruction, Attention.columns), width = load<i32>(instruction, Attention.width)
  const scale = load<f32>(instruction, Attention.scale)
  const wide = load<i32>(instruction, Attention.wide) != 0
  const valueRow = stride(instruction, Attention.valueRow)
  const value = load<usize>(instruction, Attention.value) + placed(instruction, Attention.valueBatch, b, Attention.valueHead, g)
  const bias = placedOrNone(instruction, Attention.bias, Attention.biasBatch, b, Attention.biasHead, h)
  const scores = scratch + OWN, gradients = scores + TILE, spare = gradients + TILE
  const logSums = scratch + VECTORS, deltas = logSums + STEP
  makeScores(instruction, scores, spare, scratch + PANELS, key, mask, bias, t, rows, s, count, scratch)
  gemm_blocked_f32(
    gradients, value + <usize>s * valueRow, valueRow, 4, gradientPanelsOf(instruction, scratch), 32, 4, panelBytes(8, width),
    count, rows, width, 0, 0, -Infinity, scratch, ATTENTION_ROWS, false, wide && count >= WIDE_ROWS, wide,
  )
  if (dBias) {
    attention_gradients_f32(scores, gradients, logSums, deltas, 1.0, rows, count)
    storeTransposed(dBias + (<usize>(t * columns + s) << 2), <usize>columns << 2, gradients, rows, count)
    scaleRow(gradients, gradients, count * ATTENTION_ROWS, f32x4.splat(scale))
  } else {
    attention_gradients_f32(scores, gradients, logSums, deltas, scale, rows, count)
  }
}

/** The output of a fully masked row is the mean of all values: each value gets its share of the gradient. */
function addMean(dValue: usize, step: usize, gradient: usize, width: i32, columns: i32): void {
  const share = f32x4.splat(1.0 / <f32>columns)
  for (let s = 0; s < columns; s++) addRow(dValue + <usize>s * step, gradient, width, share)
}

/** target [rows, columns] = source [columns, rows] */
function storeTransposed(target: usize, step: usize, source: usize, rows: i32, columns: i32): void {
  for (let i = 0; i < rows; i++, target += step, source += 4) {
    for (let j = 0; j < columns; j++) store<f32>(target + (<usize>j << 2), load<f32>(source + <usize>j * STEP))
  }
}

/** Runs an AttentionGradient, or a part of the heads of keys and values. */
export function attentionGradient(instruction: usize, part: i32, parts: i32): void {
  const keyHeads = load<i32>(instruction, Attention.keyHeads)
  const count = load<i32>(instruction, Attention.batch) * keyHeads
  const scratch = load<usize>(instruction, Attention.scratch) + part * GEMM_SCRATCH
  const end = partEnd(count, 1, part, parts)
  for (let i = partStart(count, 1, part, parts); i < end; i++) gradientOfHead(instruction, i / keyHeads, i % keyHeads, scratch)
}
