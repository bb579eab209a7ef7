// Factorizations of matrices, with leading batch axes. Gradients are written with products and solutions, so that they are
// differentiable themselves. dX is the cotangent of X; Φ is the lower triangle with half of the diagonal. For triangles see
// matrices.ts.

import { FACTORIZE_PADDING, FACTORIZE_SWEEPS, Factorize } from '../../../assembly/shared/instructions'
import { Factorization, Opcode } from '../../../assembly/shared/opcodes'
import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import { sizeOf, type TensorType } from '../../core/shapes'
import type { Value } from '../ir/graph'
import { ABSENT, instruction, type Word, type LowerContext } from '../ir/instruction'
import type { Emitter } from './emitter'
import { cholesky, eigen, lu, matrixOf, qr, singular } from './factorization-references'
import {
  matricesOf,
  matrixType,
  vectorType,
  requireMatrices,
  Parts,
  rowOf,
  columnOf,
  half,
  type Matrices,
} from './matrices'
import { KernelRoutine } from './routine'
import type { CostContext, RefContext, VjpContext } from './rule'
import { TriangularSolve } from './solutions'
import { ArgSort } from './sorting'

/** Kernels that factorize each matrix. */
abstract class FactorizeRoutine extends KernelRoutine {
  protected abstract readonly kind: Factorization
  /** The number of first factors that are not computed. */
  protected readonly omitted: number = 0

  /** The number of columns of the first factor. */
  protected widthOf({ columns }: Matrices): number {
    return columns
  }

  override lower({ inputs: [a], outputs, temporary, emit }: LowerContext<unknown>): void {
    const matrices = matricesOf(a!)
    const { batch, rows, columns } = matrices
    if (outputs.every(({ shape }) => sizeOf(shape) === 0)) return
    const address = (i: number): Word => outputs[i - this.omitted]?.address ?? ABSENT
    emit(
      instruction(Opcode.Factorize, Factorize, {
        first: address(0),
        second: address(1),
        third: address(2),
        input: a!.address,
        rows,
        columns,
        width: this.widthOf(matrices),
        batch,
        factorization: this.kind,
        temporary: temporary ?? ABSENT,
      }),
    )
  }

  /** Calls `visit` with the index of each matrix and its offset. */
  protected each({ inputTypes: [a] }: RefContext<unknown>, visit: (i: number, matrices: Matrices) => void): void {
    const matrices = matricesOf(a!)
    for (let i = 0; i < matrices.batch; i++) visit(i, matrices)
  }
}

/** Factorizations that compute in float64. */
abstract class WideRoutine extends FactorizeRoutine {
  override temporaryBytes([a]: readonly TensorType[]): number {
    const matrices = matricesOf(a!)
    const padded = (n: number): number => n + FACTORIZE_PADDING
    return 8 * this.numbers(padded(matrices.rows), padded(matrices.columns), padded(this.widthOf(matrices)))
  }

  /** The numbers that the kernel needs for vectors of these lengths, with padding. */
  protected abstract numbers(rows: number, columns: number, width: number): number
}

/** A [… n,n] → L [… n,n], A = L Lᵀ. Reads only the lower triangle. NaN where A is not positive definite. */
export class Cholesky extends FactorizeRoutine {
  readonly name = 'cholesky'
  protected readonly kind = Factorization.Cholesky

  override infer([a]: readonly TensorType[]): readonly TensorType[] {
    requireMatrices(this.name, a!, true)
    return [a!]
  }

  // S = L⁻ᵀ Φ(Lᵀ dL) L⁻¹,  dA = ½ (S + Sᵀ)
  override vjp({ e, outputs: [l], cotangents: [dl] }: VjpContext<unknown>): readonly Value[] {
    const parts = new Parts(e, l!.shape.at(-1)!)
    const inner = parts.half(e.matmul(e.transposeMatrix(l!), parts.tril(dl!)))
    const adjoint = new TriangularSolve(true, true, false)
    const solve = (x: Value): Value => e.routine(adjoint, [l!, x])[0]!
    return [half(e, e.transposeMatrix(solve(e.transposeMatrix(solve(inner)))))]
  }

  override flops({ inputs: [a] }: CostContext<unknown>): number {
    const { batch, rows } = matricesOf(a!)
    return Math.round((batch * rows ** 3) / 3)
  }

  override reference(context: RefContext<unknown>): void {
    const {
      inputs: [a],
      outputs: [l],
    } = context
    this.each(context, (i, { rows: n }) => cholesky(matrixOf(a!, i * n * n, n), matrixOf(l!, i * n * n, n), n))
  }
}

/** A [… n,n] → L and U in one [… n,n], pivots int32 [… n], order int32 [… n]: row i of L U is row order[i] of A. */
export class Lu extends FactorizeRoutine {
  readonly name = 'lu'
  protected readonly kind = Factorization.Lu

  override infer([a]: readonly TensorType[]): readonly TensorType[] {
    const { front, rows } = requireMatrices(this.name, a!, true)
    return [a!, vectorType(front, rows, 'int32'), vectorType(front, rows, 'int32')]
  }

  // P dA = L⁻ᵀ (strictTril(Lᵀ dL) + triu(dU Uᵀ)) U⁻ᵀ
  override vjp({ e, outputs: [packed, , order], cotangents: [d] }: VjpContext<unknown>): readonly (Value | null)[] {
    if (sizeOf(packed!.shape) === 0) return [d!]
    const parts = new Parts(e, packed!.shape.at(-1)!)
    const l = parts.onDiagonal(e.scalar(1), parts.strictTril(packed!))
    const u = parts.triu(packed!)
    const inner = e.add(
      parts.strictTril(e.matmul(e.transposeMatrix(l), parts.strictTril(d!))),
      parts.triu(e.matmul(parts.triu(d!), e.transposeMatrix(u))),
    )
    const left = e.routine(new TriangularSolve(true, true, true), [packed!, inner])[0]!
    // X U⁻ᵀ = (U⁻¹ Xᵀ)ᵀ
    return [
      this.inRowsOfA(
        e,
        e.transposeMatrix(e.routine(new TriangularSolve(false, false, false), [packed!, e.transposeMatrix(left)])[0]!),
        order!,
      ),
    ]
  }

  /** Pᵀ X */
  protected inRowsOfA(e: Emitter, x: Value, order: Value): Value {
    const { batch, rows: n } = matricesOf(x)
    const [places] = e.routine(new ArgSort(order.shape.length - 1), [order])
    const starts = e.constant(
      Int32Array.from({ length: batch }, (_, i) => i * n),
      [batch, 1],
      'int32',
    )
    const rows = e.reshape(e.add(e.reshape(places!, [batch, n]), starts), [batch * n])
    return e.reshape(e.gather(e.reshape(x, [batch * n, n]), rows, 0), x.shape)
  }

  override flops({ inputs: [a] }: CostContext<unknown>): number {
    const { batch, rows } = matricesOf(a!)
    return Math.round((2 * batch * rows ** 3) / 3)
  }

  override reference(context: RefContext<unknown>): void {
    const {
      inputs: [a],
      outputs: [packed, pivots, order],
    } = context
    this.each(context, (i, { rows: n }) =>
      lu(matrixOf(a!, i * n * n, n), matrixOf(packed!, i * n * n, n), pivots!, order!, i * n, n),
    )
  }
}

/**
 * Lu for the determinant: only the product of U's diagonal is used, which is the determinant except for its sign. Its
 * gradient,
 * adj(A)ᵀ, is also finite where A is singular.
 */
export class LuOfDeterminant extends Lu {
  // The cotangents of the diagonal are c_i = dg ∏_{j≠i} u_j. With z_i = 1 where u_i = 0, else 0, and Ũ = U + diag(z),
  //   M = dg adj(U) = (Σ c_i u_i / n) Ũ⁻¹ + Ũ⁻¹ diag(z c) Ũ⁻¹,  P dA = L⁻ᵀ Mᵀ:
  // the first term if no u_i is 0, the second if one is. If several are, M is 0, as for any rank below n − 1.
  override vjp({
    e,
    inputs: [a],
    outputs: [, , order],
    cotangents: [d],
  }: VjpContext<unknown>): readonly (Value | null)[] {
    if (sizeOf(d!.shape) === 0) return [d!]
    const n = d!.shape.at(-1)!
    const parts = new Parts(e, n)
    // Factors with the gradient of Lu.
    const [packed] = e.routine(new Lu(), [a!])
    const isZero = e.equal(packed!, 0)
    const solid = e.add(packed!, parts.onDiagonal(e.select(isZero, 1, 0), 0))
    const identity = e.broadcastTo(parts.onDiagonal(e.scalar(1), 0), d!.shape)
    const [inverse] = e.routine(new TriangularSolve(false, false, false), [solid, identity])
    const axes = [d!.shape.length - 2, d!.shape.length - 1]
    const products = parts.onDiagonal(e.multiply(d!, packed!), 0)
    const whole = e.multiply(e.keepAxes(e.sum(products, axes), d!.shape, axes), 1 / n)
    const singular = e.matmul(inverse!, e.matmul(parts.onDiagonal(e.select(isZero, d!, 0), 0), inverse!))
    const adjugate = e.add(e.multiply(whole, inverse!), singular)
    return [
      this.inRowsOfA(
        e,
        e.routine(new TriangularSolve(true, true, true), [packed!, e.transposeMatrix(adjugate)])[0]!,
        order!,
      ),
    ]
  }
}

/** A [… m,n] → Q [… m,p] with orthonormal columns, R [… p,n]; p = m if complete, else min(m, n). Signs as in LAPACK. */
export class Qr extends WideRoutine {
  readonly name = 'qr'
  protected readonly kind = Factorization.Qr

  constructor(readonly isComplete: boolean) {
    super()
  }

  protected override widthOf({ rows, columns }: Matrices): number {
    return this.isComplete ? rows : Math.min(rows, columns)
  }

  protected override numbers(rows: number, columns: number, width: number): number {
    return rows * (2 * columns + width) + 2 * columns
  }

  override infer([a]: readonly TensorType[]): readonly TensorType[] {
    const matrices = requireMatrices(this.name, a!, false)
    const width = this.widthOf(matrices)
    return [matrixType(matrices.front, matrices.rows, width), matrixType(matrices.front, width, matrices.columns)]
  }

  // M = R dRᵀ − dQᵀ Q,  dA = (dQ + Q (tril M + (strictTril M)ᵀ)) R⁻ᵀ, for square R
  override vjp({ e, inputs: [a], outputs: [q, r], cotangents: [dq, dr] }: VjpContext<unknown>): readonly Value[] {
    const matrices = matricesOf(a!)
    const { rows, columns } = matrices
    if (this.widthOf(matrices) !== columns) {
      throw new ArgumentError(
        `${this.name}: only has a gradient where R is square, received [${rows}, ${columns}]${this.isComplete ? ' in mode complete' : ''}`,
      )
    }
    const parts = new Parts(e, columns)
    const m = e.subtract(e.matmul(r!, e.transposeMatrix(parts.triu(dr!))), e.matmul(e.transposeMatrix(dq!), q!))
    const symmetric = e.add(parts.tril(m), e.transposeMatrix(parts.strictTril(m)))
    const right = e.add(dq!, e.matmul(q!, symmetric))
    return [e.transposeMatrix(e.routine(new TriangularSolve(false, false, false), [r!, e.transposeMatrix(right)])[0]!)]
  }

  override flops({ inputs: [a] }: CostContext<unknown>): number {
    const matrices = matricesOf(a!)
    const { batch, rows, columns } = matrices
    return 2 * batch * rows * Math.min(rows, columns) * (columns + this.widthOf(matrices))
  }

  override reference(context: RefContext<unknown>): void {
    const {
      inputs: [a],
      outputs: [q, r],
    } = context
    this.each(context, (i, matrices) => {
      const { rows, columns } = matrices
      const width = this.widthOf(matrices)
      qr(
        matrixOf(a!, i * rows * columns, columns),
        matrixOf(q!, i * rows * width, width),
        matrixOf(r!, i * width * columns, columns),
        rows,
        columns,
        width,
      )
    })
  }
}

/**
 * A [… n,n], symmetric → w [… n], ascending, V [… n,n], A = V diag(w) Vᵀ. The largest element of each column of
 * V is positive.
 */
export class Eigen extends WideRoutine {
  readonly name = 'eigh'
  protected readonly kind = Factorization.Eigen

  protected override numbers(_rows: number, n: number): number {
    return n * (3 * n + 8 + 2 * FACTORIZE_SWEEPS)
  }

  override infer([a]: readonly TensorType[]): readonly TensorType[] {
    const { front, rows } = requireMatrices(this.name, a!, true)
    return [vectorType(front, rows), a!]
  }

  // dA = V (diag(dw) + (Vᵀ dV) / (w_j − w_i)) Vᵀ
  override vjp({ e, outputs: [w, v], cotangents: [dw, dv], isUsed }: VjpContext<unknown>): readonly Value[] {
    const { front, rows: n } = matricesOf(v!)
    const parts = new Parts(e, n)
    const turned = isUsed(1) ? e.multiply(e.matmul(e.transposeMatrix(v!), dv!), parts.gaps(w!, front, n)) : 0
    return [e.matmul(e.matmul(v!, parts.onDiagonal(rowOf(e, dw!), turned)), e.transposeMatrix(v!))]
  }

  override flops({ inputs: [a] }: CostContext<unknown>): number {
    const { batch, rows } = matricesOf(a!)
    // the reduction, the product of its reflections, and two sweeps of rotations per eigenvalue
    return 8 * batch * rows ** 3
  }

  override reference(context: RefContext<unknown>): void {
    const {
      inputs: [a],
      outputs: [w, v],
    } = context
    this.each(context, (i, { rows: n }) => eigen(matrixOf(a!, i * n * n, n), w!, i * n, matrixOf(v!, i * n * n, n), n))
  }
}

abstract class SingularRoutine extends WideRoutine {
  protected readonly kind = Factorization.Singular

  protected override numbers(rows: number, n: number, width: number): number {
    return (rows > n ? rows * (2 * n + width) + n : 0) + n * (4 * n + 16 + 4 * FACTORIZE_SWEEPS)
  }

  protected requireTall(a: TensorType): Matrices {
    const matrices = requireMatrices(this.name, a, false)
    if (matrices.rows < matrices.columns)
      throw new ShapeError(`${this.name}: expected at least as many rows as columns, received ${formatShape(a.shape)}`)
    return matrices
  }
}

/**
 * A [… m,n], m ≥ n → U [… m,p], s [… n], descending, Vᵀ [… n,n], A = U diag(s) Vᵀ; p = m if full, else n. The
 * largest element of each row of Vᵀ is positive.
 */
export class Singular extends SingularRoutine {
  readonly name = 'svd'

  constructor(readonly isFull: boolean) {
    super()
  }

  protected override widthOf({ rows, columns }: Matrices): number {
    return this.isFull ? rows : columns
  }

  override infer([a]: readonly TensorType[]): readonly TensorType[] {
    const matrices = this.requireTall(a!)
    const { front, rows, columns } = matrices
    return [
      matrixType(front, rows, this.widthOf(matrices)),
      vectorType(front, columns),
      matrixType(front, columns, columns),
    ]
  }

  // F = 1 / (s_j² − s_i²);  dA = U (diag(ds) + F∘(Uᵀ dU − dUᵀ U) diag(s) + diag(s) F∘(Vᵀ dV − dVᵀ V)) Vᵀ + (1 − U Uᵀ) dU diag(1/s) Vᵀ
  override vjp({
    e,
    inputs: [a],
    outputs: [u, s, vt],
    cotangents: [du, ds, dvt],
    isUsed,
  }: VjpContext<unknown>): readonly Value[] {
    const { front, rows, columns: n } = matricesOf(a!)
    const usesVectors = isUsed(0) || isUsed(2)
    if (usesVectors && this.isFull && rows !== n) {
      throw new ArgumentError(
        `${this.name}: the vectors of [${rows}, ${n}] have no gradient with fullMatrices; use fullMatrices: false`,
      )
    }
    const parts = new Parts(e, n)
    // The columns that contribute to A.
    const contributing =
      u!.shape.at(-1) === n
        ? u!
        : e.slice(
            u!,
            u!.shape.map(() => 0),
            [...front, rows, n],
          )
    if (!usesVectors) return [e.matmul(e.multiply(contributing, rowOf(e, ds!)), vt!)]
    const gaps = parts.gaps(e.square(s!), front, n)
    const skew = (x: Value): Value => e.multiply(gaps, e.subtract(x, e.transposeMatrix(x)))
    const left = e.multiply(skew(e.matmul(e.transposeMatrix(contributing), du!)), rowOf(e, s!))
    const right = e.multiply(columnOf(e, s!), skew(e.matmul(vt!, e.transposeMatrix(dvt!))))
    const inner = e.add(parts.onDiagonal(rowOf(e, ds!), 0), e.add(left, right))
    const square = e.matmul(contributing, inner)
    if (rows === n) return [e.matmul(square, vt!)]
    const isZero = e.equal(s!, 0)
    const inverse = e.select(isZero, 0, e.reciprocal(e.select(isZero, 1, s!)))
    const outside = e.subtract(du!, e.matmul(contributing, e.matmul(e.transposeMatrix(contributing), du!)))
    return [e.matmul(e.add(square, e.multiply(outside, rowOf(e, inverse))), vt!)]
  }

  override flops({ inputs: [a] }: CostContext<unknown>): number {
    const matrices = matricesOf(a!)
    const { batch, rows, columns } = matrices
    const tall = rows > columns ? 2 * rows * columns * (columns + this.widthOf(matrices)) : 0
    return batch * (16 * columns ** 3 + tall)
  }

  override reference(context: RefContext<unknown>): void {
    const {
      inputs: [a],
      outputs: [u, s, vt],
    } = context
    this.each(context, (i, matrices) => {
      const { rows, columns: n } = matrices
      const width = this.widthOf(matrices)
      singular(
        matrixOf(a!, i * rows * n, n),
        matrixOf(u!, i * rows * width, width),
        s!,
        i * n,
        matrixOf(vt!, i * n * n, n),
        rows,
        n,
        width,
      )
    })
  }
}

/** The singular values s of Singular alone. */
export class SingularValues extends SingularRoutine {
  readonly name = 'svdvals'
  protected override readonly omitted = 1

  override infer([a]: readonly TensorType[]): readonly TensorType[] {
    const { front, columns } = this.requireTall(a!)
    return [vectorType(front, columns)]
  }

  // dA = U diag(ds) Vᵀ
  override vjp({ e, inputs: [a], cotangents: [ds] }: VjpContext<unknown>): readonly Value[] {
    const [u, , vt] = e.routine(new Singular(false), [a!])
    return [e.matmul(e.multiply(u!, rowOf(e, ds!)), vt!)]
  }

  override flops({ inputs: [a] }: CostContext<unknown>): number {
    const { batch, rows, columns } = matricesOf(a!)
    return batch * (3 * columns ** 3 + (rows > columns ? 2 * rows * columns ** 2 : 0))
  }

  override reference(context: RefContext<unknown>): void {
    const {
      inputs: [a],
      outputs: [s],
    } = context
    this.each(context, (i, { rows, columns: n }) => {
      const [u, vt] = [new Float64Array(rows * n), new Float64Array(n * n)]
      singular(matrixOf(a!, i * rows * n, n), matrixOf(u, 0, n), s!, i * n, matrixOf(vt, 0, n), rows, n, n)
    })
  }
}
