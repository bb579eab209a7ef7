// Factorizations of matrices, and solutions, inverses and determinants computed from them. Matrices are the
// last two axes, leading axes are batches; all in float32. QR, eigenvalues and singular values are computed in float64: errors
// are about 10⁻¹⁵ of the largest one, before the results are rounded to float32.

import { operand } from '../kinds'
import { arg, op, opOf, optional, unaryOp } from '../op'
import { DataError, ShapeError, formatShape } from '../../core/errors'
import { boolean, choice, nullable, number } from '../../core/options'
import { broadcastShapes, sameShape, type Shape } from '../../core/shapes'
import { exactly } from '../../core/tuples'
import {
  Cholesky,
  Eigen,
  Lu,
  LuOfDeterminant,
  Qr,
  Singular,
  SingularValues,
} from '../../engine/primitives/factorization'
import { FactoredSolve, TriangularSolve } from '../../engine/primitives/solutions'
import type { KernelRoutine } from '../../engine/primitives/routine'
import { asTensor, type TensorLike } from '../convert'
import {
  abs,
  add,
  cast,
  divide,
  equal,
  less,
  log,
  multiply,
  sign,
  stopGradient,
  subtract,
  where,
} from '../numpy/elementwise'
import { diagonal } from '../numpy/diagonals'
import { needAlgebra } from '../families'
import { matmul } from './linalg'
import { all, max, prod, sum } from '../numpy/reduce'
import {
  arange,
  broadcastTo,
  concatenate,
  expandDims,
  eye,
  reshape,
  slice,
  squeeze,
  swapAxes,
  zeros,
} from '../numpy/shape'
import type { Tensor } from '../tensor'
import { apply, isData, joined, together } from '../trace'

const run = (routine: KernelRoutine, ...inputs: Tensor[]): Tensor[] => {
  needAlgebra()
  return apply('routine', inputs, { routine })
}
const transposed = (x: Tensor): Tensor => swapAxes(x, -2, -1)

function requireMatrices(where: string, x: TensorLike): Tensor {
  const value = cast(asTensor(x, where), 'float32')
  if (value.rank < 2) throw new ShapeError(`${where}: expected matrices [… m,n], received ${formatShape(value.shape)}`)
  return value
}

function requireSquare(where: string, x: TensorLike): Tensor {
  const value = requireMatrices(where, x)
  if (value.shape.at(-1) !== value.shape.at(-2))
    throw new ShapeError(`${where}: expected square matrices [… n,n], received ${formatShape(value.shape)}`)
  return value
}

/** (A + Aᵀ) / 2. Ops of symmetric matrices compute with it so that gradients are symmetric. */
const symmetrized = (x: Tensor): Tensor => multiply(add(x, transposed(x)), 0.5)

export const cholesky = op(() => [arg('x', operand), optional('upper', boolean)], {
  /**
   * Lower L [… n,n] with A = L Lᵀ for symmetric, positive definite A [… n,n]. L is NaN where A is not positive definite.
   * @param upper returns U = Lᵀ with A = Uᵀ U
   */
  cholesky(x, upper = false): Tensor {
    const [lower] = run(new Cholesky(), symmetrized(requireSquare('cholesky', x)))
    return upper ? transposed(lower!) : lower!
  },
})

export const choleskyInverse = op(() => [arg('x', operand), optional('upper', boolean)], {
  /** A⁻¹ from the factor that `cholesky` returns: (L Lᵀ)⁻¹, or (Uᵀ U)⁻¹ with `upper`. */
  choleskyInverse(x, upper = false): Tensor {
    const factor = requireSquare('choleskyInverse', x)
    const [inverse] = run(
      new TriangularSolve(!upper, false, false),
      factor,
      broadcastTo(eye(factor.shape.at(-1)!), factor.shape),
    )
    return upper ? matmul(inverse!, transposed(inverse!)) : matmul(transposed(inverse!), inverse!)
  },
})

/** The two sides of a system with equal batch axes, and the shape of the solution. */
function systemOf(
  where: string,
  a: TensorLike,
  b: TensorLike,
): { readonly left: Tensor; readonly right: Tensor; readonly front: Shape; readonly shape: Shape } {
  const left = requireSquare(where, a)
  const sides = cast(asTensor(b, where), 'float32')
  const n = left.shape.at(-1)!
  const isVector = sides.rank === 1 || sameShape(sides.shape, left.shape.slice(0, -1))
  const right = isVector ? expandDims(sides, -1) : sides
  if (right.rank < 2 || right.shape.at(-2) !== n) {
    throw new ShapeError(
      `${where}: the right side of ${formatShape(left.shape)} must be [… ${n}] or [… ${n}, k], received ${formatShape(sides.shape)}`,
    )
  }
  const front = broadcastShapes(where, [left.shape.slice(0, -2), right.shape.slice(0, -2)])
  const shape = [...front, n, right.shape.at(-1)!]
  return { left, right: broadcastTo(right, shape), front, shape: isVector ? shape.slice(0, -1) : shape }
}

export const solve = op(() => [arg('a', operand), arg('b', operand)], {
  /**
   * X with A X = B.
   * @param a [… n,n]
   * @param b [… n,k], whose batches broadcast with those of a; or one vector [n], or one vector per matrix [… n]
   * @returns the shape of b; infinite or NaN where A is singular
   */
  solve(a, b): Tensor {
    const { left, right, front, shape } = systemOf('solve', a, b)
    const [packed, , order] = run(new Lu(), left)
    const all = (x: Tensor, matrix: Shape): Tensor => broadcastTo(x, [...front, ...matrix])
    const n = left.shape.at(-1)!
    return reshape(
      run(new FactoredSolve(false), all(left, [n, n]), all(packed!, [n, n]), all(order!, [n]), right)[0]!,
      shape,
    )
  },
})

export const solveTriangular = op(() => [arg('a', operand), arg('b', operand), optional('lower', boolean)], {
  /**
   * X with T X = B, where T is the upper triangle of A, or the lower one. Shapes as in `solve`. The other
   * triangle is not read.
   */
  solveTriangular(a, b, lower = false): Tensor {
    const { left, right, front, shape } = systemOf('solveTriangular', a, b)
    return reshape(
      run(new TriangularSolve(lower, false, false), broadcastTo(left, [...front, ...left.shape.slice(-2)]), right)[0]!,
      shape,
    )
  },
})

/** A⁻¹ [… n,n]; infinite or NaN where A is singular. */
export const inv = unaryOp('inv', (x) => {
  const value = requireSquare('inv', x)
  return solve(value, broadcastTo(eye(value.shape.at(-1)!), value.shape))
})

/**
 * The LU factorization of A with partial pivoting.
 * @returns [L and U in one [… n,n], pivots int32 [… n]]: row i was swapped with row pivots[i], in order of i
 */
export const luFactor = unaryOp('luFactor', (x): [lu: Tensor, pivots: Tensor] => {
  const [packed, pivots] = run(new Lu(), requireSquare('luFactor', x))
  return [packed!, pivots!]
})

/** The diagonal of U [… n], and −1 for each row that was exchanged, else 1 [… n]: its product is the parity. */
function triangle(x: Tensor, lu = new Lu()): { readonly pivots: Tensor; readonly signs: Tensor } {
  const [packed, exchanged] = run(lu, x)
  const stays = equal(exchanged!, arange(0, x.shape.at(-1), 1, 'int32'))
  return { pivots: diagonal(packed!, 0, -2, -1), signs: where(stays, 1, -1) }
}

/**
 * The determinant of A [… n,n]: [… ]. Its gradient is the transposed adjugate: det(A) A⁻ᵀ where A is not singular. For
 * singular A with n > 3 the gradient is the adjugate's if elimination leaves one 0 on the diagonal, and 0 if it leaves
 * more, which is correct below rank n − 1. Second gradients are finite for n ≤ 3, and where A is not singular.
 */
export const det = unaryOp('det', (x) =>
  joined('det', [requireSquare('det', x)], ([value]) => {
    const n = value!.shape.at(-1)!
    if (n > 0 && n <= 3) return expanded(value!, n)
    const { pivots, signs } = triangle(value!, new LuOfDeterminant())
    return prod(multiply(pivots, signs), -1)
  }),
)

/** Expansion along the first row. */
function expanded(x: Tensor, n: number): Tensor {
  const front = x.shape.slice(0, -2)
  const at = (i: number, j: number): Tensor => reshape(slice(x, [...front.map(() => 0), i, j], [...front, 1, 1]), front)
  const minor = (i: number, j: number, k: number, l: number): Tensor =>
    subtract(multiply(at(i, j), at(k, l)), multiply(at(i, l), at(k, j)))
  if (n === 1) return at(0, 0)
  if (n === 2) return minor(0, 0, 1, 1)
  const terms = [minor(1, 1, 2, 2), minor(1, 0, 2, 2), minor(1, 0, 2, 1)].map((each, j) => multiply(at(0, j), each))
  return add(subtract(terms[0]!, terms[1]!), terms[2]!)
}

/**
 * The sign of the determinant and the logarithm of its magnitude: [sign, ln |det A|]. These do not overflow or
 * underflow.
 */
export const slogdet = unaryOp('slogdet', (x): [sign: Tensor, logdet: Tensor] => {
  const [signOf, logarithm] = together('slogdet', [requireSquare('slogdet', x)], ([value]) => {
    const { pivots, signs } = triangle(value!)
    return [prod(multiply(sign(pivots), signs), -1), sum(log(abs(pivots)), -1)]
  })
  return [signOf!, logarithm!]
})

/** ln det A for symmetric, positive definite A [… n,n]: [… ] */
export const logdet = unaryOp('logdet', (x) =>
  joined('logdet', [requireSquare('logdet', x)], ([value]) =>
    multiply(sum(log(diagonal(cholesky(value!), 0, -2, -1)), -1), 2),
  ),
)

export const qr = op(() => [arg('x', operand), optional('mode', choice('reduced', 'complete'))], {
  /**
   * A [… m,n] = Q R, Q with orthonormal columns, R upper. Q and R of a matrix with NaN or an infinity are NaN.
   * @param mode `reduced`: Q [… m,p], R [… p,n], p = min(m, n). `complete`: Q [… m,m], R [… m,n], without a gradient where m > n
   */
  qr(x, mode = 'reduced'): [q: Tensor, r: Tensor] {
    const value = requireMatrices('qr', x)
    const [m, n] = exactly(value.shape.slice(-2), 2)
    if (m >= n) {
      const [q, r] = run(new Qr(mode === 'complete'), value)
      return [q!, r!]
    }
    // The columns after the first m are Q (Qᵀ A).
    const front = value.shape.slice(0, -2)
    const zeros = front.map(() => 0)
    const [q, r] = run(new Qr(false), slice(value, [...zeros, 0, 0], [...front, m, m]))
    return [q!, concatenate([r!, matmul(transposed(q!), slice(value, [...zeros, 0, m], [...front, m, n - m]))], -1)]
  },
})

/**
 * Eigenvalues, ascending, and eigenvectors of symmetric A [… n,n] = V diag(w) Vᵀ. The largest element of each vector is
 * positive. The results of a matrix with NaN or an infinity are NaN.
 * @returns [w [… n], V [… n,n], vectors in columns]
 */
export const eigh = unaryOp('eigh', (x): [values: Tensor, vectors: Tensor] => {
  const [values, vectors] = run(new Eigen(), symmetrized(requireSquare('eigh', x)))
  return [values!, vectors!]
})

export interface SvdOptions {
  /** Whether U and Vᵀ are square; otherwise they have min(m, n) columns and rows. Default true. */
  readonly fullMatrices?: boolean
  /** Whether to return U and Vᵀ beside the singular values. Default true. */
  readonly computeUv?: boolean
}

/** The signatures of `svd`. */
interface Svd {
  /**
   * Singular values, descending, and vectors: A [… m,n] = U diag(s) Vᵀ. The largest element of each vector of the shorter
   * side is positive. Values above 10⁻⁸ of the largest have all digits of float32. The results of a matrix with NaN or an infinity
   * are NaN.
   * @param fullMatrices whether U is [… m,m] and Vᵀ [… n,n]; otherwise [… m,k] and [… k,n], k = min(m, n). Full vectors of
   *   a matrix that is not square have no gradient. Default true, as in Keras.
   * @returns [U, s [… k], Vᵀ]; s alone if `computeUv` is false
   */
  (
    x: TensorLike,
    fullMatrices?: boolean | (SvdOptions & { readonly computeUv?: true }),
    computeUv?: true,
  ): [u: Tensor, s: Tensor, vt: Tensor]
  (x: TensorLike, fullMatrices: boolean, computeUv: false): Tensor
  (x: TensorLike, options: SvdOptions & { readonly computeUv: false }): Tensor
  (
    named: {
      /** The matrices [… m,n]. */
      readonly x: TensorLike
    } & SvdOptions & { readonly computeUv?: true },
  ): [u: Tensor, s: Tensor, vt: Tensor]
  (
    named: {
      /** The matrices [… m,n]. */
      readonly x: TensorLike
    } & SvdOptions & { readonly computeUv: false },
  ): Tensor
}

export const svd = opOf<Svd>(
  () => [arg('x', operand), optional('fullMatrices', boolean), optional('computeUv', boolean)],
  {
    svd(x: TensorLike, fullMatrices = true, computeUv = true): Tensor | [u: Tensor, s: Tensor, vt: Tensor] {
      const value = requireMatrices('svd', x)
      const isWide = value.shape.at(-2)! < value.shape.at(-1)!
      const tall = isWide ? transposed(value) : value
      if (!computeUv) return run(new SingularValues(), tall)[0]!
      const [u, s, vt] = exactly(run(new Singular(fullMatrices), tall), 3)
      return isWide ? [transposed(vt), s, transposed(u)] : [u, s, vt]
    },
  },
)

/** As in Keras on JAX, singular values below 10 max(m, n) ε of the largest count as 0. */
const cutoff = (m: number, n: number): number => 10 * Math.max(m, n) * 2 ** -23

export const pinv = op(() => [arg('x', operand), optional('rcond', nullable(number()))], {
  /**
   * The pseudoinverse A⁺ [… n,m] of A [… m,n]: V diag(1/s) Uᵀ over the singular values s that do not count as 0. A⁺ b is
   * the shortest x that minimizes |A x − b|. The gradient is that of (Aᵀ A)⁻¹ Aᵀ, or of Aᵀ (A Aᵀ)⁻¹. It is 0 where a
   * singular value counts as 0, because A⁺ is not continuous there.
   *
   * @param rcond singular values up to this fraction of the largest one count as 0. Default 10 · max(m, n) · 2⁻²³.
   * Keras: `keras.ops.pinv`.
   */
  pinv(x, rcond = null): Tensor {
    const value = requireMatrices('pinv', x)
    const [m, n] = exactly(value.shape.slice(-2), 2)
    const least = rcond ?? cutoff(m, n)
    if (m < n) return transposed(pinv(transposed(value), least))
    if (value.size === 0) return transposed(value)
    const [u, s, vt] = exactly(run(new Singular(false), stopGradient(value)), 3)
    const counts = less(multiply(max(s, -1, true), least), s)
    const inverse = where(counts, divide(1, where(counts, s, 1)), 0)
    const found = matmul(multiply(transposed(vt), expandDims(inverse, -2)), transposed(u))
    // The gradient flows through R⁻¹ Qᵀ, which equals A⁺ where A has full rank.
    const isWhole = expandDims(all(counts, -1, true), -1)
    const [q, r] = exactly(run(new Qr(false), where(isWhole, value, eye(m, n))), 2)
    const smooth = run(new TriangularSolve(false, false, false), r, transposed(q))[0]!
    return add(found, subtract(smooth, stopGradient(smooth)))
  },
})

export const lstsq = op(() => [arg('a', operand), arg('b', operand), optional('rcond', nullable(number()))], {
  /**
   * The shortest X that minimizes |A X − B|: A⁺ B. Gradients are those of `pinv`.
   * @param a [… m,n]
   * @param b [… m,k]; or one vector [m], or one vector per matrix [… m]
   * @param rcond singular values of A up to this fraction of the largest one count as 0. Default 10 · max(m, n) · 2⁻²³.
   * @returns [… n,k], or [… n]
   * Keras: `keras.ops.lstsq`.
   */
  lstsq(a, b, rcond = null): Tensor {
    const left = requireMatrices('lstsq', a)
    const sides = cast(asTensor(b, 'lstsq'), 'float32')
    const isVector = sides.rank === 1 || sameShape(sides.shape, left.shape.slice(0, -1))
    const right = isVector ? expandDims(sides, -1) : sides
    const m = left.shape.at(-2)!
    if (right.rank < 2 || right.shape.at(-2) !== m) {
      throw new ShapeError(
        `lstsq: the right side of ${formatShape(left.shape)} must be [… ${m}] or [… ${m}, k], received ${formatShape(sides.shape)}`,
      )
    }
    const solution = matmul(pinv(left, rcond), right)
    return isVector ? squeeze(solution, -1) : solution
  },
})

export const matrixRank = op(() => [arg('x', operand), optional('tol', nullable(number()))], {
  /**
   * The rank of A [… m,n]: the number of singular values above `tol`.
   * @param tol the largest singular value that counts as 0; null for max(m, n) · 2⁻²³ of the largest one. Default null.
   * @returns int32 […]
   * @example ops.matrixRank([[1, 2], [2, 4]])   // 1
   * Keras: `keras.ops.matrix_rank`.
   */
  matrixRank(x, tol = null): Tensor {
    const value = requireMatrices('matrixRank', x)
    const front = value.shape.slice(0, -2)
    if (value.shape.at(-1) === 0 || value.shape.at(-2) === 0) return zeros(front, 'int32')
    const values = svd(value, false, false)
    const least = tol ?? multiply(max(values, -1, true), Math.max(...value.shape.slice(-2)) * 2 ** -23)
    return sum(cast(less(least, values), 'int32'), -1)
  },
})

/**
 * Eigenvalues, ascending, and eigenvectors of symmetric A [… n,n], as `eigh`. Other matrices have complex eigenvalues, for which there
 * is no dtype.
 * @returns [w [… n], V [… n,n], vectors in columns]; in traced functions NaN where A is not symmetric
 * @throws DataError when A is data and not symmetric
 * @example ops.eig([[2, 1], [1, 2]])   // [[1, 3], …]
 * Keras: `keras.ops.eig`.
 */
export const eig = unaryOp('eig', (x): [values: Tensor, vectors: Tensor] => {
  const value = requireSquare('eig', x)
  const isSymmetric = all(equal(value, transposed(value)), [-2, -1], true)
  if (isData(value) && isSymmetric.data.some((each) => each === 0))
    throw new DataError(
      'eig: the matrices must be symmetric, because other ones have complex eigenvalues. Symmetrize them, or use svd',
    )
  const [values, vectors] = eigh(value)
  return [where(squeeze(isSymmetric, -1), values, NaN), where(isSymmetric, vectors, NaN)]
})
