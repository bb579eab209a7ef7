// Convolution of each channel separately: four neighbouring channels per vector, four places at a time.

import { Box, BoxAxis, BoxTap, CONVOLUTION_PLACES, DepthwiseConvolution, DepthwiseConvolutionKernel, GEMM_SCRATCH } from '../shared/instructions'
import { Epilogue } from '../shared/opcodes'
import { floorOf } from './activate'
import { partEnd, partStart } from '../parts'
import { fillWords, madd, rectified, storeTail } from '../simd'
import { TABLE_BYTES, activateBox, boxRow, boxTaps, nextBox, writeBoxPlaces, writeBoxRows } from './window'

/** Bytes of the rows of a block, so that they stay in the first-level cache. */
const ROWS_BYTES: i32 = 20 * 1024
const MOST_ROWS: i32 = 64

/** Runs a DepthwiseConvolution, or a part of the places of each box. */
export function depthwiseConvolution(instruction: usize, part: i32, parts: i32): void {
  const channels = load<i32>(instruction, DepthwiseConvolution.channels)
  if (channels <= 0) return
  const boxes = load<i32>(instruction, DepthwiseConvolution.boxes)
  const epilogue = load<i32>(instruction, DepthwiseConvolution.epilogue)
  const tables = load<usize>(instruction, DepthwiseConvolution.scratch) + <usize>part * GEMM_SCRATCH
  const places = tables, outs = tables + TABLE_BYTES
  const input = load<usize>(instruction, DepthwiseConvolution.input), out = load<usize>(instruction, DepthwiseConvolution.out)
  const weights = load<usize>(instruction, DepthwiseConvolution.weights), bias = load<usize>(instruction, DepthwiseConvolution.bias)
  const floor = floorOf(epilogue)
  let box = instruction + DepthwiseConvolution.size
  for (let i = 0; i < boxes; i++, box = nextBox(box)) {
    const all = load<i32>(box, Box.places)
    const last = partEnd(all, 4, part, parts)
    for (let place = partStart(all, 4, part, parts); place < last; place += CONVOLUTION_PLACES) {
      const count = min(CONVOLUTION_PLACES, last - place)
      writeBoxPlaces(places, outs, box, input, out, place, count)
      for (let tile: usize = 0; tile < <usize>count * 4; tile += 16) {
        depthwise_4_f32(outs + tile, places + tile, boxTaps(box), nextBox(box), weights, channels, bias, floor)
      }
    }
    if (epilogue > Epilogue.ReluToFactor) activateBox(box, part, parts, tables, out, channels, epilogue)
  }
}

/** All channels of four places. */
export function depthwise_4_f32(outs: usize, places: usize, taps: usize, tapsEnd: usize, weights: usize, channels: i32, bias: usize, floor: f32): void {
  let p0 = load<usize>(places), p1 = load<usize>(places, 4), p2 = load<usize>(places, 8), p3 = load<usize>(places, 12)
  const out0 = load<usize>(outs), out1 = load<usize>(outs, 4), out2 = load<usize>(outs, 8), out3 = load<usize>(outs, 12)
  for (let at: usize = 0, left = channels; left > 0; left -= 4, at += 16) {
    let c0 = bias ? v128.load(bias + at) : f32x4.splat(0), c1 = c0, c2 = c0, c3 = c0
    for (let tap = taps; tap != tapsEnd; tap += BoxTap.size) {
      const offset = load<usize>(tap, BoxTap.offset)
      const b = v128.load(weights + load<usize>(tap, BoxTap.weight))
      c0 = madd(v128.load(p0 + offset), b, c0)
      c1 = madd(v128.load(p1 + offset), b, c1)
      c2 = madd(v128.load(p2 + offset), b, c2)
      c3 = madd(v128.load(p3 + offset), b, c3)
    }
    const low = f32x4.splat(floor)
    storeChannels(out0 + at, rectified(c0, low), left)
    storeChannels(out1 + at, rectified(c1, low), left)
    storeChannels(out2 + at, rectified(c2, low), left)
    storeChannels(out3 + at, rectified(c3, low), left)
    p0 += 16, p1 += 16, p2 += 16, p3 += 16
    weights += 16
  }
}

/**
 * Runs a DepthwiseConvolutionKernel, or a part of its vectors of channels; rows are in blocks, as in convolutionKernel.
 */
export function depthwiseConvolutionKernel(instruction: usize, part: i32, parts: i32): void {
  const channels = load<i32>(instruction, DepthwiseConvolutionKernel.channels)
  const first = partStart(channels, 4, part, parts), last = partEnd(channels, 4, part, parts)
  if (first >= last) return
  const tables = load<usize>(instruction, DepthwiseConvolutionKernel.scratch) + <usize>part * GEMM_SCRATCH
  const rowsAt = tables, gradientsAt = tables + TABLE_BYTES
  const input = load<usize>(instruction, DepthwiseConvolutionKernel.input), gradient = load<usize>(instruction, DepthwiseConvolutionKernel.gradient)
  const out = load<usize>(instruction, DepthwiseConvolutionKernel.out)
  const taps = load<i32>(instruction, DepthwiseConvolutionKernel.taps)
  const boxes = load<i32>(instruction, DepthwiseConvolutionKernel.boxes)
  // zeros first: not every box has every tap
  for (let tap = 0; tap < taps; tap++) fillWords(out + <usize>(tap * channels + first) * 4, 0, last - first)
  let box = instruction + DepthwiseConvolutionKernel.size
  for (let i = 0; i < boxes; i++, box = nextBox(box)) {
    const row = boxRow(box)
    const extent = load<i32>(row, BoxAxis.extent), inputStep = load<usize>(row, BoxAxis.stride) << 2, gradientStep = load<usize>(row, BoxAxis.outStride) << 2
    const rows = load<i32>(box, Box.places) / extent
    const block = max(1, min(MOST_ROWS, ROWS_BYTES / max(<i32>(<usize>extent * (gradientStep + inputStep)), 1)))
    for (let from = 0; from < rows; from += block) {
      const count = min(block, rows - from)
      writeBoxRows(rowsAt, gradientsAt, box, input, gradient, from, count)
      for (let channel = first; channel < last; channel += 4) {
        for (let tap = boxTaps(box), end = nextBox(box); tap < end; tap += 4 * BoxTap.size) {
          const some = min(<i32>((end - tap) / BoxTap.size), 4)
          depthwise_kernel_4_f32(out, tap, some, channels - channel, rowsAt, gradientsAt, <usize>channel * 4, inputStep, gradientStep, extent, count)
        }
      }
    }
  }
}

/** Adds up to 4 taps × up to 4 channels, over `rows` rows of `width` places. */
export function depthwise_kernel_4_f32(
  out: usize, list: usize, taps: i32, columns: i32, rowsAt: usize, gradientsAt: usize, at: usize, inputStep: usize, gradientStep: usize,
  width: i32, rows: i32,
): void {
  // missing taps repeat tap 0 and are not stored
  const tap1 = taps > 1 ? list + BoxTap.size : list, tap2 = taps > 2 ? list + 2 * BoxTap.size : list, tap3 = taps > 3 ? list + 3 * BoxTap.size : list
  const offset0 = load<usize>(list, BoxTap.offset) + at, offset1 = load<usize>(tap1, BoxTap.offset) + at
  const offset2 = load<usize>(tap2, BoxTap.offset) + at, offset3 = load<usize>(tap3, BoxTap.offset) + at
  out += at
  const zero = out + load<usize>(list, BoxTap.weight), one = out + load<usize>(tap1, BoxTap.weight)
  const two = out + load<usize>(tap2, BoxTap.weight), three = out + load<usize>(tap3, BoxTap.weight)
  let c0 = v128.load(zero), c1 = v128.load(one), c2 = v128.load(two), c3 = v128.load(three)
  for (; rows > 0; rows--, rowsAt += 4, gradientsAt += 4) {
    const row = load<usize>(rowsAt)
    let a0 = row + offset0, a1 = row + offset1, a2 = row + offset2, a3 = row + offset3
    let gradient = load<usize>(gradientsAt) + at
    for (let left = width; left > 0; left--) {
      const b = v128.load(gradient)
      c0 = madd(v128.load(a0), b, c0)
      c1 = madd(v128.load(a1), b, c1)
      c2 = madd(v128.load(a2), b, c2)
      c3 = madd(v128.load(a3), b, c3)
      a0 += inputStep, a1 += inputStep, a2 += inputStep, a3 += inputStep
      gradient += gradientStep
    }
  }
  storeChannels(zero, c0, columns)
  if (taps > 1) storeChannels(one, c1, columns)
  if (taps > 2) storeChannels(two, c2, columns)
  if (taps > 3) storeChannels(three, c3, columns)
}

@inline
function storeChannels(out: usize, value: v128, columns: i32): void {
  if (columns >= 4) v128.store(out, value)
  else storeTail(out, value, columns)
}
