// Adaptive integration along the path of integrated gradients. A function with kinks, such as a relu network, is not a
// polynomial along the path, so one rule for the whole path leaves a gap. On a piece without a kink, the rule is exact.
// The gap of a piece follows from the function at both of its ends, so only pieces with a large gap are bisected.

import { sizeOf } from '../core/shapes'
import { Tensor } from '../ops/tensor'

/** A part of the path of one row, t from `from` to `to`. */
export interface Piece {
  readonly row: number
  readonly from: number
  readonly to: number
}

/** The contributions of some pieces, and the gap of each. */
export interface PieceResult {
  /** For each input, one row per piece. */
  readonly attributions: readonly Tensor[]
  readonly gaps: ArrayLike<number>
  /** The function at both ends, whose rounding limits the gap that can be reached. */
  readonly values: ArrayLike<number>
  readonly baseValues: ArrayLike<number>
}

/** The relative rounding error of a network's output in float32. */
const ROUNDING = 2 ** -21

/** Above this number of open pieces of one row, the gap is attributed to rounding. */
const MOST = 4096
/** Pieces are not bisected below this length: float32 has no points between. */
const SHORTEST = 2 ** -20

/** The points x′ + t (x − x′) at one end of each piece. @param baseline [rows, …], or [1, …] for all; null for zeros */
export function ends(
  pieces: readonly Piece[],
  end: 'from' | 'to',
  { data, shape: [, ...row] }: Tensor,
  baseline: Tensor | null,
): Tensor {
  const size = sizeOf(row)
  const out = new Float32Array(pieces.length * size)
  pieces.forEach((piece, i) => {
    const [start, base] = [piece.row * size, baseline === null || baseline.shape[0] === 1 ? 0 : piece.row * size]
    const t = piece[end]
    for (let j = 0; j < size; j++) {
      const first = baseline?.data[base + j] ?? 0
      // Exactly the value at the end of the path.
      out[i * size + j] = t === 1 ? data[start + j]! : first + t * (data[start + j]! - first)
    }
  })
  return new Tensor(out, [pieces.length, ...row], 'float32')
}

/** Both halves of a piece. */
function halves({ row, from, to }: Piece): Piece[] {
  const middle = (from + to) / 2
  return [
    { row, from, to: middle },
    { row, from: middle, to },
  ]
}

/**
 * The integral over the path of each row, bisected until the gap is within the tolerance.
 * @param rows the rows whose whole path has too large a gap
 * @param integrate integrates some pieces
 * @returns for each of these rows, its attributions for each input
 */
export async function integrateInPieces(
  rows: readonly number[],
  tolerance: number,
  integrate: (pieces: readonly Piece[]) => Promise<PieceResult>,
): Promise<Map<number, Float64Array[]>> {
  const sums = new Map<number, Float64Array[]>()
  const take = (row: number, attributions: readonly Tensor[], at: number): void => {
    const sum = sums.get(row) ?? attributions.map(({ size, shape }) => new Float64Array(size / shape[0]!))
    sums.set(row, sum)
    attributions.forEach(({ data }, i) => {
      const total = sum[i]!
      for (let j = 0; j < total.length; j++) total[j]! += data[at * total.length + j]!
    })
  }
  let open = rows.flatMap((row) => halves({ row, from: 0, to: 1 }))
  while (open.length > 0) {
    const pieces = open
    const { attributions, gaps, values, baseValues } = await integrate(pieces)
    const left = new Map<number, number>()
    pieces.forEach(({ row }, i) => left.set(row, (left.get(row) ?? 0) + Math.abs(gaps[i]!)))
    const counts = new Map<number, number>()
    for (const { row } of pieces) counts.set(row, (counts.get(row) ?? 0) + 1)
    open = []
    pieces.forEach((piece, i) => {
      const { row, from, to } = piece
      // This round may leave half of the tolerance, shared among its pieces; later rounds share the other half.
      const allowed = Math.max(
        tolerance / 2 ** 5 / counts.get(row)!,
        ROUNDING * Math.max(Math.abs(values[i]!), Math.abs(baseValues[i]!)),
      )
      const isGood =
        left.get(row)! <= tolerance / 2 ||
        Math.abs(gaps[i]!) <= allowed ||
        counts.get(row)! > MOST ||
        to - from <= SHORTEST
      if (isGood) take(row, attributions, i)
      else open.push(...halves(piece))
    })
  }
  return sums
}
