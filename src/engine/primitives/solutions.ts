// Solutions of systems of linear equations, with leading batch axes. dX is the cotangent of X.

import { Substitute } from '../../../assembly/shared/instructions'
import { Opcode, Triangle } from '../../../assembly/shared/opcodes'
import type { NumericArray } from '../../core/dtypes'
import { ShapeError, formatShape } from '../../core/errors'
import { sameShape, sizeOf, type TensorType } from '../../core/shapes'
import type { Value } from '../ir/graph'
import { ABSENT, instruction, type LowerContext } from '../ir/instruction'
import { matrixOf, substitute } from './factorization-references'
import { matricesOf, requireMatrices, Parts } from './matrices'
import { KernelRoutine, required } from './routine'
import type { CostContext, RefContext, VjpContext } from './rule'

function requireSystem(name: string, a: TensorType, b: TensorType): void {
  const { front, rows } = requireMatrices(name, a, true)
  const right = requireMatrices(name, b, false)
  if (!sameShape(front, right.front) || right.rows !== rows) {
    throw new ShapeError(
      `${name}: the right side of ${formatShape(a.shape)} must be ${formatShape([...front, rows])} with one more axis, received ${formatShape(b.shape)}`,
    )
  }
}

function copyOf(from: NumericArray, to: NumericArray): void {
  for (let i = 0; i < to.length; i++) to[i] = from[i]!
}

/**
 * A [… n,n], B [… n,k] → T⁻¹ B, where T is the lower or upper triangle of A, or its transpose; unit: with ones
 * on its diagonal.
 */
export class TriangularSolve extends KernelRoutine {
  readonly name = 'solveTriangular'

  constructor(
    readonly isLower: boolean,
    readonly isTransposed: boolean,
    readonly isUnit: boolean,
  ) {
    super()
  }

  override infer([a, b]: readonly TensorType[]): readonly TensorType[] {
    requireSystem(this.name, a!, b!)
    return [b!]
  }

  // dB = T⁻ᵀ dX,  dT = −dB Xᵀ
  override vjp({
    e,
    inputs: [a],
    outputs: [x],
    cotangents: [dx],
    isWanted,
  }: VjpContext<unknown>): readonly (Value | null)[] {
    const [db] = e.routine(new TriangularSolve(this.isLower, !this.isTransposed, this.isUnit), [a!, dx!])
    if (!isWanted(0)) return [null, db!]
    const [left, right] = this.isTransposed ? [x!, db!] : [db!, x!]
    const all = e.negative(e.matmul(left, e.transposeMatrix(right)))
    const parts = new Parts(e, a!.shape.at(-1)!)
    return [parts.triangle(this.isLower, this.isUnit)(all), db!]
  }

  override lower({ inputs: [a, b], outputs: [out], emit }: LowerContext<unknown>): void {
    const { batch, rows, columns } = matricesOf(b!)
    if (sizeOf(b!.shape) === 0) return
    const triangle =
      (this.isLower ? Triangle.Lower : 0) +
      (this.isTransposed ? Triangle.Transposed : 0) +
      (this.isUnit ? Triangle.Unit : 0)
    emit(
      instruction(Opcode.Substitute, Substitute, {
        out: out!.address,
        matrix: a!.address,
        input: b!.address,
        order: ABSENT,
        n: rows,
        columns,
        batch,
        triangle,
        places: 0,
        temporary: ABSENT,
      }),
    )
  }

  override flops({ inputs: [a, b] }: CostContext<unknown>): number {
    return sizeOf(b!.shape) * a!.shape.at(-1)!
  }

  override reference({ inputs: [a, b], outputs: [out], inputTypes: [, type] }: RefContext<unknown>): void {
    const { batch, rows: n, columns } = matricesOf(type!)
    copyOf(b!, out!)
    for (let i = 0; i < batch; i++) {
      const matrix = matrixOf(a!, i * n * n, n)
      const t = (row: number, column: number): number =>
        this.isTransposed ? matrix.get(column, row) : matrix.get(row, column)
      substitute(t, matrixOf(out!, i * n * columns, columns), n, this.isLower !== this.isTransposed, this.isUnit)
    }
  }
}

/**
 * A [… n,n], the results of Lu for A, B [… n,k] → A⁻¹ B, or A⁻ᵀ B. The gradient with respect to A includes the factorization,
 * so none flows to the results of Lu. A itself is not read.
 */
export class FactoredSolve extends KernelRoutine {
  readonly name = 'solve'

  constructor(readonly isTransposed: boolean) {
    super()
  }

  override infer([a, , , b]: readonly TensorType[]): readonly TensorType[] {
    requireSystem(this.name, a!, b!)
    return [b!]
  }

  // dB = A⁻ᵀ dX,  dA = −dB Xᵀ; for A⁻ᵀ B, dA is −X dBᵀ
  override vjp({
    e,
    inputs: [a, packed, order],
    outputs: [x],
    cotangents: [dx],
    isWanted,
  }: VjpContext<unknown>): readonly (Value | null)[] {
    const [db] = e.routine(new FactoredSolve(!this.isTransposed), [a!, packed!, order!, dx!])
    const [left, right] = this.isTransposed ? [x!, db!] : [db!, x!]
    return [isWanted(0) ? e.negative(e.matmul(left, e.transposeMatrix(right))) : null, null, null, db!]
  }

  override lower({ inputs: [, packed, order, b], outputs: [out], temporary, emit }: LowerContext<unknown>): void {
    const { batch, rows: n, columns } = matricesOf(b!)
    if (sizeOf(b!.shape) === 0) return
    const common = { out: out!.address, matrix: packed!.address, n, columns, batch }
    const unit = Triangle.Lower + Triangle.Unit
    const plain = { ...common, order: ABSENT, places: 0, temporary: ABSENT }
    const ordered = {
      ...common,
      order: order!.address,
      places: Number(this.isTransposed),
      temporary: this.isTransposed ? required(temporary) : ABSENT,
    }
    const again = { input: out!.address }
    const steps = this.isTransposed
      ? // Aᵀ = Uᵀ Lᵀ P
        [
          { ...plain, input: b!.address, triangle: Triangle.Transposed },
          { ...ordered, ...again, triangle: unit + Triangle.Transposed },
        ]
      : [
          { ...ordered, input: b!.address, triangle: unit },
          { ...plain, ...again, triangle: 0 },
        ]
    for (const step of steps) emit(instruction(Opcode.Substitute, Substitute, step))
  }

  override temporaryBytes([, , , b]: readonly TensorType[]): number {
    return this.isTransposed ? 4 * sizeOf(b!.shape.slice(-2)) : 0
  }

  override flops({ inputs: [a, , , b] }: CostContext<unknown>): number {
    return 2 * sizeOf(b!.shape) * a!.shape.at(-1)!
  }

  override reference({
    inputs: [, packed, order, b],
    outputs: [out],
    inputTypes: [, , , type],
  }: RefContext<unknown>): void {
    const { batch, rows: n, columns } = matricesOf(type!)
    for (let i = 0; i < batch; i++) {
      const matrix = matrixOf(packed!, i * n * n, n)
      const work = matrixOf(new Float64Array(n * columns), 0, columns)
      const from = matrixOf(b!, i * n * columns, columns)
      const to = matrixOf(out!, i * n * columns, columns)
      const straight = (row: number, column: number): number => matrix.get(row, column)
      const across = (row: number, column: number): number => matrix.get(column, row)
      const place = (row: number): number => order![i * n + row]!
      for (let row = 0; row < n; row++)
        for (let c = 0; c < columns; c++) work.set(row, c, from.get(this.isTransposed ? row : place(row), c))
      substitute(this.isTransposed ? across : straight, work, n, true, !this.isTransposed)
      substitute(this.isTransposed ? across : straight, work, n, false, this.isTransposed)
      for (let row = 0; row < n; row++)
        for (let c = 0; c < columns; c++) to.set(this.isTransposed ? place(row) : row, c, work.get(row, c))
    }
  }
}
