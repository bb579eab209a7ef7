// Convolution with 3 × 3 windows and stride 1 in 16 instead of 36 multiplications for four places (Winograd's F(2×2, 3×3);
// Lavin and Gray 2015). A tile of 2 × 2 places sees 4 × 4 pixels. For one channel and one filter
//
//   y = Aᵀ [ (G w Gᵀ) ⊙ (Bᵀ x B) ] A
//
//        1  0 −1  0          1  0  0
//   Bᵀ = 0  1  1  0     G =  ½  ½  ½     Aᵀ = 1  1  1  0
//        0 −1  1  0          ½ −½  ½          0  1 −1 −1
//        0  1  0 −1          0  0  1
//
// and channels are added up before Aᵀ … A. So each of the 16 elements in the brackets is a matrix product,
// [tiles, channels] · [channels, filters]. In the gradient of the weights, the 2 × 2 gradients of a tile are in the place of
// the weights, and tiles are added up:
//
//                                          1  0
//   w̄ = Cᵀ [ (H ȳ Hᵀ) ⊙ (Bᵀ x B) ] C   H = 1  1    Cᵀ = 1  ½  ½  0
//                                          1 −1         0  ½ −½  0
//                                          0  1         0  ½  ½ −1
//
// Tiles are transformed in blocks, so that all matrices stay in the second-level cache.

import { Convolution, ConvolutionKernel, GEMM_SCRATCH, Winograd } from '../shared/instructions'
import { Epilogue } from '../shared/opcodes'
import { activate_f32, floorOf } from './activate'
import { partEnd, partStart } from '../parts'
import { copyWords, fillWords, madd, rectified, storeRow16 } from '../simd'
import { convolution_kernel_4x16_f32 } from './convolution-tiles'
import { multiplyTiles } from './gemm-tiles'

/** The tiles of a block, a multiple of the 4 or 6 rows of the products' tiles, and its channels. */
const TILES: i32 = 24
const CHANNELS: i32 = 128
/** The tiles of a block of the weights' gradient, and its channels and filters. */
const KERNEL_TILES: i32 = 32
const KERNEL_CHANNELS: i32 = 64
/** Bytes between matrices: their rows are in different sets of the first-level cache. */
const SKEW: usize = 64

// Scratch begins with a row of zeros, room for the results of places outside, the Tiles of a block, and the pixels of one tile
// with the zeros around them. The matrices follow.
const ROW_BYTES: usize = 2048
const TABLE: usize = 2 * ROW_BYTES
const TILE_BYTES: usize = 16
const PATCH: usize = TABLE + TILE_BYTES * <usize>KERNEL_TILES
const MATRICES: usize = PATCH + 64 * <usize>CHANNELS

/** A tile in the table: the addresses of its first pixel and of its first place, and the position of that pixel. */
enum Tile {
  input = 0,
  place = 4,
  row = 8,
  column = 12,
}

/** Runs a Convolution as the products of its tiles, or a part of the tiles. */
export function winogradConvolution(instruction: usize, part: i32, parts: i32): void {
  const image = instruction + Convolution.size
  const channels = load<i32>(instruction, Convolution.run), filters = load<i32>(instruction, Convolution.channels)
  const tiles = tilesOf(image, load<i32>(instruction, Convolution.places))
  const first = partStart(tiles, TILES, part, parts), last = partEnd(tiles, TILES, part, parts)
  const scratch = load<usize>(instruction, Convolution.scratch) + <usize>part * GEMM_SCRATCH
  const table = scratch + TABLE
  const input = load<usize>(instruction, Convolution.input), out = load<usize>(instruction, Convolution.out)
  const bias = load<usize>(instruction, Convolution.bias), weights = load<usize>(instruction, Convolution.weights)
  const wide = load<i32>(instruction, Convolution.wide) != 0
  const epilogue = load<i32>(instruction, Convolution.epilogue)
  const rowBytes = <usize>filters << 2
  fillWords(scratch, 0, <i32>(ROW_BYTES >> 2))

  const most = min(CHANNELS, channels)
  const seenStep = <usize>(TILES * most) * 4 + SKEW
  const room = ((GEMM_SCRATCH - <i32>MATRICES) >> 4) - <i32>(seenStep + 2 * SKEW)
  const width = min((room / ((TILES + most) * 4)) & ~15, <i32>(ROW_BYTES >> 2))
  const seen = scratch + MATRICES, made = seen + 16 * seenStep
  for (let filter = 0; filter < filters; filter += width) {
    const columns = min(width, filters - filter)
    const madeStep = <usize>(TILES * columns) * 4 + SKEW
    const panels = made + 16 * madeStep
    for (let channel = 0; channel < channels; channel += most) {
      const depth = min(most, channels - channel)
      const panelStep = <usize>(depth * columns) * 4 + SKEW
      const from = weights + <usize>(channel * filters + filter) * 4
      for (let j = 0; j < columns; j += 8) {
        winograd_weights_f32(panels + <usize>(j * depth) * 4, panelStep, from + <usize>j * 4, <usize>channels * rowBytes, rowBytes, depth)
      }
      const isLast = channel + depth == channels
      const floor: f32 = isLast ? floorOf(epilogue) : -Infinity
      for (let tile = first; tile < last; tile += TILES) {
        const count = min(TILES, last - tile)
        writeTiles(table, image, input, out + <usize>filter * 4, rowBytes, tile, count)
        readTiles(seen, seenStep, table, image, count, <usize>channel * 4, depth, scratch + PATCH)
        forwardProducts(made, madeStep, seen, seenStep, panels, panelStep, scratch, count, depth, columns, wide)
        for (let i = 0; i < count; i++) {
          const at = table + <usize>i * TILE_BYTES
          const place = load<usize>(at, Tile.place)
          const below = hasBelow(at, image), beside = hasBeside(at, image)
          const nowhere = scratch + ROW_BYTES
          const next = place + <usize>load<i32>(image, Winograd.outColumns) * rowBytes
          winograd_write_f32(
            made + <usize>(i * columns) * 4, madeStep, channel ? 0 : bias ? bias + <usize>filter * 4 : scratch,
            place, beside ? place + rowBytes : nowhere, below ? next : nowhere, below && beside ? next + rowBytes : nowhere,
            columns, floor,
          )
          if (isLast && epilogue > Epilogue.ReluToFactor) {
            for (let row = 0; row <= <i32>below; row++) {
              for (let column = 0; column <= <i32>beside; column++) {
                activate_f32((row ? next : place) + <usize>column * rowBytes, columns, epilogue)
              }
            }
          }
        }
      }
    }
  }
}

/** The 16 products of a block of tiles. */
function forwardProducts(
  made: usize, madeStep: usize, seen: usize, seenStep: usize, panels: usize, panelStep: usize, zeros: usize,
  count: i32, depth: i32, columns: i32, wide: bool,
): void {
  const seenRow = <usize>depth * 4, madeRow = <usize>columns * 4, strip = <usize>depth * 32
  // the rows that both sizes of tiles divide
  const pairRows = wide ? count - count % 12 : 0
  for (let i = 0; i < 16; i++, made += madeStep, seen += seenStep, panels += panelStep) {
    let panel = panels, out = made
    for (let left = columns; left > 0; left -= 8, panel += strip, out += 32) {
      let rows = pairRows
      if (rows > 0 && left >= 16) {
        winograd_6x16_f32(out, madeRow, seen, seenRow, panel, strip, rows, depth)
        if (rows < count) winograd_4x8_f32(out + <usize>rows * madeRow, madeRow, seen + <usize>rows * seenRow, seenRow, panel, zeros, count - rows, depth)
        left -= 8, panel += strip, out += 32
      } else rows = 0
      if (rows < count) winograd_4x8_f32(out + <usize>rows * madeRow, madeRow, seen + <usize>rows * seenRow, seenRow, panel, zeros, count - rows, depth)
    }
  }
}

/** Runs a ConvolutionKernel as the products of its tiles, or a part of its channels. */
export function winogradKernel(instruction: usize, part: i32, parts: i32): void {
  const image = instruction + ConvolutionKernel.size
  const channels = load<i32>(instruction, ConvolutionKernel.run), filters = load<i32>(instruction, ConvolutionKernel.channels)
  const tiles = tilesOf(image, load<i32>(instruction, ConvolutionKernel.places))
  const first = partStart(filters, 16, part, parts), last = partEnd(filters, 16, part, parts)
  const scratch = load<usize>(instruction, ConvolutionKernel.scratch) + <usize>part * GEMM_SCRATCH
  const table = scratch + TABLE
  const input = load<usize>(instruction, ConvolutionKernel.input), gradient = load<usize>(instruction, ConvolutionKernel.gradient)
  const out = load<usize>(instruction, ConvolutionKernel.out)
  const rowBytes = <usize>filters << 2
  fillWords(scratch, 0, <i32>(ROW_BYTES >> 2))
  for (let filter = first; filter < last; filter += KERNEL_CHANNELS) {
    const columns = min(KERNEL_CHANNELS, last - filter)
    const isWide = load<i32>(instruction, ConvolutionKernel.wide) != 0 && (columns & 15) == 0
    const shift = isWide ? 4 : 3
    for (let channel = 0; channel < channels; channel += KERNEL_CHANNELS) {
      const depth = min(KERNEL_CHANNELS, channels - channel)
      const seenStep = <usize>(KERNEL_TILES * depth) * 4 + SKEW
      const spreadStep = <usize>(KERNEL_TILES * columns) * 4 + SKEW
      const sumStep = <usize>(depth * columns) * 4 + SKEW
      const seen = scratch + MATRICES, spread = seen + 16 * seenStep, sums = spread + 16 * spreadStep
      fillWords(sums, 0, <i32>(sumStep << 2))
      for (let tile = 0; tile < tiles; tile += KERNEL_TILES) {
        const count = min(KERNEL_TILES, tiles - tile)
        writeTiles(table, image, input, gradient + <usize>filter * 4, rowBytes, tile, count)
        readTiles(seen, seenStep, table, image, count, <usize>channel * 4, depth, scratch + PATCH)
        for (let i = 0; i < count; i++) {
          const at = table + <usize>i * TILE_BYTES
          const place = load<usize>(at, Tile.place)
          const below = hasBelow(at, image), beside = hasBeside(at, image)
          const next = place + <usize>load<i32>(image, Winograd.outColumns) * rowBytes
          winograd_spread_f32(
            spread + (<usize>i << (shift + 2)), spreadStep, shift,
            place, beside ? place + rowBytes : scratch, below ? next : scratch, below && beside ? next + rowBytes : scratch, columns,
          )
        }
        kernelProducts(scratch, sums, sumStep, seen, seenStep, spread, spreadStep, count, depth, columns, isWide)
      }
      for (let c = 0; c < depth; c++) {
        winograd_gradient_f32(
          out + <usize>((channel + c) * filters + filter) * 4, <usize>channels * rowBytes, sums + <usize>(c * columns) * 4, sumStep, columns, scratch + ROW_BYTES,
        )
      }
    }
  }
}

/** Adds the 16 products of a block of tiles to the sums. */
function kernelProducts(
  scratch: usize, sums: usize, sumStep: usize, seen: usize, seenStep: usize, spread: usize, spreadStep: usize,
  count: i32, depth: i32, columns: i32, isWide: bool,
): void {
  const sumRow = <usize>columns * 4, seenRow = <usize>depth * 4
  const width = isWide ? 16 : 8
  // the tiles of 16 columns are those of ConvolutionKernel, with one row of places
  const rowsAt = scratch + ROW_BYTES, gradientsAt = rowsAt + 4
  for (let i = 0; i < 16; i++, sums += sumStep, seen += seenStep, spread += spreadStep) {
    store<usize>(rowsAt, seen)
    store<usize>(gradientsAt, spread)
    for (let j = 0; j < columns; j += width) {
      const sum = sums + <usize>j * 4, panel = <usize>(j * KERNEL_TILES) * 4
      if (!isWide) winograd_kernel_4x8_f32(sum, sumRow, seen, seenRow, spread + panel, depth, count)
      else for (let c = 0; c < depth; c += 4) {
        convolution_kernel_4x16_f32(sum + <usize>c * sumRow, sumRow, 4, rowsAt, <usize>c * 4, seenRow, gradientsAt, panel, 64, count, 1)
      }
    }
  }
}

/** The number of tiles of all images. */
function tilesOf(image: usize, places: i32): i32 {
  const rows = load<i32>(image, Winograd.outRows), columns = load<i32>(image, Winograd.outColumns)
  return places / (rows * columns) * (rows + 1 >> 1) * (columns + 1 >> 1)
}

@inline
function hasBelow(tile: usize, image: usize): bool {
  return load<i32>(tile, Tile.row) + load<i32>(image, Winograd.before) + 1 < load<i32>(image, Winograd.outRows)
}

@inline
function hasBeside(tile: usize, image: usize): bool {
  return load<i32>(tile, Tile.column) + load<i32>(image, Winograd.beforeColumns) + 1 < load<i32>(image, Winograd.outColumns)
}

/** Writes `count` Tiles from `first` on, whose places are in `out`. */
function writeTiles(table: usize, image: usize, input: usize, out: usize, rowBytes: usize, first: i32, count: i32): void {
  const outRows = load<i32>(image, Winograd.outRows), outColumns = load<i32>(image, Winograd.outColumns)
  const before = load<i32>(image, Winograd.before), beforeColumns = load<i32>(image, Winograd.beforeColumns)
  const tileRows = outRows + 1 >> 1, tileColumns = outColumns + 1 >> 1
  const line = first / tileColumns
  let column = first - line * tileColumns, index = line / tileRows, row = line - index * tileRows
  for (; count > 0; count--, table += TILE_BYTES) {
    const y = 2 * row - before, x = 2 * column - beforeColumns
    store<usize>(table, input + <usize>(index * load<i32>(image, Winograd.imageStride) + y * load<i32>(image, Winograd.rowStride) + x * load<i32>(image, Winograd.columnStride)) * 4, Tile.input)
    store<usize>(table, out + <usize>((index * outRows + 2 * row) * outColumns + 2 * column) * rowBytes, Tile.place)
    store<i32>(table, y, Tile.row)
    store<i32>(table, x, Tile.column)
    if (++column == tileColumns) {
      column = 0
      if (++row == tileRows) row = 0, index++
    }
  }
}

/** Transforms the pixels of a block of tiles, `channels` of them from byte `offset` on. */
function readTiles(to: usize, step: usize, table: usize, image: usize, count: i32, offset: usize, channels: i32, patch: usize): void {
  const rows = load<i32>(image, Winograd.rows), columns = load<i32>(image, Winograd.columns)
  const row = <usize>load<i32>(image, Winograd.rowStride) << 2, pixel = <usize>load<i32>(image, Winograd.columnStride) << 2
  const bytes = <usize>channels * 4
  for (; count > 0; count--, table += TILE_BYTES, to += bytes) {
    const at = load<usize>(table, Tile.input) + offset
    const y = load<i32>(table, Tile.row), x = load<i32>(table, Tile.column)
    if (y >= 0 && x >= 0 && y + 4 <= rows && x + 4 <= columns) winograd_read_f32(to, step, at, row, pixel, channels)
    else {
      let target = patch
      for (let i = 0; i < 4; i++) {
        for (let j = 0; j < 4; j++, target += bytes) {
          if (<u32>(y + i) < <u32>rows && <u32>(x + j) < <u32>columns) copyWords(target, at + <usize>i * row + <usize>j * pixel, channels)
          else fillWords(target, 0, channels)
        }
      }
      winograd_read_f32(to, step, patch, 4 * bytes, bytes, channels)
    }
  }
}

// Pairs of vectors, for engines that combine them.

/** A row of Bᵀ x B from two rows of pixels, whose sum or difference is a row of Bᵀ x. */
@inline
function readRow(to: usize, step: usize, a: usize, b: usize, pixel: usize, isSum: bool): void {
  const p0 = joined(v128.load(a), v128.load(b), isSum), q0 = joined(v128.load(a, 16), v128.load(b, 16), isSum)
  a += pixel, b += pixel
  const p1 = joined(v128.load(a), v128.load(b), isSum), q1 = joined(v128.load(a, 16), v128.load(b, 16), isSum)
  a += pixel, b += pixel
  const p2 = joined(v128.load(a), v128.load(b), isSum), q2 = joined(v128.load(a, 16), v128.load(b, 16), isSum)
  a += pixel, b += pixel
  const p3 = joined(v128.load(a), v128.load(b), isSum), q3 = joined(v128.load(a, 16), v128.load(b, 16), isSum)
  v128.store(to, f32x4.sub(p0, p2)), v128.store(to, f32x4.sub(q0, q2), 16)
  to += step
  v128.store(to, f32x4.add(p1, p2)), v128.store(to, f32x4.add(q1, q2), 16)
  to += step
  v128.store(to, f32x4.sub(p2, p1)), v128.store(to, f32x4.sub(q2, q1), 16)
  to += step
  v128.store(to, f32x4.sub(p1, p3)), v128.store(to, f32x4.sub(q1, q3), 16)
}

@inline
function joined(a: v128, b: v128, isSum: bool): v128 {
  return isSum ? f32x4.add(a, b) : f32x4.sub(a, b)
}

/** Bᵀ x B of a tile, for each of `channels`, a multiple of 8; its 16 elements are `step` bytes apart. */
export function winograd_read_f32(to: usize, step: usize, at: usize, row: usize, pixel: usize, channels: i32): void {
  const four = step * 4
  for (; channels > 0; channels -= 8, at += 32, to += 32) {
    const one = at + row, two = one + row
    readRow(to, step, at, two, pixel, false)
    readRow(to + four, step, one, two, pixel, true)
    readRow(to + 2 * four, step, two, one, pixel, false)
    readRow(to + 3 * four, step, one, two + row, pixel, false)
  }
}

/**
 * Aᵀ m A of a tile, for each of `columns`, a multiple of 8, into its four places. The sums start from the row at `start`, or,
 * if that is 0, from the results.
 */
export function winograd_write_f32(
  at: usize, step: usize, start: usize, out0: usize, out1: usize, out2: usize, out3: usize, columns: i32, floor: f32,
): void {
  const four = step * 4
  const low = f32x4.splat(floor)
  const isFirst = start != 0
  for (; columns > 0; columns -= 8, at += 32) {
    let m = at
    let a = v128.load(m + four), b = v128.load(m + four, 16), c = v128.load(m + 2 * four), d = v128.load(m + 2 * four, 16)
    const p0 = f32x4.add(v128.load(m), f32x4.add(a, c)), r0 = f32x4.add(v128.load(m, 16), f32x4.add(b, d))
    const q0 = f32x4.sub(f32x4.sub(a, c), v128.load(m + 3 * four)), s0 = f32x4.sub(f32x4.sub(b, d), v128.load(m + 3 * four, 16))
    m += step
    a = v128.load(m + four), b = v128.load(m + four, 16), c = v128.load(m + 2 * four), d = v128.load(m + 2 * four, 16)
    const p1 = f32x4.add(v128.load(m), f32x4.add(a, c)), r1 = f32x4.add(v128.load(m, 16), f32x4.add(b, d))
    const q1 = f32x4.sub(f32x4.sub(a, c), v128.load(m + 3 * four)), s1 = f32x4.sub(f32x4.sub(b, d), v128.load(m + 3 * four, 16))
    m += step
    a = v128.load(m + four), b = v128.load(m + four, 16), c = v128.load(m + 2 * four), d = v128.load(m + 2 * four, 16)
    const p2 = f32x4.add(v128.load(m), f32x4.add(a, c)), r2 = f32x4.add(v128.load(m, 16), f32x4.add(b, d))
    const q2 = f32x4.sub(f32x4.sub(a, c), v128.load(m + 3 * four)), s2 = f32x4.sub(f32x4.sub(b, d), v128.load(m + 3 * four, 16))
    m += step
    a = v128.load(m + four), b = v128.load(m + four, 16), c = v128.load(m + 2 * four), d = v128.load(m + 2 * four, 16)
    const p3 = f32x4.add(v128.load(m), f32x4.add(a, c)), r3 = f32x4.add(v128.load(m, 16), f32x4.add(b, d))
    const q3 = f32x4.sub(f32x4.sub(a, c), v128.load(m + 3 * four)), s3 = f32x4.sub(f32x4.sub(b, d), v128.load(m + 3 * four, 16))
    finish(out0, isFirst ? start : out0, f32x4.add(p0, f32x4.add(p1, p2)), f32x4.add(r0, f32x4.add(r1, r2)), low)
    finish(out1, isFirst ? start : out1, f32x4.sub(f32x4.sub(p1, p2), p3), f32x4.sub(f32x4.sub(r1, r2), r3), low)
    finish(out2, isFirst ? start : out2, f32x4.add(q0, f32x4.add(q1, q2)), f32x4.add(s0, f32x4.add(s1, s2)), low)
    finish(out3, isFirst ? start : out3, f32x4.sub(f32x4.sub(q1, q2), q3), f32x4.sub(f32x4.sub(s1, s2), s3), low)
    out0 += 32, out1 += 32, out2 += 32, out3 += 32
    if (isFirst) start += 32
  }
}

@inline
function finish(out: usize, start: usize, a: v128, b: v128, low: v128): void {
  const first = rectified(f32x4.add(v128.load(start), a), low), second = rectified(f32x4.add(v128.load(start, 16), b), low)
  v128.store(out, first), v128.store(out, second, 16)
}

/** G w Gᵀ for 8 filters and each of `channels`: panels of [channels, 8], `step` bytes apart. */
export function winograd_weights_f32(to: usize, step: usize, weights: usize, tapBytes: usize, rowBytes: usize, channels: i32): void {
  const half = f32x4.splat(0.5)
  for (; channels > 0; channels--, weights += rowBytes - 32) {
    for (const end = weights + 32; weights < end; weights += 16, to += 16) {
      let at = weights
      const a0 = v128.load(at)
      at += tapBytes
      const a1 = v128.load(at)
      at += tapBytes
      const a2 = v128.load(at)
      at += tapBytes
      const b0 = v128.load(at)
      at += tapBytes
      const b1 = v128.load(at)
      at += tapBytes
      const b2 = v128.load(at)
      at += tapBytes
      const c0 = v128.load(at)
      at += tapBytes
      const c1 = v128.load(at)
      at += tapBytes
      const c2 = v128.load(at)
      weightsRow(to, step, a0, a1, a2, half)
      const s0 = f32x4.mul(half, f32x4.add(a0, c0)), s1 = f32x4.mul(half, f32x4.add(a1, c1)), s2 = f32x4.mul(half, f32x4.add(a2, c2))
      const h0 = f32x4.mul(half, b0), h1 = f32x4.mul(half, b1), h2 = f32x4.mul(half, b2)
      weightsRow(to + (step << 2), step, f32x4.add(s0, h0), f32x4.add(s1, h1), f32x4.add(s2, h2), half)
      weightsRow(to + (step << 3), step, f32x4.sub(s0, h0), f32x4.sub(s1, h1), f32x4.sub(s2, h2), half)
      weightsRow(to + step * 12, step, c0, c1, c2, half)
    }
  }
}

@inline
function weightsRow(to: usize, step: usize, a: v128, b: v128, c: v128, half: v128): void {
  const outer = f32x4.mul(half, f32x4.add(a, c)), inner = f32x4.mul(half, b)
  v128.store(to, a)
  to += step
  v128.store(to, f32x4.add(outer, inner))
  to += step
  v128.store(to, f32x4.sub(outer, inner))
  to += step
  v128.store(to, c)
}

/** H ȳ Hᵀ of a tile, whose places are at at0 … at3, for each of `columns`, in strips of 1 << shift of all tiles of a block. */
export function winograd_spread_f32(
  to: usize, step: usize, shift: i32, at0: usize, at1: usize, at2: usize, at3: usize, columns: i32,
): void {
  const strip = (<usize>KERNEL_TILES << (shift + 2)), four = step * 4
  for (let j = 0; j < columns; j += 8, at0 += 32, at1 += 32, at2 += 32, at3 += 32) {
    const at = to + <usize>(j >> shift) * strip + (<usize>(j & (1 << shift) - 1) << 2)
    const a = v128.load(at0), b = v128.load(at0, 16), c = v128.load(at1), d = v128.load(at1, 16)
    const e = v128.load(at2), f = v128.load(at2, 16), g = v128.load(at3), h = v128.load(at3, 16)
    spreadRow(at, step, a, b, c, d)
    spreadRow(at + four, step, f32x4.add(a, e), f32x4.add(b, f), f32x4.add(c, g), f32x4.add(d, h))
    spreadRow(at + 2 * four, step, f32x4.sub(a, e), f32x4.sub(b, f), f32x4.sub(c, g), f32x4.sub(d, h))
    spreadRow(at + 3 * four, step, e, f, g, h)
  }
}

@inline
function spreadRow(to: usize, step: usize, a: v128, b: v128, c: v128, d: v128): void {
  v128.store(to, a), v128.store(to, b, 16)
  to += step
  v128.store(to, f32x4.add(a, c)), v128.store(to, f32x4.add(b, d), 16)
  to += step
  v128.store(to, f32x4.sub(a, c)), v128.store(to, f32x4.sub(b, d), 16)
  to += step
  v128.store(to, c), v128.store(to, d, 16)
}

/** Cᵀ m C for each of `columns`, a multiple of 8: the weights' gradients, `tapBytes` apart. `scratch` has 192 bytes. */
export function winograd_gradient_f32(out: usize, tapBytes: usize, sums: usize, step: usize, columns: i32, scratch: usize): void {
  for (; columns > 0; columns -= 4, sums += 16, out += 16) {
    for (let i: usize = 0; i < 4; i++) winograd_fold_f32(scratch + (i << 4), 64, sums + i * step, step << 2)
    for (let i: usize = 0; i < 3; i++) winograd_fold_f32(out + 3 * i * tapBytes, tapBytes, scratch + (i << 6), 16)
  }
}

/** Cᵀ of four vectors. */
export function winograd_fold_f32(to: usize, toStep: usize, from: usize, step: usize): void {
  const half = f32x4.splat(0.5)
  const b = f32x4.mul(half, v128.load(from + step)), c = f32x4.mul(half, v128.load(from + (step << 1)))
  const sum = f32x4.add(b, c)
  v128.store(to, f32x4.add(v128.load(from), sum))
  v128.store(to + toStep, f32x4.sub(b, c))
  v128.store(to + (toStep << 1), f32x4.sub(sum, v128.load(from + step * 3)))
}

// The tiles of the products. Rows are `lhsRow` bytes apart, and the right side is a panel of 8 columns.

/** out [m, 8] = lhs [m, depth] · panel [depth, 8], m padded to a multiple of 4. `zeros` is a row of 8. */
export function winograd_4x8_f32(
  out: usize, outRow: usize, lhs: usize, lhsRow: usize, panel: usize, zeros: usize, m: i32, depth: i32,
): void {
  multiplyTiles(true, true, out, outRow, 2 * outRow, lhs, lhsRow, 2 * lhsRow, panel, 32, m, depth, 8, zeros, 0, 0, -Infinity)
}

/** The same for 16 columns, the second 8 at `half` bytes from the first, and m a multiple of 6. */
export function winograd_6x16_f32(out: usize, outRow: usize, lhs: usize, lhsRow: usize, panel: usize, half: usize, m: i32, depth: i32): void {
  const end = panel + <usize>depth * 32
  const zero = f32x4.splat(0)
  for (; m > 0; m -= 6) {
    let a0 = lhs, a1 = a0 + lhsRow, a2 = a1 + lhsRow, a3 = a2 + lhsRow, a4 = a3 + lhsRow, a5 = a4 + lhsRow
    let c00 = zero, c01 = zero, c02 = zero, c03 = zero, c10 = zero, c11 = zero, c12 = zero, c13 = zero
    let c20 = zero, c21 = zero, c22 = zero, c23 = zero, c30 = zero, c31 = zero, c32 = zero, c33 = zero
    let c40 = zero, c41 = zero, c42 = zero, c43 = zero, c50 = zero, c51 = zero, c52 = zero, c53 = zero
    for (let b = panel; b != end; b += 32) {
      const second = b + half
      const b0 = v128.load(b), b1 = v128.load(b, 16), b2 = v128.load(second), b3 = v128.load(second, 16)
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
    storeRow16(out, c00, c01, c02, c03)
    out += outRow
    storeRow16(out, c10, c11, c12, c13)
    out += outRow
    storeRow16(out, c20, c21, c22, c23)
    out += outRow
    storeRow16(out, c30, c31, c32, c33)
    out += outRow
    storeRow16(out, c40, c41, c42, c43)
    out += outRow
    storeRow16(out, c50, c51, c52, c53)
    out += outRow
    lhs += 6 * lhsRow
  }
}

/** sums [depth, 8] += lhsᵀ [depth, count] · panel [count, 8], depth a multiple of 4. */
export function winograd_kernel_4x8_f32(sums: usize, sumRow: usize, lhs: usize, lhsRow: usize, panel: usize, depth: i32, count: i32): void {
  multiplyTiles(
    true, false, sums, sumRow, 2 * sumRow, lhs, lhsRow, 16, panel, 32, depth, count, 8, sums, sumRow, 2 * sumRow, -Infinity,
  )
}
