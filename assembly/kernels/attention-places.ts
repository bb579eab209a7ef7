// Where the rows of an Attention lie in memory, and sums of rows.

import { fillWords, madd, storeTail } from '../simd'

/** A stride of the instruction, in bytes. */
@inline
export function stride(instruction: usize, field: usize): usize {
  return <usize>load<i32>(instruction + field) << 2
}

/** The byte offset of head h of sample b. */
@inline
export function placed(instruction: usize, batchField: usize, b: i32, headField: usize, h: i32): usize {
  return <usize>b * stride(instruction, batchField) + <usize>h * stride(instruction, headField)
}

/** The address of the mask, or of the bias, for one head of one sample; 0 if there is none. */
@inline
export function placedOrNone(instruction: usize, field: usize, batchField: usize, b: i32, headField: usize, h: i32): usize {
  const address = load<usize>(instruction + field)
  return address ? address + placed(instruction, batchField, b, headField, h) : 0
}

/** target += source · factor */
@inline
export function addRow(target: usize, source: usize, count: i32, factor: v128): void {
  for (; count >= 4; count -= 4) {
    v128.store(target, madd(v128.load(source), factor, v128.load(target)))
    target += 16
    source += 16
  }
  if (count > 0) storeTail(target, madd(v128.load(source), factor, v128.load(target)), count)
}

/** out = the mean of the rows of value: the result of a row of scores that are all −∞. */
export function meanOfRows(out: usize, value: usize, valueRow: usize, rows: i32, width: i32): void {
  fillWords(out, 0, width)
  const share = f32x4.splat(1.0 / <f32>rows)
  for (let s = 0; s < rows; s++) addRow(out, value + <usize>s * valueRow, width, share)
}
