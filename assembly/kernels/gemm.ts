// Runs a Gemm instruction: blocks, packs and calls the tiles on the path that gemm-paths.ts chooses. The inner loops are in
// gemm-tiles.ts, gemm-vector.ts and pack.ts.
import { Epilogue } from '../shared/opcodes'
import { rowPartEnd, rowPartStart } from '../parts'
import { Gemm, GEMM_GROUP, GEMM_KC, GEMM_LONG, GEMM_MC, GEMM_NC, GEMM_SCRATCH, GEMM_SLICE } from '../shared/instructions'
import { activate_f32, floorOf } from './activate'
import { step_add } from './steps/arithmetic'
import {
  gemm_2x16_columns_f32, gemm_4x4_columns_f32, gemm_4x4_rows_f32, gemm_4x8_columns_f32, gemm_4x8_rows_f32,
  gemm_6x16_columns_f32,
} from './gemm-tiles'
import { gemm_4x8_across_f32, gemm_4x8_sweep_f32, SWEEP_KC, SWEEP_KC_IN_ONE_PLACE, SWEEP_PAGE } from './gemm-sweep'
import {
  ACROSS, MATRIX_BY_VECTOR, PACK_LHS, PACK_ONCE, PACK_RHS, ROWS_BY_VECTOR, SWEPT, VECTOR_BY_MATRIX, WITHOUT_TILES, dividesRows, isStreamed,
  partBlock, pathOf,
} from './gemm-paths'
import { dot_rows_f32, gemv_columns_f32, gemv_rows_f32, gemv_stream_f32 } from './gemm-vector'
import { pack_panels_4_f32, pack_panels_6_f32, pack_panels_8_f32, panelBytes } from './pack'

// Exported so that each stays a separate function, which engines optimise separately, even if it has only one caller.
export {
  gemm_2x16_columns_f32, gemm_4x4_columns_f32, gemm_4x4_rows_f32, gemm_4x8_columns_f32, gemm_4x8_rows_f32,
  gemm_6x16_columns_f32,
} from './gemm-tiles'
export { gemm_4x8_across_f32, gemm_4x8_sweep_f32 } from './gemm-sweep'
export { dot_rows_f32, gemv_columns_f32, gemv_rows_f32, gemv_stream_f32 } from './gemm-vector'
export {
  pack_copy_4x4_f32, pack_copy_4x6_f32, pack_copy_8_f32, pack_copy_16_f32, pack_panels_4_f32, pack_panels_6_f32,
  pack_panels_8_f32, pack_strided_4_f32, pack_transpose_4_f32, pack_transpose_6_f32,
} from './pack'

/** For each of `batch` matrices: out [m,n] = epilogue(lhs [m,k] · rhs [k,n] + bias [n]). The path is chosen for the whole. */
export function gemm(instruction: usize, part: i32, parts: i32): void {
  let m = load<i32>(instruction, Gemm.m)
  const n = load<i32>(instruction, Gemm.n)
  const k = load<i32>(instruction, Gemm.k)
  let batch = load<i32>(instruction, Gemm.batch)
  if (m <= 0 || n <= 0 || batch <= 0) return
  let lhsRow = <usize>load<i32>(instruction, Gemm.lhsRow) * 4
  let lhsColumn = <usize>load<i32>(instruction, Gemm.lhsColumn) * 4
  let rhsRow = <usize>load<i32>(instruction, Gemm.rhsRow) * 4
  let rhsColumn = <usize>load<i32>(instruction, Gemm.rhsColumn) * 4
  const lhsBatch = <usize>load<i32>(instruction, Gemm.lhsBatch) * 4
  const rhsBatch = <usize>load<i32>(instruction, Gemm.rhsBatch) * 4
  const rhsStrip = <usize>load<i32>(instruction, Gemm.rhsStrip) * 4
  const wide = load<i32>(instruction, Gemm.wide) != 0

  // the stride of an axis of extent 1 may be anything: choose the one that keeps the most paths open
  if (k <= 1) lhsColumn = 4
  if (k <= 1) rhsRow = 4
  if (n == 1) rhsColumn = 4
  if (m == 1) lhsRow = lhsBatch
  // one rhs for all, and lhs matrices one below the other: a single tall matrix
  if (rhsBatch == 0 && batch > 1 && lhsBatch == <usize>m * lhsRow) {
    m *= batch
    batch = 1
  }
  const path = pathOf(m, n, k, batch, lhsRow, lhsColumn, rhsRow, rhsColumn, rhsBatch, rhsStrip, wide)
  multiplyPart(
    instruction, part, parts, path, wide, m, n, k, batch, lhsRow, lhsColumn, lhsBatch, rhsRow, rhsColumn, rhsBatch, rhsStrip,
  )
}

/** Computes a part: some of the matrices, with only some rows or columns of the first and last. */
@inline
function multiplyPart(
  instruction: usize, part: i32, parts: i32, path: i32, wide: bool, m: i32, n: i32, k: i32, batch: i32,
  lhsRow: usize, lhsColumn: usize, lhsBatch: usize, rhsRow: usize, rhsColumn: usize, rhsBatch: usize, rhsStrip: usize,
): void {
  let out = load<usize>(instruction, Gemm.out)
  let lhs = load<usize>(instruction, Gemm.lhs)
  let rhs = load<usize>(instruction, Gemm.rhs)
  let bias = load<usize>(instruction, Gemm.bias)
  const biasRow = <usize>load<i32>(instruction, Gemm.biasRow) * 4
  // from the bias of one matrix to the next; 0 if one row is the bias of all
  const biasBatch: usize = biasRow * <usize>m
  const epilogue = load<i32>(instruction, Gemm.epilogue)
  const scratch = load<usize>(instruction, Gemm.scratch) + part * GEMM_SCRATCH
  // from an element of out to the sums of its slice and of its group
  const sliceAt = k > GEMM_LONG ? load<usize>(instruction, Gemm.size) - out : 0
  const groupAt = sliceAt + <usize>(batch * m * n) * 4

  // this part: from row or column `first` of its first matrix to `last` of its last one
  let byRows = n == 1
  let extent = byRows ? m : n
  let first = 0, last = extent
  if (parts > 1) {
    byRows = dividesRows(path, m, n, parts)
    extent = byRows ? m : n
    const block = partBlock(path, byRows, extent, k, rhsStrip)
    const begin = rowPartStart(batch, extent, block, part, parts)
    const end = rowPartEnd(batch, extent, block, part, parts)
    if (begin == end) return
    const matrix = begin / extent
    batch = (end - 1) / extent + 1 - matrix
    first = begin - matrix * extent
    last = end - (matrix + batch - 1) * extent
    out += <usize>(matrix * m * n) * 4
    lhs += <usize>matrix * lhsBatch
    rhs += <usize>matrix * rhsBatch
    bias += <usize>matrix * biasBatch
  }

  multiplyBatch(
    path, wide, out, lhs, lhsRow, lhsColumn, lhsBatch, rhs, rhsRow, rhsColumn, rhsBatch, rhsStrip, m, n, k, batch, byRows, first, last,
    bias, biasRow, biasBatch, epilogue, scratch, sliceAt, groupAt,
  )
}

/** Rows or columns of `batch` matrices: from `first` of the first one to `last` of the last one. */
@inline
function multiplyBatch(
  path: i32, wide: bool, out: usize, lhs: usize, lhsRow: usize, lhsColumn: usize, lhsBatch: usize,
  rhs: usize, rhsRow: usize, rhsColumn: usize, rhsBatch: usize, rhsStrip: usize,
  m: i32, n: i32, k: i32, batch: i32, byRows: bool, first: i32, last: i32,
  bias: usize, biasRow: usize, biasBatch: usize, epilogue: i32, scratch: usize, sliceAt: usize, groupAt: usize,
): void {
  const isLong = k > GEMM_LONG
  const floor: f32 = isLong ? -Infinity : floorOf(epilogue)
  if (path == ROWS_BY_VECTOR && m == 1 && !isLong) {
    // products of two rows
    dot_rows_f32(out, lhs, lhsBatch, rhs, rhsBatch, batch, k, bias, biasRow != 0, floor)
    if (epilogue > Epilogue.ReluToFactor) activate_f32(out, batch, epilogue)
    return
  }
  if (path & PACK_ONCE) {
    pack_panels_8_f32(scratch, rhs, rhsColumn, rhsRow, n, k)
    rhs = scratch
    rhsRow = 32
    rhsColumn = 4
    rhsStrip = panelBytes(8, k)
    path &= ~PACK_RHS
  }
  for (; batch > 0; batch--) {
    const end = batch == 1 ? last : byRows ? m : n
    multiplySlices(
      path, wide, out, lhs, lhsRow, lhsColumn, rhs, rhsRow, rhsColumn, rhsStrip, m, n, k, byRows, first, end,
      bias, biasRow, floor, scratch, sliceAt, groupAt,
    )
    if (epilogue > Epilogue.ReluToFactor || (isLong && epilogue > Epilogue.None)) activatePart(out, byRows, first, end, m, n, epilogue)
    first = 0
    out += <usize>(m * n) * 4
    lhs += lhsBatch
    rhs += rhsBatch
    bias += biasBatch
  }
}

/** The epilogue of rows or columns `first` … end of a matrix. */
@inline
function activatePart(out: usize, byRows: bool, first: i32, end: i32, m: i32, n: i32, epilogue: i32): void {
  if (byRows) activate_f32(out + <usize>(first * n) * 4, (end - first) * n, epilogue)
  else if (end - first == n) activate_f32(out, m * n, epilogue)
  else for (let i = 0; i < m; i++) activate_f32(out + <usize>(i * n + first) * 4, end - first, epilogue)
}

/** Rows or columns `first` … end of one matrix: in slices of k if k is long. */
@inline
function multiplySlices(
  path: i32, wide: bool, out: usize, lhs: usize, lhsRow: usize, lhsColumn: usize, rhs: usize, rhsRow: usize, rhsColumn: usize, rhsStrip: usize,
  m: i32, n: i32, k: i32, byRows: bool, first: i32, end: i32, bias: usize, biasRow: usize, floor: f32, scratch: usize,
  sliceAt: usize, groupAt: usize,
): void {
  const isLong = k > GEMM_LONG
  let target = out
  let left = k, slice = 0
  while (true) {
    const depth = isLong ? min(left, GEMM_SLICE) : k
    if (path & WITHOUT_TILES) {
      multiplyVectors(
        path, target, lhs, lhsRow, lhsColumn, rhs, rhsRow, rhsColumn, rhsStrip, m, n, depth, first, end, bias, biasRow, floor,
      )
    } else {
      multiplyMatrices(
        path, wide, target, lhs, lhsRow, lhsColumn, rhs, rhsRow, rhsColumn, rhsStrip, m, n, depth, byRows, first, end,
        bias, biasRow, floor, scratch,
      )
    }
    if (!isLong) break
    left -= depth
    // the sum of the first group is in out, that of a later one in the second temporary
    const place = slice % GEMM_GROUP
    const sum = slice < GEMM_GROUP ? out : out + groupAt
    if (place > 0) addPart(sum, target, byRows, first, end, m, n)
    if (sum != out && (place == GEMM_GROUP - 1 || left == 0)) addPart(out, sum, byRows, first, end, m, n)
    if (left == 0) break
    slice++
    target = slice % GEMM_GROUP ? out + sliceAt : out + groupAt
    lhs += <usize>depth * lhsColumn
    rhs += <usize>depth * rhsRow
    bias = 0
    biasRow = 0
  }
}

/** Elements `first` … end of a vector, or columns `first` … end of a few rows. */
@inline
function multiplyVectors(
  path: i32, out: usize, lhs: usize, lhsRow: usize, lhsColumn: usize, rhs: usize, rhsRow: usize, rhsColumn: usize, rhsStrip: usize,
  m: i32, n: i32, k: i32, first: i32, end: i32, bias: usize, biasRow: usize, floor: f32,
): void {
  if (path == MATRIX_BY_VECTOR) {
    multiplyVector(out, rhs, rhsRow, lhs, lhsColumn, 32, m, first, end, k, bias, biasRow != 0, floor)
  } else if (path == ROWS_BY_VECTOR) {
    gemv_rows_f32(
      out + <usize>first * 4, lhs + <usize>first * lhsRow, lhsRow, rhs, end - first, k,
      bias + <usize>first * biasRow, biasRow != 0, floor,
    )
  } else if (path == VECTOR_BY_MATRIX) {
    multiplyVector(out, lhs, lhsColumn, rhs, rhsRow, rhsStrip, n, first, end, k, bias, true, floor)
  } else {
    const firstBias = bias ? bias + <usize>first * 4 : 0
    const firstRhs = rhs + <usize>first * rhsColumn
    for (let i = 0; i < m; i++) {
      gemv_rows_f32(
        out + <usize>(i * n + first) * 4, firstRhs, rhsColumn, lhs + <usize>i * lhsRow, end - first, k,
        firstBias + <usize>i * biasRow, true, floor,
      )
    }
  }
}

/** Rows or columns `first` … end of a matrix, by tiles. */
@inline
function multiplyMatrices(
  path: i32, wide: bool, out: usize, lhs: usize, lhsRow: usize, lhsColumn: usize, rhs: usize, rhsRow: usize, rhsColumn: usize, rhsStrip: usize,
  m: i32, n: i32, k: i32, byRows: bool, first: i32, end: i32, bias: usize, biasRow: usize, floor: f32, scratch: usize,
): void {
  const firstRow = byRows ? first : 0, firstColumn = byRows ? 0 : first
  const rows = byRows ? end - first : m, columns = byRows ? n : end - first
  const skip = <usize>firstColumn * 4
  out += <usize>(firstRow * n) * 4 + skip
  lhs += <usize>firstRow * lhsRow
  rhs += rhsStrip != 32 ? <usize>(firstColumn >> 3) * rhsStrip : <usize>firstColumn * rhsColumn
  if (bias) bias += <usize>firstRow * biasRow + skip
  if (path & ACROSS) {
    gemm_across_f32(out, lhs, lhsRow, rhs, rhsColumn, columns, k, bias, biasRow, floor, scratch, n)
  } else if (path & SWEPT) {
    gemm_swept_f32(out, lhs, lhsRow, lhsColumn, rhs, rhsRow, rows, columns, k, bias, biasRow, floor, scratch, n)
  } else {
    gemm_blocked_f32(
      out, lhs, lhsRow, lhsColumn, rhs, rhsRow, rhsColumn, rhsStrip, rows, columns, k, bias, biasRow, floor, scratch, n,
      (path & PACK_RHS) != 0, (path & PACK_LHS) != 0, wide,
    )
  }
}

/** out += source, of the rows or columns `first` … end. */
function addPart(out: usize, source: usize, byRows: bool, first: i32, end: i32, m: i32, n: i32): void {
  const width = end - first
  // whole rows are contiguous
  const isWhole = byRows || width == n
  const count = byRows ? width * n : isWhole ? m * n : width
  let skip = <usize>(byRows ? first * n : first) * 4
  for (let i = isWhole ? 1 : m; i > 0; i--) {
    step_add(out + skip, out + skip, source + skip, count, 0)
    skip += <usize>n * 4
  }
}

/**
 * Elements first … end of out [count] = rectified(vector [k] · matrix [k, count] + bias, floor), the matrix with eight
 * columns adjacent in memory, and `strip` bytes to the next eight. The order of additions depends on an element's position
 * in `count`, so `first` is a multiple of 16 if the matrix is streamed, otherwise of 24, and so is `end` unless it is count.
 */
function multiplyVector(
  out: usize, vector: usize, vectorStep: usize, matrix: usize, matrixStep: usize, strip: usize,
  count: i32, first: i32, end: i32, k: i32, bias: usize, biasIsVector: bool, floor: f32,
): void {
  const streamed = isStreamed(count, k, strip)
  const skip = <usize>first * 4
  out += skip
  matrix += <usize>(first >> 3) * strip
  if (bias && biasIsVector) bias += skip
  if (streamed) {
    const whole = min(end, count & ~3) - first
    if (whole > 0) gemv_stream_f32(out, vector, vectorStep, matrix, matrixStep, whole, k, bias, biasIsVector, floor)
    const done = <usize>whole * 4
    out += done
    matrix += done
    if (bias && biasIsVector) bias += done
    first += whole
  }
  if (first < end) gemv_columns_f32(out, vector, vectorStep, matrix, matrixStep, strip, end - first, k, bias, biasIsVector, floor)
}

/**
 * out [m,n] = rectified(lhs [m,k] · rhs [k,n] + bias, floor): see floorOf. bias is [n], or [m,n] if
 * biasRow is not 0. Blocked after Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008): kc × nc
 * of rhs, then mc × kc of lhs, then strips of 8 columns, so that a strip's panel of rhs stays in the first-level cache while
 * the block of lhs is read from the second-level cache. With `wide`, two strips are computed at once while two are left. A
 * side stays unpacked if packing costs more than it saves. Every element of out is one sum over k in order, in any tile.
 */
export function gemm_blocked_f32(
  out: usize, lhs: usize, lhsRow: usize, lhsColumn: usize, rhs: usize, rhsRow: usize, rhsColumn: usize, rhsStrip: usize,
  m: i32, n: i32, k: i32, bias: usize, biasRow: usize, floor: f32, scratch: usize, outRow: i32,
  packRhs: bool, packLhs: bool, wide: bool,
): void {
  const rows = !packLhs && lhsColumn == 4
  const panelRows = packLhs && wide ? 6 : 4
  const step = <usize>outRow * 4
  const packedLhs = scratch + 4 * GEMM_KC * GEMM_NC
  const zeros = packedLhs + 4 * GEMM_KC * GEMM_MC
  for (let i: usize = 0; i < 64; i += 16) v128.store(zeros + i, f32x4.splat(0))

  // equal blocks of k: 784 is 4 · 196, not 3 · 256 + 16
  const blocks = packRhs || packLhs ? (k + GEMM_KC - 1) / GEMM_KC : 1
  const kc = blocks > 1 ? ((k + blocks - 1) / blocks + 3) & ~3 : k
  const nc = packRhs ? GEMM_NC : n
  const mc = packRhs || packLhs || rhsStrip != 32 ? GEMM_MC : m

  for (let j = 0; j < n; j += nc) {
    const columns = min(nc, n - j)
    let p = 0
    do {
      const depth = min(kc, k - p)
      const blockFloor: f32 = p + depth == k ? floor : -Infinity
      const blockRhs = rhs + <usize>p * rhsRow + <usize>j * rhsColumn
      if (packRhs) pack_panels_8_f32(scratch, blockRhs, rhsColumn, rhsRow, columns, depth)
      const rhsPanel = packRhs ? panelBytes(8, depth) : rhsStrip
      const rhsStep: usize = packRhs ? 32 : rhsRow
      for (let i = 0; i < m; i += mc) {
        const height = min(mc, m - i)
        let blockLhs = lhs + <usize>i * lhsRow + <usize>p * lhsColumn
        if (packLhs) {
          if (panelRows == 6) pack_panels_6_f32(packedLhs, blockLhs, lhsRow, lhsColumn, height, depth)
          else pack_panels_4_f32(packedLhs, blockLhs, lhsRow, lhsColumn, height, depth)
          blockLhs = packedLhs
        }
        // With `rows`, from one row to the next; otherwise from one k to the next.
        const lhsStep: usize = rows ? lhsRow : packLhs ? <usize>panelRows * 4 : lhsColumn
        const lhsPanel: usize = rows ? 4 * lhsRow : packLhs ? panelBytes(panelRows, depth) : 16
        const blockOut = out + <usize>i * step + <usize>j * 4
        // the sums start from the result of the previous block of k, otherwise from the bias, otherwise from zeros
        const startStep: usize = p > 0 ? step : biasRow
        const startStrip: usize = p > 0 || bias ? 32 : 0
        const start = p > 0 ? blockOut : bias ? bias + <usize>i * biasRow + <usize>j * 4 : zeros
        multiplyStrips(
          wide, rows, packLhs, panelRows, blockOut, step, blockLhs, lhsStep, lhsPanel, packRhs ? scratch : blockRhs, rhsStep, rhsPanel,
          height, columns, depth, start, startStep, startStrip, blockFloor,
        )
      }
      p += kc
    } while (p < k)
  }
}

/** All strips of one block of gemm_blocked_f32, two at once while a wide tile fits. */
@inline
function multiplyStrips(
  wide: bool, rows: bool, packLhs: bool, panelRows: i32, out: usize, step: usize, lhs: usize, lhsStep: usize, lhsPanel: usize,
  rhs: usize, rhsStep: usize, rhsPanel: usize, height: i32, columns: i32, k: i32,
  start: usize, startStep: usize, startStrip: usize, floor: f32,
): void {
  // The next `wideStrips` strips already have their first `wideRows` rows, from a wide tile.
  let wideStrips = 0, wideRows = 0
  for (let left = columns; left > 0; left -= 8) {
    if (wide && !rows && wideStrips == 0 && left >= 16) {
      wideStrips = 2
      wideRows = height - height % 6
      gemm_6x16_columns_f32(
        out, step, lhs, lhsStep, packLhs ? lhsPanel : 24, rhs, rhsStep, rhsPanel, wideRows, k, start, startStep, floor,
      )
      const panels = <usize>wideRows / 6
      gemm_2x16_columns_f32(
        out + <usize>wideRows * step, step, lhs + panels * (packLhs ? lhsPanel : 24), lhsStep,
        rhs, rhsStep, rhsPanel, height - wideRows, k, start + <usize>wideRows * startStep, startStep, floor,
      )
      wideRows = height
    }
    multiplyRows(
      rows, wideStrips > 0 ? wideRows : 0, height, panelRows, out, step, lhs, lhsStep, lhsPanel,
      rhs, rhsStep, k, min(left, 8), start, startStep, floor,
    )
    if (wideStrips > 0) wideStrips--
    out += 32
    start += startStrip
    rhs += rhsPanel
  }
}

/**
 * The same as gemm_blocked_f32 for a rhs with neighbouring columns, which is neither packed nor in strips: for a few rows of
 * rhs at a time, sweeps over four rows of out each. `zeros` has room for eight numbers.
 */
export function gemm_swept_f32(
  out: usize, lhs: usize, lhsRow: usize, lhsColumn: usize, rhs: usize, rhsRow: usize,
  m: i32, n: i32, k: i32, bias: usize, biasRow: usize, floor: f32, zeros: usize, outRow: i32,
): void {
  const step = <usize>outRow * 4
  const rows = lhsColumn == 4
  const kc = <i32>rhsRow % SWEEP_PAGE ? SWEEP_KC : SWEEP_KC_IN_ONE_PLACE
  v128.store(zeros, f32x4.splat(0))
  v128.store(zeros, f32x4.splat(0), 16)
  for (let j = 0; j < n; j += GEMM_NC) {
    const columns = min(GEMM_NC, n - j)
    const whole = columns & ~7
    let p = 0
    do {
      const depth = min(kc, k - p)
      const blockFloor: f32 = p + depth == k ? floor : -Infinity
      const blockLhs = lhs + <usize>p * lhsColumn
      const blockRhs = rhs + <usize>p * rhsRow + <usize>j * 4
      const blockOut = out + <usize>j * 4
      const startStep: usize = p > 0 ? step : biasRow
      const startStrip: usize = p > 0 || bias ? 32 : 0
      const start = p > 0 ? blockOut : bias ? bias + <usize>j * 4 : zeros
      for (let i = 0; i < m && whole > 0; i += 4) {
        // the steps of a tile with fewer rows, as in gemm-tiles.ts
        const height = m - i
        const one: usize = height > 1 ? usize.MAX_VALUE : 0
        const two: usize = height > 2 ? usize.MAX_VALUE : 0
        const double: usize = height > 3 ? 1 : 0
        gemm_4x8_sweep_f32(
          blockOut + <usize>i * step, step & one, (step & two) << double,
          blockLhs + <usize>i * lhsRow, lhsRow & one, (lhsRow & two) << double, lhsColumn, blockRhs, rhsRow,
          whole, depth, start + <usize>i * startStep, startStep & one, (startStep & two) << double, startStrip, blockFloor,
        )
      }
      if (whole < columns) {
        const skip = <usize>whole * 4
        multiplyRows(
          rows, 0, m, 4, blockOut + skip, step, blockLhs, rows ? lhsRow : lhsColumn, rows ? 4 * lhsRow : 16,
          blockRhs + skip, rhsRow, depth, columns - whole, startStrip ? start + skip : start, startStep, blockFloor,
        )
      }
      p += kc
    } while (p < k)
  }
}

/**
 * The same for four rows of an lhs with neighbouring columns and a transposed rhs. Only the last n % 8 columns of rhs are
 * packed.
 */
export function gemm_across_f32(
  out: usize, lhs: usize, lhsRow: usize, rhs: usize, rhsColumn: usize,
  n: i32, k: i32, bias: usize, biasRow: usize, floor: f32, scratch: usize, outRow: i32,
): void {
  const step = <usize>outRow * 4
  const whole = n & ~7
  if (whole > 0) {
    v128.store(scratch, f32x4.splat(0))
    v128.store(scratch, f32x4.splat(0), 16)
    gemm_4x8_across_f32(
      out, step, lhs, lhsRow, rhs, rhsColumn, whole, k, bias ? bias : scratch, bias ? biasRow : 0, bias ? 32 : 0, floor,
    )
  }
  if (whole < n) {
    const skip = <usize>whole * 4
    gemm_blocked_f32(
      out + skip, lhs, lhsRow, 4, rhs + <usize>whole * rhsColumn, 4, rhsColumn, 32, 4, n - whole, k,
      bias ? bias + skip : 0, biasRow, floor, scratch, outRow, true, false, false,
    )
  }
}

/**
 * Computes rows `first` … height of one strip of up to 8 columns. One call of multiplyStrip computes all panels of 4, but
 * only one panel of 6. `first` > 0 only after wide tiles; it is then the start of a panel of 6, or a row of an unpacked
 * transposed lhs.
 */
@inline
function multiplyRows(
  rows: bool, first: i32, height: i32, panelRows: i32, out: usize, step: usize, lhs: usize, lhsStep: usize, lhsPanel: usize,
  rhs: usize, rhsStep: usize, k: i32, columns: i32, start: usize, startStep: usize, floor: f32,
): void {
  let row = first
  let panel = lhs + (panelRows == 6 ? <usize>(first / 6) * lhsPanel : <usize>first * 4)
  while (row < height) {
    // The rows of this panel, or all remaining rows.
    const end = panelRows == 6 ? min(row + 6, height) : height
    const whole = (end - row) & ~3
    if (whole) {
      multiplyStrip(
        rows, out + <usize>row * step, step, 2 * step, panel, lhsStep, rows ? 2 * lhsStep : lhsPanel, rhs, rhsStep,
        whole, k, columns, start + <usize>row * startStep, startStep, 2 * startStep, floor,
      )
    }
    let edge = panelRows == 6 ? panel + <usize>whole * 4 : panel + <usize>(whole >> 2) * lhsPanel
    row += whole
    while (row < end) {
      // three rows at once only if the tile gets separate steps to rows 1 and 2 of lhs
      const rest = end - row == 3 && !rows ? 2 : end - row
      const one: usize = rest > 1 ? usize.MAX_VALUE : 0
      const two: usize = rest > 2 ? usize.MAX_VALUE : 0
      multiplyStrip(
        rows, out + <usize>row * step, step & one, step & two, edge, rows ? lhsStep & one : lhsStep,
        rows ? lhsStep & two : lhsPanel, rhs, rhsStep,
        rest, k, columns, start + <usize>row * startStep, startStep & one, startStep & two, floor,
      )
      edge += <usize>rest * (rows ? lhsStep : 4)
      row += rest
    }
    panel += lhsPanel
  }
}

/**
 * Computes one strip of up to 8 columns with the tile for its width and for the layout of lhs. With `rows`, lhsStep and
 * lhsPanel are the steps to rows 1 and 2, otherwise those to the next k and to the next four rows.
 */
@inline
function multiplyStrip(
  rows: bool, out: usize, out1: usize, out2: usize, lhs: usize, lhsStep: usize, lhsPanel: usize, rhs: usize, rhsStep: usize,
  m: i32, k: i32, columns: i32, start: usize, start1: usize, start2: usize, floor: f32,
): void {
  if (rows) {
    if (columns > 4) gemm_4x8_rows_f32(out, out1, out2, lhs, lhsStep, lhsPanel, rhs, rhsStep, m, k, columns, start, start1, start2, floor)
    else gemm_4x4_rows_f32(out, out1, out2, lhs, lhsStep, lhsPanel, rhs, rhsStep, m, k, columns, start, start1, start2, floor)
  } else {
    if (columns > 4) gemm_4x8_columns_f32(out, out1, out2, lhs, lhsStep, lhsPanel, rhs, rhsStep, m, k, columns, start, start1, start2, floor)
    else gemm_4x4_columns_f32(out, out1, out2, lhs, lhsStep, lhsPanel, rhs, rhsStep, m, k, columns, start, start1, start2, floor)
  }
}
