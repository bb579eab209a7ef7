// Gather and its adjoint, a Scatter of sums, over the middle axis, and Insert. Indices below 0 count from the end of
// the axis; Gather fills slices whose index is still outside, and Scatter drops them.

import { partEnd, partStart, rowPartEnd, rowPartStart } from '../parts'
import { Gather, Insert, Scatter } from '../shared/instructions'
import { Scattering } from '../shared/opcodes'
import { copyRun, copyWords, fillWords } from '../simd'
import { fill_bits } from './move'

/** The position that an index refers to; not below `axis`, as an unsigned number, if it is outside. */
@inline
function placeOf(pointer: usize, axis: i32): u32 {
  const index = load<i32>(pointer)
  return index + (axis & (index >> 31))
}

/** Runs a Gather, or a part of its slices. Nothing is written when the axis is empty. */
export function gather(instruction: usize, part: i32, parts: i32): void {
  let out = load<usize>(instruction, Gather.out)
  let input = load<usize>(instruction, Gather.input)
  const indices = load<usize>(instruction, Gather.indices)
  const outer = load<i32>(instruction, Gather.outer)
  const axis = load<i32>(instruction, Gather.axis)
  const inner = load<i32>(instruction, Gather.inner)
  const count = load<i32>(instruction, Gather.count)
  const filling = load<i32>(instruction, Gather.filling)
  if (axis == 0 || inner == 0 || count == 0) return
  const sliceSize = <usize>inner << 2
  const first = partStart(outer * count, 16, part, parts)
  let left = partEnd(outer * count, 16, part, parts) - first
  const firstBlock = first / count
  let pointer = indices + (<usize>(first - firstBlock * count) << 2)
  const indicesEnd = indices + (<usize>count << 2)
  out += <usize>first * sliceSize
  input += <usize>(firstBlock * axis) * sliceSize
  while (left > 0) {
    const end = min(indicesEnd, pointer + (<usize>left << 2))
    left -= <i32>(end - pointer >> 2)
    if (inner == 1) {
      const extent = i32x4.splat(axis)
      for (; pointer + 16 <= end; pointer += 16) {
        const index = v128.load(pointer)
        const places = i32x4.add(index, v128.and(extent, i32x4.shr_s(index, 31)))
        if (!i32x4.all_true(i32x4.lt_u(places, extent))) break
        let x = v128.load32_zero(input + (<usize>i32x4.extract_lane(places, 0) << 2))
        x = v128.load32_lane(input + (<usize>i32x4.extract_lane(places, 1) << 2), x, 1)
        x = v128.load32_lane(input + (<usize>i32x4.extract_lane(places, 2) << 2), x, 2)
        v128.store(out, v128.load32_lane(input + (<usize>i32x4.extract_lane(places, 3) << 2), x, 3))
        out += 16
      }
      for (; pointer < end; pointer += 4) {
        const place = placeOf(pointer, axis)
        store<u32>(out, place < <u32>axis ? load<u32>(input + (<usize>place << 2)) : filling)
        out += 4
      }
    } else {
      for (; pointer < end; pointer += 4) {
        const place = placeOf(pointer, axis)
        if (place < <u32>axis) copyRun(out, input + <usize>place * sliceSize, inner)
        else fillWords(out, filling, inner)
        out += sliceSize
      }
    }
    pointer = indices
    input += <usize>axis * sliceSize
  }
}

@inline
function mergeVector(scattering: Scattering, a: v128, b: v128): v128 {
  if (scattering == Scattering.Sum) return f32x4.add(a, b)
  if (scattering == Scattering.Max) return f32x4.max(a, b)
  return scattering == Scattering.SumI32 ? i32x4.add(a, b) : i32x4.max_s(a, b)
}

@inline
function mergeWord(scattering: Scattering, target: usize, update: usize): void {
  if (scattering == Scattering.Sum) store<f32>(target, load<f32>(target) + load<f32>(update))
  else if (scattering == Scattering.Max) store<f32>(target, max<f32>(load<f32>(target), load<f32>(update)))
  else if (scattering == Scattering.SumI32) store<i32>(target, load<i32>(target) + load<i32>(update))
  else store<i32>(target, max<i32>(load<i32>(target), load<i32>(update)))
}

/**
 * Merges slices of `width` elements into the rows of `out` that indices … end refer to; rows are `rowSize` bytes apart.
 */
@inline
function scatterRows(scattering: Scattering, out: usize, updates: usize, indices: usize, end: usize, axis: i32, width: i32, rowSize: usize): void {
  if (rowSize == 4 && (scattering == Scattering.Sum || scattering == Scattering.SumI32)) {
    for (; indices < end; indices += 4, updates += 4) {
      const place = placeOf(indices, axis)
      if (place < <u32>axis) mergeWord(scattering, out + (<usize>place << 2), updates)
    }
    return
  }
  const skip = rowSize - (<usize>width << 2)
  for (; indices < end; indices += 4) {
    const place = placeOf(indices, axis)
    if (place >= <u32>axis) {
      updates += rowSize
      continue
    }
    let target = out + <usize>place * rowSize
    let n = width
    for (; n >= 4; n -= 4) {
      v128.store(target, mergeVector(scattering, v128.load(target), v128.load(updates)))
      target += 16
      updates += 16
    }
    for (; n > 0; n--) {
      mergeWord(scattering, target, updates)
      target += 4
      updates += 4
    }
    updates += skip
  }
}

export function scatter_sum_f32(out: usize, updates: usize, indices: usize, end: usize, axis: i32, width: i32, rowSize: usize): void {
  scatterRows(Scattering.Sum, out, updates, indices, end, axis, width, rowSize)
}

export function scatter_max_f32(out: usize, updates: usize, indices: usize, end: usize, axis: i32, width: i32, rowSize: usize): void {
  scatterRows(Scattering.Max, out, updates, indices, end, axis, width, rowSize)
}

export function scatter_sum_i32(out: usize, updates: usize, indices: usize, end: usize, axis: i32, width: i32, rowSize: usize): void {
  scatterRows(Scattering.SumI32, out, updates, indices, end, axis, width, rowSize)
}

export function scatter_max_i32(out: usize, updates: usize, indices: usize, end: usize, axis: i32, width: i32, rowSize: usize): void {
  scatterRows(Scattering.MaxI32, out, updates, indices, end, axis, width, rowSize)
}

/** The value of an element that no update reaches. */
@inline
function emptyOf(scattering: Scattering): i32 {
  if (scattering == Scattering.Max) return <i32>0xff800000
  return scattering == Scattering.MaxI32 ? i32.MIN_VALUE : 0
}

/**
 * Runs a Scatter, or a part of its columns [outer, inner]: each part reads all indices, so that the updates of an
 * element are merged in order.
 */
export function scatter(instruction: usize, part: i32, parts: i32): void {
  const outAll = load<usize>(instruction, Scatter.out)
  const updatesAll = load<usize>(instruction, Scatter.updates)
  const indices = load<usize>(instruction, Scatter.indices)
  const outer = load<i32>(instruction, Scatter.outer)
  const axis = load<i32>(instruction, Scatter.axis)
  const inner = load<i32>(instruction, Scatter.inner)
  const count = load<i32>(instruction, Scatter.count)
  const scattering: Scattering = load<i32>(instruction, Scatter.scattering)
  if (axis == 0 || inner == 0) return
  const rowSize = <usize>inner << 2
  const indicesEnd = indices + (<usize>count << 2)
  const empty = emptyOf(scattering)
  const end = rowPartEnd(outer, inner, 16, part, parts)
  for (let place = rowPartStart(outer, inner, 16, part, parts); place < end; ) {
    const block = place / inner
    const column = place - block * inner
    const width = min(inner, end - block * inner) - column
    place += width
    const out = outAll + <usize>(block * axis) * rowSize + (<usize>column << 2)
    const updates = updatesAll + <usize>(block * count) * rowSize + (<usize>column << 2)
    if (width == inner) fill_bits(out, empty, axis * inner)
    else for (let row = 0; row < axis; row++) fillWords(out + <usize>row * rowSize, empty, width)
    if (scattering == Scattering.Sum) scatter_sum_f32(out, updates, indices, indicesEnd, axis, width, rowSize)
    else if (scattering == Scattering.Max) scatter_max_f32(out, updates, indices, indicesEnd, axis, width, rowSize)
    else if (scattering == Scattering.SumI32) scatter_sum_i32(out, updates, indices, indicesEnd, axis, width, rowSize)
    else scatter_max_i32(out, updates, indices, indicesEnd, axis, width, rowSize)
  }
}

/** Runs an Insert, or a part of its outer slices. */
export function insert(instruction: usize, part: i32, parts: i32): void {
  const outer = load<i32>(instruction, Insert.outer)
  const axis = load<i32>(instruction, Insert.axis)
  const inner = load<i32>(instruction, Insert.inner)
  const count = load<i32>(instruction, Insert.count)
  const out = load<usize>(instruction, Insert.out)
  const base = load<usize>(instruction, Insert.base)
  const block = load<usize>(instruction, Insert.block)
  const start = max(min(load<i32>(load<usize>(instruction, Insert.start)), axis - count), 0)
  const end = partEnd(outer, 1, part, parts)
  for (let i = partStart(outer, 1, part, parts); i < end; i++) {
    const slice = <usize>(i * axis * inner) << 2
    if (out != base) copyWords(out + slice, base + slice, axis * inner)
    copyWords(out + slice + (<usize>(start * inner) << 2), block + (<usize>(i * count * inner) << 2), count * inner)
  }
}
