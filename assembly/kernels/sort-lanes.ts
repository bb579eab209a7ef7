// Sorts four short rows, or columns, at once: each is one lane of the vectors of a sorting network, which compares the same
// positions of all lanes and needs no branches. Element i of the lanes is the vector at 16 · i.
//
// Elements become keys, signed integers in the same order. Equal keys are equal elements, except for 0 and −0, whose order
// a network does not keep: loading reports a −0.

import { storeTail, storeTransposed } from '../simd'

/** The key of an element that comes last. It is also that of NaN, and of the largest integer. */
const LAST = 0x7fffffff

/** Float32 → keys and back, except for NaN. */
@inline
function turn(x: v128): v128 {
  return v128.xor(x, v128.and(i32x4.shr_s(x, 31), i32x4.splat(LAST)))
}

@inline
function keysOf(x: v128, isInteger: i32): v128 {
  if (isInteger) return x
  const last = i32x4.splat(LAST)
  return v128.bitselect(last, turn(x), i32x4.gt_s(v128.and(x, last), i32x4.splat(0x7f800000)))
}

@inline
function elementsOf(keys: v128, isInteger: i32): v128 {
  return isInteger ? keys : turn(keys)
}

@inline
function isNegativeZero(x: v128): v128 {
  return i32x4.eq(x, i32x4.splat(0x80000000))
}

/** The power of two, at least 8, to which n elements are padded. */
@inline
function paddedLength(n: i32): i32 {
  return n <= 8 ? 8 : 1 << 32 - clz(n - 1)
}

/** Keys of `width` ≤ 4 rows of n elements, `rowSize` bytes apart. Returns whether one is −0. */
export function load_rows(lanes: usize, input: usize, n: i32, rowSize: usize, width: i32, isInteger: i32): bool {
  let r0 = input
  let r1 = width > 1 ? r0 + rowSize : r0
  let r2 = width > 2 ? r1 + rowSize : r1
  let r3 = width > 3 ? r2 + rowSize : r2
  let zeros = i32x4.splat(0)
  let at = lanes
  let left = n
  for (; left >= 4; left -= 4) {
    let a = v128.load(r0)
    let b = v128.load(r1)
    let c = v128.load(r2)
    let d = v128.load(r3)
    zeros = v128.or(zeros, v128.or(v128.or(isNegativeZero(a), isNegativeZero(b)), v128.or(isNegativeZero(c), isNegativeZero(d))))
    a = keysOf(a, isInteger)
    b = keysOf(b, isInteger)
    c = keysOf(c, isInteger)
    d = keysOf(d, isInteger)
    const ab0 = v128.shuffle<i32>(a, b, 0, 4, 1, 5)
    const cd0 = v128.shuffle<i32>(c, d, 0, 4, 1, 5)
    const ab1 = v128.shuffle<i32>(a, b, 2, 6, 3, 7)
    const cd1 = v128.shuffle<i32>(c, d, 2, 6, 3, 7)
    v128.store(at, v128.shuffle<i64>(ab0, cd0, 0, 2))
    v128.store(at, v128.shuffle<i64>(ab0, cd0, 1, 3), 16)
    v128.store(at, v128.shuffle<i64>(ab1, cd1, 0, 2), 32)
    v128.store(at, v128.shuffle<i64>(ab1, cd1, 1, 3), 48)
    at += 64
    r0 += 16, r1 += 16, r2 += 16, r3 += 16
  }
  for (; left > 0; left--) {
    let x = v128.load32_zero(r0)
    x = v128.load32_lane(r1, x, 1)
    x = v128.load32_lane(r2, x, 2)
    x = v128.load32_lane(r3, x, 3)
    zeros = v128.or(zeros, isNegativeZero(x))
    v128.store(at, keysOf(x, isInteger))
    at += 16
    r0 += 4, r1 += 4, r2 += 4, r3 += 4
  }
  pad_lanes(lanes, n)
  return !isInteger && v128.any_true(zeros)
}

/** Keys of four neighbouring columns of n elements, `stride` bytes apart. Returns whether one is −0. */
export function load_columns(lanes: usize, input: usize, n: i32, stride: usize, isInteger: i32): bool {
  let zeros = i32x4.splat(0)
  let at = lanes
  for (let left = n; left > 0; left--) {
    const x = v128.load(input)
    zeros = v128.or(zeros, isNegativeZero(x))
    v128.store(at, keysOf(x, isInteger))
    at += 16
    input += stride
  }
  pad_lanes(lanes, n)
  return !isInteger && v128.any_true(zeros)
}

export function pad_lanes(lanes: usize, n: i32): void {
  const last = i32x4.splat(LAST)
  const end = lanes + (<usize>paddedLength(n) << 4)
  for (let at = lanes + (<usize>n << 4); at < end; at += 16) v128.store(at, last)
}

/** Writes `width` ≤ 4 lanes as rows. */
export function store_rows(out: usize, lanes: usize, n: i32, rowSize: usize, width: i32, isInteger: i32): void {
  let at: usize = 0
  if (width == 4) {
    for (const end = <usize>(n & ~3) << 2; at < end; at += 16) {
      const from = lanes + (at << 2)
      const a = elementsOf(v128.load(from), isInteger)
      const b = elementsOf(v128.load(from, 16), isInteger)
      const c = elementsOf(v128.load(from, 32), isInteger)
      const d = elementsOf(v128.load(from, 48), isInteger)
      storeTransposed(out + at, rowSize, a, b, c, d)
    }
  }
  for (; at < <usize>n << 2; at += 4) {
    const keys = elementsOf(v128.load(lanes + (at << 2)), isInteger)
    const to = out + at
    v128.store32_lane(to, keys, 0)
    if (width > 1) v128.store32_lane(to + rowSize, keys, 1)
    if (width > 2) v128.store32_lane(to + 2 * rowSize, keys, 2)
    if (width > 3) v128.store32_lane(to + 3 * rowSize, keys, 3)
  }
}

/** Writes `width` ≤ 4 lanes as columns. */
export function store_columns(out: usize, lanes: usize, n: i32, stride: usize, width: i32, isInteger: i32): void {
  for (; n > 0; n--) {
    const x = elementsOf(v128.load(lanes), isInteger)
    if (width >= 4) v128.store(out, x)
    else storeTail(out, x, width)
    out += stride
    lanes += 16
  }
}

/** Sorts each run of eight. */
export function sort_eights(at: usize, end: usize): void {
  for (; at < end; at += 128) {
    let t: v128
    let a0 = v128.load(at)
    let a1 = v128.load(at, 16)
    let a2 = v128.load(at, 32)
    let a3 = v128.load(at, 48)
    let a4 = v128.load(at, 64)
    let a5 = v128.load(at, 80)
    let a6 = v128.load(at, 96)
    let a7 = v128.load(at, 112)
    t = i32x4.min_s(a0, a2), a2 = i32x4.max_s(a0, a2), a0 = t
    t = i32x4.min_s(a1, a3), a3 = i32x4.max_s(a1, a3), a1 = t
    t = i32x4.min_s(a4, a6), a6 = i32x4.max_s(a4, a6), a4 = t
    t = i32x4.min_s(a5, a7), a7 = i32x4.max_s(a5, a7), a5 = t
    t = i32x4.min_s(a0, a4), a4 = i32x4.max_s(a0, a4), a0 = t
    t = i32x4.min_s(a1, a5), a5 = i32x4.max_s(a1, a5), a1 = t
    t = i32x4.min_s(a2, a6), a6 = i32x4.max_s(a2, a6), a2 = t
    t = i32x4.min_s(a3, a7), a7 = i32x4.max_s(a3, a7), a3 = t
    t = i32x4.min_s(a0, a1), a1 = i32x4.max_s(a0, a1), a0 = t
    t = i32x4.min_s(a2, a3), a3 = i32x4.max_s(a2, a3), a2 = t
    t = i32x4.min_s(a4, a5), a5 = i32x4.max_s(a4, a5), a4 = t
    t = i32x4.min_s(a6, a7), a7 = i32x4.max_s(a6, a7), a6 = t
    t = i32x4.min_s(a2, a4), a4 = i32x4.max_s(a2, a4), a2 = t
    t = i32x4.min_s(a3, a5), a5 = i32x4.max_s(a3, a5), a3 = t
    t = i32x4.min_s(a1, a4), a4 = i32x4.max_s(a1, a4), a1 = t
    t = i32x4.min_s(a3, a6), a6 = i32x4.max_s(a3, a6), a3 = t
    t = i32x4.min_s(a1, a2), a2 = i32x4.max_s(a1, a2), a1 = t
    t = i32x4.min_s(a3, a4), a4 = i32x4.max_s(a3, a4), a3 = t
    t = i32x4.min_s(a5, a6), a6 = i32x4.max_s(a5, a6), a5 = t
    v128.store(at, a0)
    v128.store(at, a1, 16)
    v128.store(at, a2, 32)
    v128.store(at, a3, 48)
    v128.store(at, a4, 64)
    v128.store(at, a5, 80)
    v128.store(at, a6, 96)
    v128.store(at, a7, 112)
  }
}

/** Sorts each bitonic run of eight. */
export function merge_eights(at: usize, end: usize): void {
  for (; at < end; at += 128) {
    let t: v128
    let a0 = v128.load(at)
    let a1 = v128.load(at, 16)
    let a2 = v128.load(at, 32)
    let a3 = v128.load(at, 48)
    let a4 = v128.load(at, 64)
    let a5 = v128.load(at, 80)
    let a6 = v128.load(at, 96)
    let a7 = v128.load(at, 112)
    t = i32x4.min_s(a0, a4), a4 = i32x4.max_s(a0, a4), a0 = t
    t = i32x4.min_s(a1, a5), a5 = i32x4.max_s(a1, a5), a1 = t
    t = i32x4.min_s(a2, a6), a6 = i32x4.max_s(a2, a6), a2 = t
    t = i32x4.min_s(a3, a7), a7 = i32x4.max_s(a3, a7), a3 = t
    t = i32x4.min_s(a0, a2), a2 = i32x4.max_s(a0, a2), a0 = t
    t = i32x4.min_s(a1, a3), a3 = i32x4.max_s(a1, a3), a1 = t
    t = i32x4.min_s(a4, a6), a6 = i32x4.max_s(a4, a6), a4 = t
    t = i32x4.min_s(a5, a7), a7 = i32x4.max_s(a5, a7), a5 = t
    t = i32x4.min_s(a0, a1), a1 = i32x4.max_s(a0, a1), a0 = t
    t = i32x4.min_s(a2, a3), a3 = i32x4.max_s(a2, a3), a2 = t
    t = i32x4.min_s(a4, a5), a5 = i32x4.max_s(a4, a5), a4 = t
    t = i32x4.min_s(a6, a7), a7 = i32x4.max_s(a6, a7), a6 = t
    v128.store(at, a0)
    v128.store(at, a1, 16)
    v128.store(at, a2, 32)
    v128.store(at, a3, 48)
    v128.store(at, a4, 64)
    v128.store(at, a5, 80)
    v128.store(at, a6, 96)
    v128.store(at, a7, 112)
  }
}

/** Compares each element of the first half of a run of `size` bytes with its mirror image in the second half. */
export function fold_runs(at: usize, end: usize, size: usize): void {
  const half = size >> 1
  for (; at < end; at += size) {
    let mirror = at + size - 16
    for (let low = at; low < at + half; low += 16, mirror -= 16) {
      const a = v128.load(low)
      const b = v128.load(mirror)
      v128.store(low, i32x4.min_s(a, b))
      v128.store(mirror, i32x4.max_s(a, b))
    }
  }
}

/** Compares the halves of each run of `size` bytes, and then the halves of each half. */
export function split_runs_twice(at: usize, end: usize, size: usize): void {
  const quarter = size >> 2
  for (; at < end; at += size) {
    for (let low = at; low < at + quarter; low += 16) {
      const second = low + quarter
      const third = second + quarter
      const fourth = third + quarter
      let t: v128
      let a0 = v128.load(low)
      let a1 = v128.load(second)
      let a2 = v128.load(third)
      let a3 = v128.load(fourth)
      t = i32x4.min_s(a0, a2)
      a2 = i32x4.max_s(a0, a2)
      a0 = t
      t = i32x4.min_s(a1, a3)
      a3 = i32x4.max_s(a1, a3)
      a1 = t
      t = i32x4.min_s(a0, a1)
      a1 = i32x4.max_s(a0, a1)
      a0 = t
      t = i32x4.min_s(a2, a3)
      a3 = i32x4.max_s(a2, a3)
      a2 = t
      v128.store(low, a0)
      v128.store(second, a1)
      v128.store(third, a2)
      v128.store(fourth, a3)
    }
  }
}

/** Compares the halves of each run of `size` bytes. */
export function split_runs(at: usize, end: usize, size: usize): void {
  const half = size >> 1
  for (; at < end; at += size) {
    for (let low = at; low < at + half; low += 16) {
      const a = v128.load(low)
      const b = v128.load(low + half)
      v128.store(low, i32x4.min_s(a, b))
      v128.store(low + half, i32x4.max_s(a, b))
    }
  }
}

/** Sorts n elements of each lane, which are padded: a bitonic sorting network. */
export function sort_lanes(lanes: usize, n: i32): void {
  const end = lanes + (<usize>paddedLength(n) << 4)
  sort_eights(lanes, end)
  for (let size: usize = 256; size <= end - lanes; size <<= 1) {
    fold_runs(lanes, end, size)
    let part = size >> 1
    for (; part >= 512; part >>= 2) split_runs_twice(lanes, end, part)
    if (part == 256) split_runs(lanes, end, part)
    merge_eights(lanes, end)
  }
}
