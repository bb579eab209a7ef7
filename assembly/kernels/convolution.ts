// Convolution as a matrix product whose left side is never stored: one of its rows is a window, and four rows are four
// pointers into input. Weights are packed like those of a Gemm. Works box by box, so that the zeros of the padding are
// never multiplied.

import { Box, BoxAxis, BoxTap, Convolution, ConvolutionKernel, CONVOLUTION_CHANNELS, CONVOLUTION_DEPTH, CONVOLUTION_PLACES, GEMM_SCRATCH } from '../shared/instructions'
import { Epilogue } from '../shared/opcodes'
import { floorOf } from './activate'
import { partEnd, partStart, rowPartEnd, rowPartStart } from '../parts'
import { fillWords } from '../simd'
import { pack_panels_8_f32, panelBytes } from './pack'
import { winogradConvolution, winogradKernel } from './winograd'
import { TABLE_BYTES, activateBox, boxRow, boxTaps, nextBox, writeBoxPlaces, writeBoxRows } from './window'
import { convolution_4x8_f32, convolution_6x16_f32, convolution_4x4_f32, convolution_kernel_4x8_f32, convolution_kernel_4x16_f32 } from './convolution-tiles'

/** Places from which on packing the weights pays. */
const PACK_PLACES: i32 = 40
/** Bytes of the rows of a block, input and gradient together, so that they stay in the first-level cache. */
const ROWS_BYTES: i32 = 20 * 1024
const MOST_ROWS: i32 = 64

// Scratch holds the packed weights, a row of zeros, and the tables of places and of results.
const PACKED_BYTES: usize = 4 * CONVOLUTION_DEPTH * CONVOLUTION_CHANNELS
const ZEROS_BYTES: usize = 64

/** Runs a Convolution, or a part of the places of each box. */
export function convolution(instruction: usize, part: i32, parts: i32): void {
  const channels = load<i32>(instruction, Convolution.channels)
  if (channels <= 0) return
  if (load<i32>(instruction, Convolution.winograd)) return winogradConvolution(instruction, part, parts)
  const taps = load<i32>(instruction, Convolution.taps)
  const run = load<i32>(instruction, Convolution.run)
  const groups = load<i32>(instruction, Convolution.groups)
  const groupBytes = load<usize>(instruction, Convolution.groupStride) << 2
  const epilogue = load<i32>(instruction, Convolution.epilogue)
  const bias = load<usize>(instruction, Convolution.bias)
  const out = load<usize>(instruction, Convolution.out)
  const scratch = load<usize>(instruction, Convolution.scratch) + <usize>part * GEMM_SCRATCH
  const zeros = scratch + PACKED_BYTES, tables = zeros + ZEROS_BYTES
  const floor = floorOf(epilogue)
  const step = <usize>(groups * channels) * 4
  for (let i: usize = 0; i < ZEROS_BYTES; i += 16) v128.store(zeros + i, f32x4.splat(0))

  // blocks of whole taps whose panel of weights stays in the first-level cache
  let packs = load<i32>(instruction, Convolution.places) / parts >= PACK_PLACES && step != 32
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
      const row = tap * run, depth = count * run
      const blockFloor: f32 = tap + count == taps ? floor : -Infinity
      for (let j = 0; j < channels; j += packed) {
        const columns = min(packed, channels - j)
        const column = <usize>(group * channels + j) * 4
        const weights = load<usize>(instruction, Convolution.weights) + <usize>row * step + column
        if (packs) pack_panels_8_f32(scratch, weights, 4, step, columns, depth)
        const panelStep: usize = packs ? panelBytes(8, depth) : 32
        const weightStep: usize = packs ? 32 : step
        // taps store their row in all weights
        const panels = (packs ? scratch : weights) - <usize>row * weightStep
        // the sums start from the results of the taps before, else from the bias, else from zeros
        const start: usize = tap > 0 ? 0 : bias ? bias + column : zeros
        convolveBoxes(
          instruction, part, parts, tables, input, out, column, columns, row, row + depth, panels, panelStep, weightStep,
          start, bias ? 32 : 0, blockFloor,
        )
      }
      tap += count
    } while (tap < taps)
  }
  if (epilogue > Epilogue.ReluToFactor) {
    let box = instruction + Convolution.size
    for (let i = load<i32>(instruction, Convolution.boxes); i > 0; i--) {
      activateBox(box, part, parts, tables, out, groups * channels, epilogue)
      box = nextBox(box)
    }
  }
}

/** Convolves all boxes with `columns` channels of a block of taps, whose weights are rows `row` to `rowEnd`. */
@inline
function convolveBoxes(
  instruction: usize, part: i32, parts: i32, tables: usize, input: usize, out: usize, column: usize, columns: i32, row: i32, rowEnd: i32,
  panels: usize, panelStep: usize, weightStep: usize, start: usize, startStrip: usize, floor: f32,
): void {
  const wide = load<i32>(instruction, Convolution.wide) != 0
  let box = instruction + Convolution.size
  for (let i = load<i32>(instruction, Convolution.boxes); i > 0; i--) {
    convolveBox(
      box, part, parts, tables, input, out, column, columns, row, rowEnd, panels, panelStep, weightStep, start, startStrip, floor, wide,
    )
    box = nextBox(box)
  }
}

/** Computes a part of the places of a box with the taps whose weights are rows `row` to `rowEnd`. */
function convolveBox(
  box: usize, part: i32, parts: i32, tables: usize, input: usize, out: usize, column: usize, columns: i32, row: i32, rowEnd: i32,
  panels: usize, panelStep: usize, weightStep: usize, start: usize, startStrip: usize, floor: f32, wide: bool,
): void {
  const all = load<i32>(box, Box.places), run = load<i32>(box, Box.run)
  const first = partStart(all, 4, part, parts), last = partEnd(all, 4, part, parts)
  let taps = boxTaps(box), tapsEnd = nextBox(box)
  while (taps != tapsEnd && load<i32>(taps, BoxTap.weight) < row) taps += BoxTap.size
  while (tapsEnd != taps && load<i32>(tapsEnd - BoxTap.size, BoxTap.weight) >= rowEnd) tapsEnd -= BoxTap.size
  const places = tables, outs = tables + TABLE_BYTES
  for (let place = first; place < last; place += CONVOLUTION_PLACES) {
    const height = min(CONVOLUTION_PLACES, last - place)
    writeBoxPlaces(places, outs, box, input, out, place, height)
    // two strips at once
    const pairRows = wide ? height - height % 12 : 0
    let panel = panels, from = start, to = column
    let isSecond = false
    for (let left = columns; left > 0; left -= 8) {
      const isFirst = wide && !isSecond && left >= 16
      if (isFirst && pairRows > 0) {
        convolution_6x16_f32(outs, to, places, taps, tapsEnd, run, panel, weightStep, panelStep, pairRows, from, floor)
      }
      const done = isFirst || isSecond ? pairRows : 0
      if (done < height) {
        const skip = <usize>done * 4
        if (left > 4) convolution_4x8_f32(outs + skip, to, places + skip, taps, tapsEnd, run, panel, weightStep, height - done, left, from, floor)
        else convolution_4x4_f32(outs + skip, to, places + skip, taps, tapsEnd, run, panel, weightStep, height - done, left, from, floor)
      }
      isSecond = isFirst
      panel += panelStep
      to += 32
      if (from) from += startStrip
    }
  }
}

/**
 * Runs a ConvolutionKernel, or a part of its tiles, each of four neighbouring elements of a window and 8 channels.
 * Processes rows of places in blocks that stay in the first-level cache; additions follow the order of the boxes, and
 * of the places in each box.
 */
export function convolutionKernel(instruction: usize, part: i32, parts: i32): void {
  if (load<i32>(instruction, ConvolutionKernel.winograd)) return winogradKernel(instruction, part, parts)
  const channels = load<i32>(instruction, ConvolutionKernel.channels)
  const groups = load<i32>(instruction, ConvolutionKernel.groups)
  const elements = load<i32>(instruction, ConvolutionKernel.taps) * load<i32>(instruction, ConvolutionKernel.run)
  // 16 channels at a time if they divide evenly
  const isWide = load<i32>(instruction, ConvolutionKernel.wide) != 0 && (channels & 15) == 0
  const width = isWide ? 16 : 8
  const strips = (channels + width - 1) / width
  // parts are runs of elements, strip by strip
  const first = rowPartStart(groups * strips, elements, 4, part, parts), last = rowPartEnd(groups * strips, elements, 4, part, parts)
  if (first >= last) return
  const groupBytes = load<usize>(instruction, ConvolutionKernel.groupStride) << 2
  const tables = load<usize>(instruction, ConvolutionKernel.scratch) + <usize>part * GEMM_SCRATCH
  const input = load<usize>(instruction, ConvolutionKernel.input), gradient = load<usize>(instruction, ConvolutionKernel.gradient)
  const out = load<usize>(instruction, ConvolutionKernel.out)
  const step = <usize>(groups * channels) * 4
  const boxes = load<i32>(instruction, ConvolutionKernel.boxes)
  let box = instruction + ConvolutionKernel.size
  // zeros first: not every box has every tap
  for (let at = first; at < last; ) {
    const strip = at / elements
    const end = min(last, (strip + 1) * elements)
    const group = strip / strips, channel = (strip - group * strips) * width
    const count = min(width, channels - channel)
    let to = out + <usize>(at - strip * elements) * step + <usize>(group * channels + channel) * 4
    for (; at < end; at++, to += step) fillWords(to, 0, count)
  }
  for (let i = 0; i < boxes; i++, box = nextBox(box)) {
    const row = boxRow(box)
    const extent = load<i32>(row, BoxAxis.extent), inputStep = load<usize>(row, BoxAxis.stride) << 2, gradientStep = load<usize>(row, BoxAxis.outStride) << 2
    const run = load<i32>(box, Box.run), rows = load<i32>(box, Box.places) / extent
    // the tiles of a strip read the cache lines of the gradient that contain the strip
    const seen = <usize>extent * (inputStep + min(gradientStep, isWide ? 128 : 64))
    const block = max(1, min(MOST_ROWS, ROWS_BYTES / max(<i32>seen, 1)))
    const rowsAt = tables, gradientsAt = tables + TABLE_BYTES
    for (let from = 0; from < rows; from += block) {
      const count = min(block, rows - from)
      writeBoxRows(rowsAt, gradientsAt, box, input, gradient, from, count)
      for (let at = first; at < last; ) {
        const strip = at / elements
        const low = at - strip * elements, high = min(last - strip * elements, elements)
        const group = strip / strips, channel = (strip - group * strips) * width
        const column = <usize>(group * channels + channel) * 4
        for (let tap = boxTaps(box), end = nextBox(box); tap != end; tap += BoxTap.size) {
          const weight = load<i32>(tap, BoxTap.weight)
          const runEnd = min(weight + run, high)
          for (let element = max(weight, low); element < runEnd; element += 4) {
            const to = out + <usize>element * step + column
            const offset = <usize>group * groupBytes + load<usize>(tap, BoxTap.offset) + <usize>(element - weight) * 4
            const height = min(runEnd - element, 4)
            if (isWide) convolution_kernel_4x16_f32(to, step, height, rowsAt, offset, inputStep, gradientsAt, column, gradientStep, extent, count)
            else convolution_kernel_4x8_f32(to, step, height, channels - channel, rowsAt, offset, inputStep, gradientsAt, column, gradientStep, extent, count)
          }
        }
        at = (strip + 1) * elements
      }
    }
  }
}
