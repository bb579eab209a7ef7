// Copies blocks of a strided matrix into panels that the tiles of gemm-tiles.ts read from front to back. gemm.ts
// multiplies and decides what to pack.
//
// Element (j, p) of the source is at source + j·across + p·along (bytes). A panel of width w holds w
// neighbouring j for every p:
//
//   panel      p = 0            p = 1                    p = k−1
//            ┌────────────────┬────────────────┬─ … ─┬────────────────┬─────────┐
//            │ j0 j1 … j(w−1) │ j0 j1 … j(w−1) │     │ j0 j1 … j(w−1) │ padding │
//            └────────────────┴────────────────┴─ … ─┴────────────────┴─────────┘
//
// k is rounded up to a multiple of 4. Padding, and the j past the last one, hold arbitrary numbers, which the tiles
// never use for a column or row that they store.

import { storeTransposed } from '../simd'

/** Bytes from one panel to the next. */
@inline
export function panelBytes(width: usize, k: i32): usize {
  return width * 4 * <usize>((k + 3) & ~3)
}

/** Packs `extent` rows or columns into panels of 8. */
export function pack_panels_8_f32(
  target: usize, source: usize, across: usize, along: usize, extent: i32, k: i32,
): void {
  const bytes = panelBytes(8, k)
  if (across == 4) {
    for (; extent > 8; extent -= 16) {
      pack_copy_16_f32(target, target + bytes, source, along, k)
      target += 2 * bytes
      source += 64
    }
  }
  for (; extent > 0; extent -= 8) {
    if (across == 4) {
      pack_copy_8_f32(target, source, along, k)
    } else {
      pack_four(target, 32, source, across, along, extent, k)
      if (extent > 4) pack_four(target + 16, 32, source + 4 * across, across, along, extent - 4, k)
    }
    target += bytes
    source += 8 * across
  }
}

/** Packs `extent` rows or columns into panels of 4. */
export function pack_panels_4_f32(
  target: usize, source: usize, across: usize, along: usize, extent: i32, k: i32,
): void {
  const bytes = panelBytes(4, k)
  if (across == 4) {
    for (; extent >= 16; extent -= 16) {
      pack_copy_4x4_f32(target, bytes, source, along, k)
      target += 4 * bytes
      source += 64
    }
  }
  for (; extent > 0; extent -= 4) {
    if (across == 4) {
      for (let p = 0, t = target, s = source; p < k; p++, t += 16, s += along) v128.store(t, v128.load(s))
    } else {
      pack_four(target, 16, source, across, along, extent, k)
    }
    target += bytes
    source += 4 * across
  }
}

/** Packs `extent` rows or columns into panels of 6. */
export function pack_panels_6_f32(
  target: usize, source: usize, across: usize, along: usize, extent: i32, k: i32,
): void {
  const bytes = panelBytes(6, k)
  if (across == 4) {
    for (; extent >= 24; extent -= 24) {
      pack_copy_4x6_f32(target, bytes, source, along, k)
      target += 4 * bytes
      source += 96
    }
  }
  for (; extent > 0; extent -= 6) {
    if (across == 4) {
      for (let p = 0, t = target, s = source; p < k; p++, t += 24, s += along) {
        v128.store(t, v128.load(s))
        v128.store64_lane(t, v128.load(s, 8), 1, 16)
      }
    } else if (along == 4) {
      pack_transpose_6_f32(target, source, across, extent, k)
    } else {
      for (let j = 0; j < 6; j++) {
        let s = source + <usize>min(j, extent - 1) * across
        for (let p = 0, t = target + <usize>j * 4; p < k; p++, t += 24, s += along) store<f32>(t, load<f32>(s))
      }
    }
    target += bytes
    source += 6 * across
  }
}

/**
 * Two panels of 8 from neighbouring j, a cache line at a time: rows whose distance is a large power of two evict each
 * other before the second half of a line would be read (512 of 1024 columns: 1.5 times as fast).
 */
export function pack_copy_16_f32(target: usize, second: usize, source: usize, along: usize, k: i32): void {
  for (; k > 0; k--) {
    v128.store(target, v128.load(source))
    v128.store(target, v128.load(source, 16), 16)
    v128.store(second, v128.load(source, 32))
    v128.store(second, v128.load(source, 48), 16)
    target += 32
    second += 32
    source += along
  }
}

/** Four panels of 4 from neighbouring j, a cache line at a time, for the same reason. */
export function pack_copy_4x4_f32(target: usize, bytes: usize, source: usize, along: usize, k: i32): void {
  let third = target + 2 * bytes
  for (; k > 0; k--) {
    v128.store(target, v128.load(source))
    v128.store(target + bytes, v128.load(source, 16))
    v128.store(third, v128.load(source, 32))
    v128.store(third + bytes, v128.load(source, 48))
    target += 16
    third += 16
    source += along
  }
}

/** Four panels of 6 from neighbouring j, for the same reason. */
export function pack_copy_4x6_f32(target: usize, bytes: usize, source: usize, along: usize, k: i32): void {
  let third = target + 2 * bytes
  for (; k > 0; k--) {
    const v1 = v128.load(source, 16), v4 = v128.load(source, 64)
    v128.store(target, v128.load(source))
    v128.store64_lane(target, v1, 0, 16)
    v128.store64_lane(target + bytes, v1, 1)
    v128.store(target + bytes, v128.load(source, 32), 8)
    v128.store(third, v128.load(source, 48))
    v128.store64_lane(third, v4, 0, 16)
    v128.store64_lane(third + bytes, v4, 1)
    v128.store(third + bytes, v128.load(source, 80), 8)
    target += 24
    third += 24
    source += along
  }
}

/** One panel of 8 from neighbouring j: two vectors per p. */
export function pack_copy_8_f32(target: usize, source: usize, along: usize, k: i32): void {
  for (; k > 0; k--) {
    v128.store(target, v128.load(source))
    v128.store(target, v128.load(source, 16), 16)
    target += 32
    source += along
  }
}

/** Four j of a panel; from neighbouring p if there are any. */
@inline
function pack_four(
  target: usize, step: usize, source: usize, across: usize, along: usize, extent: i32, k: i32,
): void {
  if (along == 4) pack_transpose_4_f32(target, step, source, across, extent, k)
  else pack_strided_4_f32(target, step, source, across, along, extent, k)
}

/**
 * Four j of a panel from neighbouring p, by 4×4 transposes in registers: 4 loads, 8 shuffles and 4 stores for 16
 * elements. Every fourth p may read up to three elements too far.
 */
export function pack_transpose_4_f32(
  target: usize, step: usize, source: usize, across: usize, extent: i32, k: i32,
): void {
  let s0 = source
  let s1 = extent > 1 ? source + across : source
  let s2 = extent > 2 ? source + 2 * across : source
  let s3 = extent > 3 ? source + 3 * across : source
  for (; k > 0; k -= 4) {
    storeTransposed(target, step, v128.load(s0), v128.load(s1), v128.load(s2), v128.load(s3))
    target += 4 * step
    s0 += 16, s1 += 16, s2 += 16, s3 += 16
  }
}

/** Six j of a panel from neighbouring p: as four, and two more. Every fourth p may read up to three elements too far. */
export function pack_transpose_6_f32(target: usize, source: usize, across: usize, extent: i32, k: i32): void {
  let s0 = source
  let s1 = extent > 1 ? source + across : source
  let s2 = extent > 2 ? source + 2 * across : source
  let s3 = extent > 3 ? source + 3 * across : source
  let s4 = extent > 4 ? source + 4 * across : source
  let s5 = extent > 5 ? source + 5 * across : source
  for (; k > 0; k -= 4) {
    const r0 = v128.load(s0), r1 = v128.load(s1), r2 = v128.load(s2), r3 = v128.load(s3)
    const t0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5), t1 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5)
    v128.store(target, v128.shuffle<f64>(t0, t1, 0, 2))
    v128.store(target, v128.shuffle<f64>(t0, t1, 1, 3), 24)
    const t2 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7), t3 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7)
    v128.store(target, v128.shuffle<f64>(t2, t3, 0, 2), 48)
    v128.store(target, v128.shuffle<f64>(t2, t3, 1, 3), 72)
    const r4 = v128.load(s4), r5 = v128.load(s5)
    const low = v128.shuffle<f32>(r4, r5, 0, 4, 1, 5), high = v128.shuffle<f32>(r4, r5, 2, 6, 3, 7)
    v128.store64_lane(target, low, 0, 16)
    v128.store64_lane(target, low, 1, 40)
    v128.store64_lane(target, high, 0, 64)
    v128.store64_lane(target, high, 1, 88)
    target += 96
    s0 += 16, s1 += 16, s2 += 16, s3 += 16, s4 += 16, s5 += 16
  }
}

/** Four j of a panel, element by element: for strides that result from a broadcast or a slice. */
export function pack_strided_4_f32(
  target: usize, step: usize, source: usize, across: usize, along: usize, extent: i32, k: i32,
): void {
  const s1: usize = extent > 1 ? across : 0
  const s2: usize = extent > 2 ? 2 * across : 0
  const s3: usize = extent > 3 ? 3 * across : 0
  for (; k > 0; k--) {
    store<f32>(target, load<f32>(source))
    store<f32>(target, load<f32>(source + s1), 4)
    store<f32>(target, load<f32>(source + s2), 8)
    store<f32>(target, load<f32>(source + s3), 12)
    target += step
    source += along
  }
}
