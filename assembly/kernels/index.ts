// Gather and its adjoint ScatterAdd over the middle axis. Indices outside the axis are clamped, never checked.

import { Gather, ScatterAdd } from '../shared/instructions'
import { copyWords, fillWords } from '../simd'

@inline
function clampedIndex(pointer: usize, last: i32): usize {
  return <usize>max(min(load<i32>(pointer), last), 0)
}

/** Runs a Gather. Nothing is written when the axis is empty. */
export function gather(instruction: usize): void {
  let out = load<usize>(instruction, Gather.out)
  let input = load<usize>(instruction, Gather.input)
  const indices = load<usize>(instruction, Gather.indices)
  const outer = load<i32>(instruction, Gather.outer)
  const axis = load<i32>(instruction, Gather.axis)
  const inner = load<i32>(instruction, Gather.inner)
  const count = load<i32>(instruction, Gather.count)
  if (axis == 0 || inner == 0) return
  const sliceSize = <usize>inner << 2
  const indicesEnd = indices + (<usize>count << 2)
  for (let block = 0; block < outer; block++) {
    if (inner == 1) {
      for (let pointer = indices; pointer < indicesEnd; pointer += 4) {
        store<u32>(out, load<u32>(input + (clampedIndex(pointer, axis - 1) << 2)))
        out += 4
      }
    } else {
      for (let pointer = indices; pointer < indicesEnd; pointer += 4) {
        copyWords(out, input + clampedIndex(pointer, axis - 1) * sliceSize, inner)
        out += sliceSize
      }
    }
    input += <usize>axis * sliceSize
  }
}

/** Runs a ScatterAdd. Updates are added in their order. */
export function scatterAdd(instruction: usize): void {
  let out = load<usize>(instruction, ScatterAdd.out)
  let updates = load<usize>(instruction, ScatterAdd.updates)
  const indices = load<usize>(instruction, ScatterAdd.indices)
  const outer = load<i32>(instruction, ScatterAdd.outer)
  const axis = load<i32>(instruction, ScatterAdd.axis)
  const inner = load<i32>(instruction, ScatterAdd.inner)
  const count = load<i32>(instruction, ScatterAdd.count)
  fillWords(out, i32x4.splat(0), outer * axis * inner)
  if (axis == 0) return
  const sliceSize = <usize>inner << 2
  const indicesEnd = indices + (<usize>count << 2)
  for (let block = 0; block < outer; block++) {
    for (let pointer = indices; pointer < indicesEnd; pointer += 4) {
      let target = out + clampedIndex(pointer, axis - 1) * sliceSize
      let n = inner
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
    }
    out += <usize>axis * sliceSize
  }
}
