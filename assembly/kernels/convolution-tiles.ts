// The innermost loops of convolutions and of their gradients: tiles of elements in registers. convolution.ts and winograd.ts run them.

import { BoxTap } from '../shared/instructions'
import { madd, rectified, storeRectified16, storeRow16, storeUpTo8 } from '../simd'

/**
 * Computes up to 8 channels if `isWide`, a constant, else up to 4, of m places, m padded to a multiple of 4. `places` holds the
 * start of each window, `outs` the address of each result, to which `column` bytes are added. The sums start from the row at
 * `start`, or, if that is 0, from the results. `weightStep` is the bytes between the weights of neighbouring elements of a window.
 */
@inline
function convolveTiles(
  isWide: bool, outs: usize, column: usize, places: usize, taps: usize, tapsEnd: usize, run: i32, weights: usize, weightStep: usize,
  m: i32, columns: i32, start: usize, floor: f32,
): void {
  const runBytes = <usize>run * weightStep
  for (; m > 0; m -= 4) {
    const out0 = load<usize>(outs) + column, out1 = load<usize>(outs, 4) + column
    const out2 = load<usize>(outs, 8) + column, out3 = load<usize>(outs, 12) + column
    const start0 = start ? start : out0, start1 = start ? start : out1
    const start2 = start ? start : out2, start3 = start ? start : out3
    let c00 = v128.load(start0), c01 = isWide ? v128.load(start0, 16) : c00
    let c10 = v128.load(start1), c11 = isWide ? v128.load(start1, 16) : c10
    let c20 = v128.load(start2), c21 = isWide ? v128.load(start2, 16) : c20
    let c30 = v128.load(start3), c31 = isWide ? v128.load(start3, 16) : c30
    for (let tap = taps; tap != tapsEnd; tap += BoxTap.size) {
      const offset = load<usize>(tap, BoxTap.offset)
      let a0 = load<usize>(places) + offset, a1 = load<usize>(places, 4) + offset
      let a2 = load<usize>(places, 8) + offset, a3 = load<usize>(places, 12) + offset
      let b = weights + load<usize>(tap, BoxTap.weight) * weightStep
      const runEnd = b + runBytes
      for (; b != runEnd; b += weightStep) {
        const b0 = v128.load(b), b1 = isWide ? v128.load(b, 16) : b0
        let s = v128.load32_splat(a0)
        c00 = madd(s, b0, c00)
        if (isWide) c01 = madd(s, b1, c01)
        s = v128.load32_splat(a1)
        c10 = madd(s, b0, c10)
        if (isWide) c11 = madd(s, b1, c11)
        s = v128.load32_splat(a2)
        c20 = madd(s, b0, c20)
        if (isWide) c21 = madd(s, b1, c21)
        s = v128.load32_splat(a3)
        c30 = madd(s, b0, c30)
        if (isWide) c31 = madd(s, b1, c31)
        a0 += 4, a1 += 4, a2 += 4, a3 += 4
      }
    }
    const low = f32x4.splat(floor)
    storeUpTo8(out0, rectified(c00, low), isWide ? rectified(c01, low) : low, columns)
    storeUpTo8(out1, rectified(c10, low), isWide ? rectified(c11, low) : low, columns)
    storeUpTo8(out2, rectified(c20, low), isWide ? rectified(c21, low) : low, columns)
    storeUpTo8(out3, rectified(c30, low), isWide ? rectified(c31, low) : low, columns)
    places += 16
    outs += 16
  }
}

/** 5 to 8 channels. */
export function convolution_4x8_f32(
  outs: usize, column: usize, places: usize, taps: usize, tapsEnd: usize, run: i32, weights: usize, weightStep: usize,
  m: i32, columns: i32, start: usize, floor: f32,
): void {
  convolveTiles(true, outs, column, places, taps, tapsEnd, run, weights, weightStep, m, columns, start, floor)
}

/** 1 to 4 channels. */
export function convolution_4x4_f32(
  outs: usize, column: usize, places: usize, taps: usize, tapsEnd: usize, run: i32, weights: usize, weightStep: usize,
  m: i32, columns: i32, start: usize, floor: f32,
): void {
  convolveTiles(false, outs, column, places, taps, tapsEnd, run, weights, weightStep, m, columns, start, floor)
}

/** The same for exactly 16 channels, the second 8 of weights at `weightsHalf` from the first, and m a multiple of 6. */
export function convolution_6x16_f32(
  outs: usize, column: usize, places: usize, taps: usize, tapsEnd: usize, run: i32, weights: usize, weightStep: usize, weightsHalf: usize,
  m: i32, start: usize, floor: f32,
): void {
  const runBytes = <usize>run * weightStep
  for (; m > 0; m -= 6) {
    const out0 = load<usize>(outs, 0) + column, start0 = start ? start : out0
    let c00 = v128.load(start0), c01 = v128.load(start0, 16), c02 = v128.load(start0, 32), c03 = v128.load(start0, 48)
    const out1 = load<usize>(outs, 4) + column, start1 = start ? start : out1
    let c10 = v128.load(start1), c11 = v128.load(start1, 16), c12 = v128.load(start1, 32), c13 = v128.load(start1, 48)
    const out2 = load<usize>(outs, 8) + column, start2 = start ? start : out2
    let c20 = v128.load(start2), c21 = v128.load(start2, 16), c22 = v128.load(start2, 32), c23 = v128.load(start2, 48)
    const out3 = load<usize>(outs, 12) + column, start3 = start ? start : out3
    let c30 = v128.load(start3), c31 = v128.load(start3, 16), c32 = v128.load(start3, 32), c33 = v128.load(start3, 48)
    const out4 = load<usize>(outs, 16) + column, start4 = start ? start : out4
    let c40 = v128.load(start4), c41 = v128.load(start4, 16), c42 = v128.load(start4, 32), c43 = v128.load(start4, 48)
    const out5 = load<usize>(outs, 20) + column, start5 = start ? start : out5
    let c50 = v128.load(start5), c51 = v128.load(start5, 16), c52 = v128.load(start5, 32), c53 = v128.load(start5, 48)
    for (let tap = taps; tap != tapsEnd; tap += BoxTap.size) {
      const offset = load<usize>(tap, BoxTap.offset)
      let a0 = load<usize>(places) + offset, a1 = load<usize>(places, 4) + offset, a2 = load<usize>(places, 8) + offset
      let a3 = load<usize>(places, 12) + offset, a4 = load<usize>(places, 16) + offset, a5 = load<usize>(places, 20) + offset
      let b = weights + load<usize>(tap, BoxTap.weight) * weightStep
      const runEnd = b + runBytes
      for (; b != runEnd; b += weightStep) {
        const half = b + weightsHalf
        const b0 = v128.load(b), b1 = v128.load(b, 16), b2 = v128.load(half), b3 = v128.load(half, 16)
        let s = v128.load32_splat(a0)
        c00 = madd(s, b0, c00), c01 = madd(s, b1, c01), c02 = madd(s, b2, c02), c03 = madd(s, b3, c03)
        s = v128.load32_splat(a1)
        c10 = madd(s, b0, c10), c11 = madd(s, b1, c11), c12 = madd(s, b2, c12), c13 = madd(s, b3, c13)
        s = v128.load32_splat(a2)
        c20 = madd(s, b0, c20), c21 = madd(s, b1, c21), c22 = madd(s, b2, c22), c23 = madd(s, b3, c23)
        s = v128.load32_splat(a3)
        c30 = madd(s, b0, c30), c31 = madd(s, b1, c31), c32 = madd(s, b2, c32), c33 = madd(s, b3, c33)
        s = v128.load32_splat(a4)
        c40 = madd(s, b0, c40), c41 = madd(s, b1, c41), c42 = madd(s, b2, c42), c43 = madd(s, b3, c43)
        s = v128.load32_splat(a5)
        c50 = madd(s, b0, c50), c51 = madd(s, b1, c51), c52 = madd(s, b2, c52), c53 = madd(s, b3, c53)
        a0 += 4, a1 += 4, a2 += 4, a3 += 4, a4 += 4, a5 += 4
      }
    }
    const low = f32x4.splat(floor)
    storeRectified16(out0, c00, c01, c02, c03, low)
    storeRectified16(out1, c10, c11, c12, c13, low)
    storeRectified16(out2, c20, c21, c22, c23, low)
    storeRectified16(out3, c30, c31, c32, c33, low)
    storeRectified16(out4, c40, c41, c42, c43, low)
    storeRectified16(out5, c50, c51, c52, c53, low)
    places += 24
    outs += 24
  }
}

/**
 * Adds up to 4 neighbouring elements of a window × 16 channels if `isWide`, a constant, else up to 8, over `rows` rows of `width`
 * places.
 */
@inline
function addKernelTile(
  isWide: bool, out: usize, step: usize, elements: i32, columns: i32, rowsAt: usize, offset: usize, inputStep: usize,
  gradientsAt: usize, column: usize, gradientStep: usize, width: i32, rows: i32,
): void {
  const one = out + step, two = one + step, three = two + step
  let c00 = v128.load(out), c01 = v128.load(out, 16), c02 = isWide ? v128.load(out, 32) : c00, c03 = isWide ? v128.load(out, 48) : c01
  let c10 = c00, c11 = c00, c12 = c00, c13 = c00, c20 = c00, c21 = c00, c22 = c00, c23 = c00, c30 = c00, c31 = c00, c32 = c00, c33 = c00
  if (elements > 1) {
    c10 = v128.load(one), c11 = v128.load(one, 16)
    if (isWide) c12 = v128.load(one, 32), c13 = v128.load(one, 48)
  }
  if (elements > 2) {
    c20 = v128.load(two), c21 = v128.load(two, 16)
    if (isWide) c22 = v128.load(two, 32), c23 = v128.load(two, 48)
  }
  if (elements > 3) {
    c30 = v128.load(three), c31 = v128.load(three, 16)
    if (isWide) c32 = v128.load(three, 32), c33 = v128.load(three, 48)
  }
  const bytes = <usize>width * gradientStep
  for (; rows > 0; rows--, rowsAt += 4, gradientsAt += 4) {
    let a = load<usize>(rowsAt) + offset
    const gradient = load<usize>(gradientsAt) + column, end = gradient + bytes
    for (let b = gradient; b != end; b += gradientStep) {
      const b0 = v128.load(b), b1 = v128.load(b, 16), b2 = isWide ? v128.load(b, 32) : b0, b3 = isWide ? v128.load(b, 48) : b1
      let s = v128.load32_splat(a)
      c00 = madd(s, b0, c00), c01 = madd(s, b1, c01)
      if (isWide) c02 = madd(s, b2, c02), c03 = madd(s, b3, c03)
      s = v128.load32_splat(a, 4)
      c10 = madd(s, b0, c10), c11 = madd(s, b1, c11)
      if (isWide) c12 = madd(s, b2, c12), c13 = madd(s, b3, c13)
      s = v128.load32_splat(a, 8)
      c20 = madd(s, b0, c20), c21 = madd(s, b1, c21)
      if (isWide) c22 = madd(s, b2, c22), c23 = madd(s, b3, c23)
      s = v128.load32_splat(a, 12)
      c30 = madd(s, b0, c30), c31 = madd(s, b1, c31)
      if (isWide) c32 = madd(s, b2, c32), c33 = madd(s, b3, c33)
      a += inputStep
    }
  }
  storeKernelRow(isWide, out, c00, c01, c02, c03, columns)
  if (elements > 1) storeKernelRow(isWide, one, c10, c11, c12, c13, columns)
  if (elements > 2) storeKernelRow(isWide, two, c20, c21, c22, c23, columns)
  if (elements > 3) storeKernelRow(isWide, three, c30, c31, c32, c33, columns)
}

@inline
function storeKernelRow(isWide: bool, out: usize, a: v128, b: v128, c: v128, d: v128, columns: i32): void {
  if (isWide) storeRow16(out, a, b, c, d)
  else storeUpTo8(out, a, b, columns)
}

/** Adds up to 4 neighbouring elements of a window × up to 8 channels. */
export function convolution_kernel_4x8_f32(
  out: usize, step: usize, elements: i32, columns: i32, rowsAt: usize, offset: usize, inputStep: usize,
  gradientsAt: usize, column: usize, gradientStep: usize, width: i32, rows: i32,
): void {
  addKernelTile(false, out, step, elements, columns, rowsAt, offset, inputStep, gradientsAt, column, gradientStep, width, rows)
}

/** The same for 16 channels. */
export function convolution_kernel_4x16_f32(
  out: usize, step: usize, elements: i32, rowsAt: usize, offset: usize, inputStep: usize,
  gradientsAt: usize, column: usize, gradientStep: usize, width: i32, rows: i32,
): void {
  addKernelTile(true, out, step, elements, 16, rowsAt, offset, inputStep, gradientsAt, column, gradientStep, width, rows)
}
