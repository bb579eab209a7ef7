// Gather and its adjoint ScatterAdd over the middle axis, and Insert. Indices outside the axis are clamped, never checked.

import { partEnd, partStart, rowPartEnd, rowPartStart } from '../parts'
import { Gather, Insert, ScatterAdd } from '../shared/instructions'
import { copyWords, fillWords } from '../simd'

@inline
function clampedIndex(pointer: usize, last: i32): usize {
  return <usize>max(min(load<i32>(pointer), last), 0)
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
      for (; pointer < end; pointer += 4) {
        store<u32>(out, load<u32>(input + (clampedIndex(pointer, axis - 1) << 2)))
        out += 4
      }
    } else {
      for (; pointer < end; pointer += 4) {
        copyWords(out, input + clampedIndex(pointer, axis - 1) * sliceSize, inner)
        out += sliceSize
      }
    }
    pointer = indices
    input += <usize>axis * sliceSize
  }
}

/**
 * Runs a ScatterAdd, or a part of its columns [outer, inner]: each part looks at all indices, so that the updates of
 * an element are added in their order.
 */
export function scatterAdd(instruction: usize, part: i32, parts: i32): void {
  const outAll = load<usize>(instruction, ScatterAdd.out)
  const updatesAll = load<usize>(instruction, ScatterAdd.updates)
  const indices = load<usize>(instruction, ScatterAdd.indices)
  const outer = load<i32>(instruction, ScatterAdd.outer)
  const axis = load<i32>(instruction, ScatterAdd.axis)
  const inner = load<i32>(instruction, ScatterAdd.inner)
  const count = load<i32>(instruction, ScatterAdd.count)
  if (axis == 0 || inner == 0) return
  const sliceSize = <usize>inner << 2
  const indicesEnd = indices + (<usize>count << 2)
  const end = rowPartEnd(outer, inner, 16, part, parts)
  for (let place = rowPartStart(outer, inner, 16, part, parts); place < end; ) {
    const block = place / inner
    const column = place - block * inner
    const width = min(inner, end - block * inner) - column
    place += width
    const out = outAll + <usize>(block * axis) * sliceSize + (<usize>column << 2)
    let updates = updatesAll + <usize>(block * count) * sliceSize + (<usize>column << 2)
    if (width == inner) fillWords(out, i32x4.splat(0), axis * inner)
    else for (let row = 0; row < axis; row++) fillWords(out + <usize>row * sliceSize, i32x4.splat(0), width)
    const skip = sliceSize - (<usize>width << 2)
    for (let pointer = indices; pointer < indicesEnd; pointer += 4) {
      let target = out + clampedIndex(pointer, axis - 1) * sliceSize
      let n = width
      for (; n >= 4; n -= 4) {
        v128.store(target, f32x4.add(v128.load(target), v128.load(updates)))
        target += 16
        updates += 16
      }
      for (; n > 0; n--) {
        store<f32>(target, load<f32>(target) + load<f32>(updates))
        target += 4
        updates += 4
      }
      updates += skip
    }
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
