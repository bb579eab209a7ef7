// The path of integrated gradients in pieces. A function with kinks, as relu makes them, is no polynomial along the path, and
// one rule for the whole path leaves a gap; on a piece without a kink there is none. What a piece leaves unexplained is known,
// since the function is known at both of its ends, so only pieces that need it are cut in two.

import { sizeOf } from '../core/shapes'
import { Tensor } from '../ops/tensor'

/** A part of the path of one row, t from `from` to `to`. */
export interface Piece {
  readonly row: number
  readonly from: number
  readonly to: number
}

/** What some pieces contribute, and what each leaves unexplained. */
export interface PieceResult {
  /** For each input, a row for each piece. */
  readonly attributions: readonly Tensor[]
  readonly gaps: ArrayLike<number>
  /** The numbers at their ends, whose rounding no cut makes smaller. */
  readonly values: ArrayLike<number>
  readonly baseValues: ArrayLike<number>
}

/** The part of a number that float32 may be wrong by, after the sums of a network. */
const ROUNDING = 2 ** -21

/** With more pieces of one row that all need to be cut, rounding is what is left. */
const MOST = 4096
/** Below this length a piece is not cut again: float32 knows no points between. */
const SHORTEST = 2 ** -20

/** The places x′ + t (x − x′) at one end of each piece. @param baseline [rows, …], or [1, …] for all; null for zeros */
export function ends(
  pieces: readonly Piece[],
  end: 'from' | 'to',
  { data, shape: [, ...row] }: Tensor,
  baseline: Tensor | null,
): Tensor {
  const size = sizeOf(row)
  const out = new Float32Array(pieces.length * size)
  pieces.forEach((piece, i) => {
    const [own, base] = [piece.row * size, baseline === null || baseline.shape[0] === 1 ? 0 : piece.row * size]
    const t = piece[end]
    for (let j = 0; j < size; j++) {
      const first = baseline?.data[base + j] ?? 0
      // Exactly the value where the path ends.
      out[i * size + j] = t === 1 ? data[own + j]! : first + t * (data[own + j]! - first)
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
 * The sum over the path of each row, cut in two where more is left unexplained than the tolerance allows, again and again.
 * @param rows the rows whose whole path leaves too much
 * @param integrate some pieces
 * @returns for each of these rows and each input, its attributions
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
      const own = sum[i]!
      for (let j = 0; j < own.length; j++) own[j]! += data[at * own.length + j]!
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
      // Half of what is left may stay, shared by the pieces of this turn; the turns to come share the other half.
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
