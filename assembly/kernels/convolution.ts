// Convolution as a matrix product whose left side is never written down: a row of it is what a window sees, and four of
// them are four pointers into input. The weights are packed as those of a Gemm.

import { Convolution, ConvolutionKernel, CONVOLUTION_CHANNELS, CONVOLUTION_DEPTH, CONVOLUTION_PLACES, GEMM_SCRATCH, WindowAxis } from '../shared/instructions'
import { Epilogue } from '../shared/opcodes'
import { partEnd, partStart } from '../parts'
import { madd, storeUpTo8, storeTail } from '../simd'
import { activate_f32 } from './gemm'
import { pack_panels_8_f32, panelBytes } from './pack'
import { rowExtent, rowStep, writePlaces, writeRows } from './window'

/** Places from which on packed weights repay their packing. */
const PACK_PLACES: i32 = 40
/** Bytes that the rows of a block may have, input and gradient together, so that they stay in the first-level cache. */
const ROWS_BYTES: i32 = 20 * 1024
const MOST_ROWS: i32 = 64

// In scratch: the packed weights, a row of zeros, the table of places.
const PACKED_BYTES: usize = 4 * CONVOLUTION_DEPTH * CONVOLUTION_CHANNELS
const ZEROS_BYTES: usize = 64

/** Runs a Convolution, or a part of its places. */
export function convolution(instruction: usize, part: i32, parts: i32): void {
  const all = load<i32>(instruction, Convolution.places)
  const first = partStart(all, 4, part, parts), last = partEnd(all, 4, part, parts)
  const channels = load<i32>(instruction, Convolution.channels)
  if (first >= last || channels <= 0) return
  const rank = load<i32>(instruction, Convolution.rank)
  const taps = load<i32>(instruction, Convolution.taps)
  const run = load<i32>(instruction, Convolution.run)
  const groups = load<i32>(instruction, Convolution.groups)
  const groupBytes = load<usize>(instruction, Convolution.groupStride) << 2
  const epilogue = load<i32>(instruction, Convolution.epilogue)
  const bias = load<usize>(instruction, Convolution.bias)
  const out = load<usize>(instruction, Convolution.out)
  const wide = load<i32>(instruction, Convolution.wide) != 0
  const scratch = load<usize>(instruction, Convolution.scratch) + <usize>part * GEMM_SCRATCH
  const zeros = scratch + PACKED_BYTES, places = zeros + ZEROS_BYTES
  const axes = instruction + Convolution.size, offsets = axes + <usize>rank * WindowAxis.size
  const floor: f32 = epilogue == Epilogue.Relu ? 0 : -Infinity
  const step = <usize>(groups * channels) * 4
  for (let i: usize = 0; i < ZEROS_BYTES; i += 16) v128.store(zeros + i, f32x4.splat(0))

  // blocks of whole taps whose panel of weights stays in the first-level cache
  let packs = last - first >= PACK_PLACES && step != 32
  const blocks = packs ? (taps * run + CONVOLUTION_DEPTH - 1) / CONVOLUTION_DEPTH : 1
  const blockTaps = max((taps + blocks - 1) / max(blocks, 1), 1)
  const blockChannels = <i32>(PACKED_BYTES / 4) / max((blockTaps * run + 3) & ~3, 1) & ~7
  if (blockChannels == 0) packs = false
  const packed = packs ? min(blockChannels, channels) : channels

  for (let group = 0; group < groups; group++) {
    const input = load<usize>(instruction, Convolution.input) + <usize>group * groupBytes
    let tap = 0
    do {
      const count = min(blockTaps, taps - tap)
      const depth = count * run
      const blockFloor: f32 = tap + count == taps ? floor : -Infinity
      for (let j = 0; j < channels; j += packed) {
        const columns = min(packed, channels - j)
        const column = <usize>(group * channels + j) * 4
        const weights = load<usize>(instruction, Convolution.weights) + <usize>(tap * run) * step + column
        if (packs) pack_panels_8_f32(scratch, weights, 4, step, columns, depth)
        const panels = packs ? scratch : weights
        const panelStep: usize = packs ? panelBytes(8, depth) : 32
        const weightStep: usize = packs ? 32 : step
        for (let place = first; place < last; place += CONVOLUTION_PLACES) {
          const height = min(CONVOLUTION_PLACES, last - place)
          writePlaces(places, input, axes, rank, place, height)
          padPlaces(places, height)
          let panel = panels
          let to = out + <usize>place * step + column
          // the sums begin with what the taps before left, else with the bias, else with zeros
          const startStep: usize = tap > 0 ? step : 0
          const startStrip: usize = tap > 0 || bias ? 32 : 0
          let start = tap > 0 ? to : bias ? bias + column : zeros
          const taken = offsets + <usize>tap * 4
          // for two strips at once; a multiple of 4 as well, so that the rest is padded alike
          const pairRows = height - height % 12
          let isSecond = false
          for (let left = columns; left > 0; left -= 8) {
            const isFirst = wide && !isSecond && left >= 16
            if (isFirst && pairRows > 0) {
              convolution_6x16_f32(to, step, places, taken, count, run, panel, weightStep, panelStep, pairRows, start, startStep, blockFloor)
            }
            const skip = isFirst || isSecond ? pairRows : 0
            if (skip < height) {
              convolveStrip(
                to + <usize>skip * step, step, places + <usize>skip * 4, taken, count, run, panel, weightStep, height - skip, left,
                start + <usize>skip * startStep, startStep, blockFloor,
              )
            }
            isSecond = isFirst
            panel += panelStep
            to += 32
            start += startStrip
          }
        }
      }
      tap += count
    } while (tap < taps)
  }
  if (epilogue > Epilogue.Relu) activate_f32(out + <usize>first * step, (last - first) * groups * channels, epilogue)
}

/** The last one to three places as four, in the order that a tile writes them: 0 0 0 0, 0 1 0 1 or 0 1 1 2. */
@inline
function padPlaces(places: usize, count: i32): void {
  const rest = count & 3
  if (rest == 0) return
  const edge = places + <usize>(count - rest) * 4
  const zero = load<usize>(edge), one = rest > 1 ? load<usize>(edge, 4) : zero, two = rest > 2 ? load<usize>(edge, 8) : zero
  store<usize>(edge, one, 4)
  store<usize>(edge, rest > 2 ? one : zero, 8)
  store<usize>(edge, rest > 2 ? two : one, 12)
}

/** All places of a block, up to 8 channels. */
@inline
function convolveStrip(
  out: usize, step: usize, places: usize, offsets: usize, taps: i32, run: i32, weights: usize, weightStep: usize,
  height: i32, columns: i32, start: usize, startStep: usize, floor: f32,
): void {
  const whole = height & ~3, rest = height & 3
  const one: usize = rest > 1 ? usize.MAX_VALUE : 0
  const two: usize = rest > 2 ? usize.MAX_VALUE : 0
  const edge = out + <usize>whole * step, edgePlaces = places + <usize>whole * 4, edgeStart = start + <usize>whole * startStep
  if (columns > 4) {
    if (whole) convolution_4x8_f32(out, step, 2 * step, places, offsets, taps, run, weights, weightStep, whole, columns, start, startStep, 2 * startStep, floor)
    if (rest) convolution_4x8_f32(edge, step & one, step & two, edgePlaces, offsets, taps, run, weights, weightStep, 4, columns, edgeStart, startStep & one, startStep & two, floor)
  } else {
    if (whole) convolution_4x4_f32(out, step, 2 * step, places, offsets, taps, run, weights, weightStep, whole, columns, start, startStep, 2 * startStep, floor)
    if (rest) convolution_4x4_f32(edge, step & one, step & two, edgePlaces, offsets, taps, run, weights, weightStep, 4, columns, edgeStart, startStep & one, startStep & two, floor)
  }
}

/**
 * 5 to 8 channels of m places, a multiple of 4, whose windows begin where `places` says. The four rows of a tile of
 * out are at 0, step1, step2 and step1 + step2, as in gemm-tiles.ts. Of the weights, neighbouring elements of a window
 * are `weightStep` bytes apart.
 */
export function convolution_4x8_f32(
  out: usize, step1: usize, step2: usize, places: usize, offsets: usize, taps: i32, run: i32, weights: usize, weightStep: usize,
  m: i32, columns: i32, start: usize, start1Step: usize, start2Step: usize, floor: f32,
): void {
  const runBytes = <usize>run * weightStep
  for (; m > 0; m -= 4) {
    const start1 = start + start1Step, start2 = start + start2Step, start3 = start1 + start2Step
    let c00 = v128.load(start), c01 = v128.load(start, 16)
    let c10 = v128.load(start1), c11 = v128.load(start1, 16)
    let c20 = v128.load(start2), c21 = v128.load(start2, 16)
    let c30 = v128.load(start3), c31 = v128.load(start3, 16)
    let b = weights
    const end = offsets + <usize>taps * 4
    for (let tap = offsets; tap != end; tap += 4) {
      const offset = load<usize>(tap) << 2
      let a0 = load<usize>(places) + offset, a1 = load<usize>(places, 4) + offset
      let a2 = load<usize>(places, 8) + offset, a3 = load<usize>(places, 12) + offset
      const runEnd = b + runBytes
      for (; b != runEnd; b += weightStep) {
        const b0 = v128.load(b), b1 = v128.load(b, 16)
        let s = v128.load32_splat(a0)
        c00 = madd(s, b0, c00), c01 = madd(s, b1, c01)
        s = v128.load32_splat(a1)
        c10 = madd(s, b0, c10), c11 = madd(s, b1, c11)
        s = v128.load32_splat(a2)
        c20 = madd(s, b0, c20), c21 = madd(s, b1, c21)
        s = v128.load32_splat(a3)
        c30 = madd(s, b0, c30), c31 = madd(s, b1, c31)
        a0 += 4, a1 += 4, a2 += 4, a3 += 4
      }
    }
    const low = f32x4.splat(floor)
    c00 = f32x4.pmax(c00, low), c01 = f32x4.pmax(c01, low)
    c10 = f32x4.pmax(c10, low), c11 = f32x4.pmax(c11, low)
    c20 = f32x4.pmax(c20, low), c21 = f32x4.pmax(c21, low)
    c30 = f32x4.pmax(c30, low), c31 = f32x4.pmax(c31, low)
    const out1 = out + step1, out2 = out + step2, out3 = out1 + step2
    storeUpTo8(out3, c30, c31, columns)
    storeUpTo8(out2, c20, c21, columns)
    storeUpTo8(out1, c10, c11, columns)
    storeUpTo8(out, c00, c01, columns)
    places += 16
    out += 2 * step2
    start += 2 * start2Step
  }
}

/**
 * The same for exactly 16 channels, the second 8 of weights at `weightsHalf` from the first, and m a multiple of 6. outRow and
 * startRow are the steps to the next row.
 */
export function convolution_6x16_f32(
  out: usize, outRow: usize, places: usize, offsets: usize, taps: i32, run: i32, weights: usize, weightStep: usize, weightsHalf: usize,
  m: i32, start: usize, startRow: usize, floor: f32,
): void {
  const runBytes = <usize>run * weightStep
  const end = offsets + <usize>taps * 4
  for (; m > 0; m -= 6) {
    let c00 = v128.load(start), c01 = v128.load(start, 16), c02 = v128.load(start, 32), c03 = v128.load(start, 48)
    start += startRow
    let c10 = v128.load(start), c11 = v128.load(start, 16), c12 = v128.load(start, 32), c13 = v128.load(start, 48)
    start += startRow
    let c20 = v128.load(start), c21 = v128.load(start, 16), c22 = v128.load(start, 32), c23 = v128.load(start, 48)
    start += startRow
    let c30 = v128.load(start), c31 = v128.load(start, 16), c32 = v128.load(start, 32), c33 = v128.load(start, 48)
    start += startRow
    let c40 = v128.load(start), c41 = v128.load(start, 16), c42 = v128.load(start, 32), c43 = v128.load(start, 48)
    start += startRow
    let c50 = v128.load(start), c51 = v128.load(start, 16), c52 = v128.load(start, 32), c53 = v128.load(start, 48)
    start += startRow
    let b = weights
    for (let tap = offsets; tap != end; tap += 4) {
      const offset = load<usize>(tap) << 2
      let a0 = load<usize>(places) + offset, a1 = load<usize>(places, 4) + offset, a2 = load<usize>(places, 8) + offset
      let a3 = load<usize>(places, 12) + offset, a4 = load<usize>(places, 16) + offset, a5 = load<usize>(places, 20) + offset
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
    v128.store(out, f32x4.pmax(c00, low)), v128.store(out, f32x4.pmax(c01, low), 16)
    v128.store(out, f32x4.pmax(c02, low), 32), v128.store(out, f32x4.pmax(c03, low), 48)
    out += outRow
    v128.store(out, f32x4.pmax(c10, low)), v128.store(out, f32x4.pmax(c11, low), 16)
    v128.store(out, f32x4.pmax(c12, low), 32), v128.store(out, f32x4.pmax(c13, low), 48)
    out += outRow
    v128.store(out, f32x4.pmax(c20, low)), v128.store(out, f32x4.pmax(c21, low), 16)
    v128.store(out, f32x4.pmax(c22, low), 32), v128.store(out, f32x4.pmax(c23, low), 48)
    out += outRow
    v128.store(out, f32x4.pmax(c30, low)), v128.store(out, f32x4.pmax(c31, low), 16)
    v128.store(out, f32x4.pmax(c32, low), 32), v128.store(out, f32x4.pmax(c33, low), 48)
    out += outRow
    v128.store(out, f32x4.pmax(c40, low)), v128.store(out, f32x4.pmax(c41, low), 16)
    v128.store(out, f32x4.pmax(c42, low), 32), v128.store(out, f32x4.pmax(c43, low), 48)
    out += outRow
    v128.store(out, f32x4.pmax(c50, low)), v128.store(out, f32x4.pmax(c51, low), 16)
    v128.store(out, f32x4.pmax(c52, low), 32), v128.store(out, f32x4.pmax(c53, low), 48)
    out += outRow
    places += 24
  }
}

/** 1 to 4 channels. */
export function convolution_4x4_f32(
  out: usize, step1: usize, step2: usize, places: usize, offsets: usize, taps: i32, run: i32, weights: usize, weightStep: usize,
  m: i32, columns: i32, start: usize, start1Step: usize, start2Step: usize, floor: f32,
): void {
  const runBytes = <usize>run * weightStep
  for (; m > 0; m -= 4) {
    const start1 = start + start1Step, start2 = start + start2Step, start3 = start1 + start2Step
    let c0 = v128.load(start), c1 = v128.load(start1), c2 = v128.load(start2), c3 = v128.load(start3)
    let b = weights
    const end = offsets + <usize>taps * 4
    for (let tap = offsets; tap != end; tap += 4) {
      const offset = load<usize>(tap) << 2
      let a0 = load<usize>(places) + offset, a1 = load<usize>(places, 4) + offset
      let a2 = load<usize>(places, 8) + offset, a3 = load<usize>(places, 12) + offset
      const runEnd = b + runBytes
      for (; b != runEnd; b += weightStep) {
        const b0 = v128.load(b)
        c0 = madd(v128.load32_splat(a0), b0, c0)
        c1 = madd(v128.load32_splat(a1), b0, c1)
        c2 = madd(v128.load32_splat(a2), b0, c2)
        c3 = madd(v128.load32_splat(a3), b0, c3)
        a0 += 4, a1 += 4, a2 += 4, a3 += 4
      }
    }
    const low = f32x4.splat(floor)
    const out1 = out + step1, out2 = out + step2, out3 = out1 + step2
    storeUpTo8(out3, f32x4.pmax(c3, low), low, columns)
    storeUpTo8(out2, f32x4.pmax(c2, low), low, columns)
    storeUpTo8(out1, f32x4.pmax(c1, low), low, columns)
    storeUpTo8(out, f32x4.pmax(c0, low), low, columns)
    places += 16
    out += 2 * step2
    start += 2 * start2Step
  }
}

/**
 * Runs a ConvolutionKernel, or a part of its tiles, each of four neighbouring elements of a window and 8 channels. Rows
 * of places are gone through in blocks that stay in the first-level cache; the order of additions is that of the places.
 */
export function convolutionKernel(instruction: usize, part: i32, parts: i32): void {
  const channels = load<i32>(instruction, ConvolutionKernel.channels)
  const taps = load<i32>(instruction, ConvolutionKernel.taps)
  const run = load<i32>(instruction, ConvolutionKernel.run)
  const groups = load<i32>(instruction, ConvolutionKernel.groups)
  // 16 channels at once where they come out even
  const isWide = load<i32>(instruction, ConvolutionKernel.wide) != 0 && (channels & 15) == 0
  const strips = isWide ? channels >> 4 : (channels + 7) >> 3, runTiles = (run + 3) >> 2
  const tiles = groups * strips * taps * runTiles
  const first = partStart(tiles, 1, part, parts), last = partEnd(tiles, 1, part, parts)
  if (first >= last) return
  const rank = load<i32>(instruction, ConvolutionKernel.rank)
  const groupBytes = load<usize>(instruction, ConvolutionKernel.groupStride) << 2
  const axes = instruction + ConvolutionKernel.size, offsets = axes + <usize>rank * WindowAxis.size
  const rowsAt = load<usize>(instruction, ConvolutionKernel.scratch) + <usize>part * GEMM_SCRATCH
  const input = load<usize>(instruction, ConvolutionKernel.input)
  const out = load<usize>(instruction, ConvolutionKernel.out)
  const step = <usize>(groups * channels) * 4
  const width = rowExtent(axes, rank), inputStep = rowStep(axes, rank)
  const rowBytes = <usize>width * step
  const rows = load<i32>(instruction, ConvolutionKernel.places) / max(width, 1)
  const block = max(1, min(MOST_ROWS, ROWS_BYTES / max(<i32>(<usize>width * (step + inputStep)), 1)))
  let gradient = load<usize>(instruction, ConvolutionKernel.gradient)
  let row = 0
  do {
    const count = min(block, rows - row)
    writeRows(rowsAt, input, axes, rank, row, count)
    for (let tile = first; tile < last; tile++) {
      let rest = tile / runTiles
      const element = (tile - rest * runTiles) * 4
      const strip = rest / taps
      const tap = rest - strip * taps
      const group = strip / strips
      const channel = (strip - group * strips) * (isWide ? 16 : 8)
      const column = <usize>(group * channels + channel) * 4
      const to = out + <usize>(tap * run + element) * step + column
      const offset = <usize>group * groupBytes + (load<usize>(offsets + <usize>tap * 4) << 2) + <usize>element * 4
      const elements = min(run - element, 4), from = gradient + column
      if (isWide) convolution_kernel_4x16_f32(to, step, elements, rowsAt, offset, inputStep, from, step, rowBytes, width, count, row == 0)
      else convolution_kernel_4x8_f32(to, step, elements, channels - channel, rowsAt, offset, inputStep, from, step, rowBytes, width, count, row == 0)
    }
    gradient += <usize>count * rowBytes
    row += count
  } while (row < rows)
}

/** Up to 4 neighbouring elements of a window × up to 8 channels, over `rows` rows of `width` places. */
export function convolution_kernel_4x8_f32(
  out: usize, step: usize, elements: i32, columns: i32, rowsAt: usize, offset: usize, inputStep: usize,
  gradient: usize, gradientStep: usize, rowBytes: usize, width: i32, rows: i32, isFirst: bool,
): void {
  const one = out + step, two = one + step, three = two + step
  let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00
  if (!isFirst) {
    c00 = v128.load(out), c01 = v128.load(out, 16)
    if (elements > 1) c10 = v128.load(one), c11 = v128.load(one, 16)
    if (elements > 2) c20 = v128.load(two), c21 = v128.load(two, 16)
    if (elements > 3) c30 = v128.load(three), c31 = v128.load(three, 16)
  }
  const bytes = <usize>width * gradientStep
  for (; rows > 0; rows--, rowsAt += 4, gradient += rowBytes) {
    let a = load<usize>(rowsAt) + offset
    const end = gradient + bytes
    for (let b = gradient; b != end; b += gradientStep) {
      const b0 = v128.load(b), b1 = v128.load(b, 16)
      let s = v128.load32_splat(a)
      c00 = madd(s, b0, c00), c01 = madd(s, b1, c01)
      s = v128.load32_splat(a, 4)
      c10 = madd(s, b0, c10), c11 = madd(s, b1, c11)
      s = v128.load32_splat(a, 8)
      c20 = madd(s, b0, c20), c21 = madd(s, b1, c21)
      s = v128.load32_splat(a, 12)
      c30 = madd(s, b0, c30), c31 = madd(s, b1, c31)
      a += inputStep
    }
  }
  storeUpTo8(out, c00, c01, columns)
  if (elements > 1) storeUpTo8(one, c10, c11, columns)
  if (elements > 2) storeUpTo8(two, c20, c21, columns)
  if (elements > 3) storeUpTo8(three, c30, c31, columns)
}

/** The same for 16 channels. */
export function convolution_kernel_4x16_f32(
  out: usize, step: usize, elements: i32, rowsAt: usize, offset: usize, inputStep: usize,
  gradient: usize, gradientStep: usize, rowBytes: usize, width: i32, rows: i32, isFirst: bool,
): void {
  const one = out + step, two = one + step, three = two + step
  let c00 = f32x4.splat(0), c01 = c00, c02 = c00, c03 = c00, c10 = c00, c11 = c00, c12 = c00, c13 = c00
  let c20 = c00, c21 = c00, c22 = c00, c23 = c00, c30 = c00, c31 = c00, c32 = c00, c33 = c00
  if (!isFirst) {
    c00 = v128.load(out), c01 = v128.load(out, 16), c02 = v128.load(out, 32), c03 = v128.load(out, 48)
    if (elements > 1) c10 = v128.load(one), c11 = v128.load(one, 16), c12 = v128.load(one, 32), c13 = v128.load(one, 48)
    if (elements > 2) c20 = v128.load(two), c21 = v128.load(two, 16), c22 = v128.load(two, 32), c23 = v128.load(two, 48)
    if (elements > 3) c30 = v128.load(three), c31 = v128.load(three, 16), c32 = v128.load(three, 32), c33 = v128.load(three, 48)
  }
  const bytes = <usize>width * gradientStep
  for (; rows > 0; rows--, rowsAt += 4, gradient += rowBytes) {
    let a = load<usize>(rowsAt) + offset
    const end = gradient + bytes
    for (let b = gradient; b != end; b += gradientStep) {
      const b0 = v128.load(b), b1 = v128.load(b, 16), b2 = v128.load(b, 32), b3 = v128.load(b, 48)
      let s = v128.load32_splat(a)
      c00 = madd(s, b0, c00), c01 = madd(s, b1, c01), c02 = madd(s, b2, c02), c03 = madd(s, b3, c03)
      s = v128.load32_splat(a, 4)
      c10 = madd(s, b0, c10), c11 = madd(s, b1, c11), c12 = madd(s, b2, c12), c13 = madd(s, b3, c13)
      s = v128.load32_splat(a, 8)
      c20 = madd(s, b0, c20), c21 = madd(s, b1, c21), c22 = madd(s, b2, c22), c23 = madd(s, b3, c23)
      s = v128.load32_splat(a, 12)
      c30 = madd(s, b0, c30), c31 = madd(s, b1, c31), c32 = madd(s, b2, c32), c33 = madd(s, b3, c33)
      a += inputStep
    }
  }
  storeRow16(out, c00, c01, c02, c03)
  if (elements > 1) storeRow16(one, c10, c11, c12, c13)
  if (elements > 2) storeRow16(two, c20, c21, c22, c23)
  if (elements > 3) storeRow16(three, c30, c31, c32, c33)
}

@inline
function storeRow16(out: usize, a: v128, b: v128, c: v128, d: v128): void {
  v128.store(out, a), v128.store(out, b, 16), v128.store(out, c, 32), v128.store(out, d, 48)
}
