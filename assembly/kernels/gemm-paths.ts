// The path of a Gemm: which kernel computes a product, which sides are packed, and how threads divide it.
import { partBorder } from '../parts'
import { GEMM_KC, GEMM_LONG, GEMM_NC } from '../shared/instructions'
import { SWEEP_PAGE } from './gemm-sweep'
import { panelBytes } from './pack'

// The sizes from which packing is faster, chosen on Zen 4 from 12, 24 and 48 rows and 32, 64, 128 and ∞ columns, measured
// interleaved in one run: 16 rows of 784 × 128 reach 0.95 of the tile's peak unpacked, 0.80 packed.

/** rhs elements above which strips of the unpacked matrix miss the first-level cache. */
const PACK_RHS_ELEMENTS: i32 = 4096
/** Rows of lhs from which packing rhs is faster: for lhs in rows, and for a transposed lhs, as in a weight's gradient. */
const PACK_RHS_ROWS: i32 = 40
const PACK_RHS_COLUMNS: i32 = 16
/** Columns of out from which packing lhs is faster: for lhs in rows, which is fast unpacked too, and for a transposed lhs. */
const PACK_LHS_ROWS_COLUMNS: i32 = 384
const PACK_LHS_COLUMNS_COLUMNS: i32 = 64
/** The same for lhs in rows with wide tiles, which read lhs only from panels. */
const PACK_LHS_WIDE_COLUMNS: i32 = 48
/** Rows of lhs below which it is never packed: an edge of three rows costs packed panels two tiles. */
const PACK_LHS_LEAST_ROWS: i32 = 24
/** The same for wide tiles, whose speed pays for packing from one panel on. */
const PACK_LHS_WIDE_ROWS: i32 = 6
/** Elements of a matrix from which its product with one vector is limited by memory. */
const STREAM_ELEMENTS: i32 = 48 * 1024

/**
 * Rows of out below which the rows of a large rhs are swept, and the elements that make it large: 32 × 1024 × 1024 15 → 32
 * GFLOP/s. Sweeping is as fast as packing up to 64 rows and more, but not with wide tiles.
 */
const SWEEP_ROWS: i32 = 40
const SWEEP_WIDE_ROWS: i32 = 6
const SWEEP_RHS_ELEMENTS: i32 = 64 * 1024
/**
 * The largest k for which a large out is swept, and the elements that make it large: 1024 × 4 × 1024 6 → 22 GFLOP/s. It is higher if a
 * strip's rows of out evict each other from the first-level cache, above all if no other cache holds out.
 */
const SWEEP_K: i32 = 4
const SWEEP_K_IN_ONE_PLACE: i32 = 8
const SWEEP_K_IN_MEMORY: i32 = 16
const SWEEP_OUT_ELEMENTS: i32 = 8 * 1024
const MEMORY_ELEMENTS: i32 = 2 * 1024 * 1024
const MEMORY_WIDE_ELEMENTS: i32 = 4 * 1024 * 1024

/** The cost of packing one element, in multiply-adds of the tiles. */
const PACK_COST: f32 = 8

// The paths of a product. Without tiles, by one of the kernels for vectors and for few rows:

/** n is 1, and the rows of lhs are neighbours. */
export const MATRIX_BY_VECTOR: i32 = 1
/** n is 1, and the elements of a row of lhs are neighbours. */
export const ROWS_BY_VECTOR: i32 = 2
/** m is 1, and the columns of rhs are neighbours. */
export const VECTOR_BY_MATRIX: i32 = 4
/** m is 2 or 3, and the elements of each row and of each column are neighbours. */
const FEW_ROWS: i32 = 8
export const WITHOUT_TILES: i32 = 15

// With tiles, by gemm_blocked_f32 and these flags, or by another kernel:

export const PACK_RHS: i32 = 16
export const PACK_LHS: i32 = 32
/** One rhs for several matrices of lhs, which is packed before the first of them. */
export const PACK_ONCE: i32 = 64
/** gemm_swept_f32, because a large rhs is read for a few rows. */
const SWEPT_FOR_FEW_ROWS: i32 = 128
/** gemm_swept_f32, because k is short. */
const SWEPT_FOR_SHORT_K: i32 = 256
export const SWEPT: i32 = 384
/** gemm_across_f32 */
export const ACROSS: i32 = 512

@inline
export function pathOf(
  m: i32, n: i32, k: i32, batch: i32, lhsRow: usize, lhsColumn: usize, rhsRow: usize, rhsColumn: usize, rhsBatch: usize, rhsStrip: usize,
  wide: bool,
): i32 {
  if (n == 1 && m > 1 && lhsRow == 4) return MATRIX_BY_VECTOR
  if (n == 1 && lhsColumn == 4 && rhsRow == 4) return ROWS_BY_VECTOR
  if (m == 1 && rhsColumn == 4) return VECTOR_BY_MATRIX
  if (m < 4 && rhsRow == 4 && lhsColumn == 4) return FEW_ROWS
  const isInStrips = rhsStrip != 32
  const canPackOnce = rhsBatch == 0 && batch > 1 && k > 1 && k <= GEMM_LONG &&
    panelBytes(8, k) * <usize>((n + 7) >> 3) <= 4 * GEMM_KC * GEMM_NC
  const rows = canPackOnce ? m * batch : m
  if (!isInStrips && rhsColumn == 4 && rhsRow != 0 && (lhsColumn == 4 || lhsRow == 4)) {
    const fewRowsTo = wide ? SWEEP_WIDE_ROWS : SWEEP_ROWS, inMemory = wide ? MEMORY_WIDE_ELEMENTS : MEMORY_ELEMENTS
    if (rows < fewRowsTo && n * k > SWEEP_RHS_ELEMENTS) return SWEPT_FOR_FEW_ROWS
    const isInOnePlace = (n * 4) % (SWEEP_PAGE / 2) == 0
    const shortTo = !isInOnePlace ? SWEEP_K : m * n > inMemory ? SWEEP_K_IN_MEMORY : wide ? SWEEP_K : SWEEP_K_IN_ONE_PLACE
    if (k <= shortTo && n >= 8 && m * n > SWEEP_OUT_ELEMENTS) return SWEPT_FOR_SHORT_K
  }
  // rhs with a row stride of 0 is always packed, because the tiles' loops over it would not end
  const packRhsFrom = lhsColumn == 4 ? PACK_RHS_ROWS : PACK_RHS_COLUMNS
  const packRhs = !isInStrips && (rhsColumn != 4 || rhsRow == 0 || (rows >= packRhsFrom && k > 1 && n * k > PACK_RHS_ELEMENTS))
  if (m == 4 && n >= 8 && rhsColumn != 4 && rhsRow == 4 && lhsColumn == 4 && !(canPackOnce && packRhs)) return ACROSS
  const packLhsFrom = lhsColumn == 4 ? PACK_LHS_ROWS_COLUMNS : PACK_LHS_COLUMNS_COLUMNS
  const packLhs = (lhsColumn != 4 && lhsRow != 4 && m > 1) || (packRhs && n >= packLhsFrom && m >= PACK_LHS_LEAST_ROWS) ||
    (wide && lhsColumn == 4 && n >= PACK_LHS_WIDE_COLUMNS && m >= PACK_LHS_WIDE_ROWS)
  return (packRhs ? PACK_RHS : 0) | (packLhs ? PACK_LHS : 0) | (canPackOnce && packRhs ? PACK_ONCE : 0)
}

/** Whether threads divide the rows of out, not its columns. */
@inline
export function dividesRows(path: i32, m: i32, n: i32, parts: i32): bool {
  if (path & WITHOUT_TILES) return n == 1
  // every part of rows reads the whole of rhs, which costs as much as packing it if no cache holds it
  const isCostly = (path & (PACK_RHS | SWEPT_FOR_FEW_ROWS | ACROSS)) != 0, packLhs = (path & PACK_LHS) != 0
  return costOfRows(m, n, parts, isCostly, packLhs) <= costOfColumns(m, n, parts, isCostly, packLhs)
}

/** The number of rows or columns in a block: parts have whole blocks. */
@inline
export function partBlock(path: i32, byRows: bool, extent: i32, k: i32, rhsStrip: usize): i32 {
  if (!(path & WITHOUT_TILES)) return byRows ? 4 : 8
  if (!(path & (MATRIX_BY_VECTOR | VECTOR_BY_MATRIX))) return 16
  // a slice of a long k may be streamed or not
  if (k > GEMM_LONG) return 48
  return isStreamed(extent, k, rhsStrip) ? 16 : 24
}

// The cost of the largest part, per k: its tiles and its packing. Parts of rows each pack the whole of rhs, parts of
// columns the whole of lhs.

@inline
function costOfRows(m: i32, n: i32, parts: i32, packRhs: bool, packLhs: bool): f32 {
  const rows = <f32>partBorder(m, 4, 1, parts)
  return rows * <f32>n + PACK_COST * ((packRhs ? <f32>n : 0) + (packLhs ? rows : 0))
}

@inline
function costOfColumns(m: i32, n: i32, parts: i32, packRhs: bool, packLhs: bool): f32 {
  const columns = <f32>partBorder(n, 8, 1, parts)
  return columns * <f32>m + PACK_COST * ((packRhs ? columns : 0) + (packLhs ? <f32>m : 0))
}

@inline
export function isStreamed(count: i32, k: i32, strip: usize): bool {
  return strip == 32 && count >= 32 && k >= 32 && count * k > STREAM_ELEMENTS
}
