// Running sums, running products and linear recurrences along an axis, from its start or from its end.

import { Running } from '../../../assembly/shared/instructions'
import { Opcode, RunningFold } from '../../../assembly/shared/opcodes'
import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import { sameShape, sizeOf, splitAround, type TensorType } from '../../core/shapes'
import type { Emitter } from './emitter'
import type { Value } from '../ir/graph'
import { instruction, type LowerContext } from '../ir/instruction'
import { elementsOf } from './flops'
import { KernelRoutine } from './routine'
import type { CostContext, InPlace, RefContext, VjpContext } from './rule'

/** The part of x at an offset along an axis, and `filling` where there is none: y_t = x_(t − by). */
function shifted(e: Emitter, x: Value, axis: number, by: 1 | -1, filling: number): Value {
  const { shape } = x
  const rest = e.slice(
    x,
    shape.map((_, i) => (i === axis && by < 0 ? 1 : 0)),
    shape.map((extent, i) => (i === axis ? extent - 1 : extent)),
  )
  const edge = e.broadcastTo(
    e.scalar(filling),
    shape.map((extent, i) => (i === axis ? 1 : extent)),
  )
  return e.concat(by > 0 ? [edge, rest] : [rest, edge], axis)
}

type Kind = 'sum' | 'product' | 'affine'

const folds: Readonly<Record<Kind, readonly [float: RunningFold, integer: RunningFold | null]>> = {
  sum: [RunningFold.Sum, RunningFold.SumI32],
  product: [RunningFold.Product, RunningFold.ProductI32],
  affine: [RunningFold.Affine, null],
}

/**
 * y_t = y_(t−1) + x_t, y_(t−1) · x_t, or, with two operands x and f, f_t · y_(t−1) + x_t, where y_(−1) is 0 (1 for a product).
 * Backwards, t + 1 is in place of t − 1.
 */
export class RunningResult extends KernelRoutine {
  readonly name = 'running'

  constructor(
    readonly axis: number,
    readonly kind: Kind,
    readonly isBackwards = false,
  ) {
    super()
  }

  override infer([x, factor]: readonly TensorType[]): readonly TensorType[] {
    const [, integer] = folds[this.kind]
    if (x!.dtype === 'int32' ? integer === null : x!.dtype !== 'float32')
      throw new ArgumentError(`running ${this.kind}: the operand must be float32 or int32, received ${x!.dtype}`)
    if (factor !== undefined && (factor.dtype !== 'float32' || !sameShape(factor.shape, x!.shape)))
      throw new ShapeError(
        `running ${this.kind}: expected two float32 operands of one shape, received ${formatShape(x!.shape)} and ${factor.dtype} ${formatShape(factor.shape)}`,
      )
    return [x!]
  }

  override keepsAxis(_inputs: readonly TensorType[], _operand: number, axis: number): boolean {
    return axis !== this.axis
  }

  override lifted(): RunningResult {
    return new RunningResult(this.axis + 1, this.kind, this.isBackwards)
  }

  private turned(kind: Kind): RunningResult {
    return new RunningResult(this.axis, kind, !this.isBackwards)
  }

  // With g_t = dy_t + f_(t+1) · g_(t+1): dx_t = g_t and df_t = g_t · y_(t−1). A sum has f = 1; a product has f = x and no
  // addend, which is exact where elements are 0.
  override vjp({ e, inputs, outputs: [y], cotangents: [dy] }: VjpContext<unknown>): readonly (Value | null)[] {
    const { axis, kind } = this
    if (sizeOf(dy!.shape) === 0) return inputs.map(() => dy!)
    if (kind === 'sum') return e.routine(this.turned('sum'), [dy!])
    const by = this.isBackwards ? -1 : 1
    const factor = shifted(e, inputs.at(-1)!, axis, by === 1 ? -1 : 1, 0)
    const [g] = e.routine(this.turned('affine'), [dy!, factor])
    const slope = e.multiply(g!, shifted(e, y!, axis, by, kind === 'product' ? 1 : 0))
    return kind === 'product' ? [slope] : [g!, slope]
  }

  override inPlace(): readonly InPlace[] {
    return [[0, 0]]
  }

  override lower({ inputs: [x, factor], outputs: [out], emit }: LowerContext<unknown>): void {
    if (sizeOf(x!.shape) === 0) return
    const [float, integer] = folds[this.kind]
    emit(
      instruction(Opcode.Running, Running, {
        out: out!.address,
        input: x!.address,
        factor: factor?.address ?? 0,
        ...splitAround(x!.shape, this.axis),
        isBackwards: Number(this.isBackwards),
        fold: x!.dtype === 'float32' ? float : (integer ?? float),
      }),
    )
  }

  override flops({ inputs }: CostContext<unknown>): number {
    return elementsOf(inputs)
  }

  override reference({ inputs: [x, factor], outputs: [out], inputTypes: [type] }: RefContext<unknown>): void {
    const { outer, axis, inner } = splitAround(type!.shape, this.axis)
    const isInteger = type!.dtype === 'int32'
    for (let i = 0; i < outer; i++) {
      for (let j = 0; j < inner; j++) {
        let result = this.kind === 'product' ? 1 : 0
        for (let step = 0; step < axis; step++) {
          const at = (i * axis + (this.isBackwards ? axis - 1 - step : step)) * inner + j
          if (this.kind === 'product') result = isInteger ? Math.imul(result, x![at]!) : result * x![at]!
          else {
            result = (this.kind === 'affine' ? factor![at]! * result : result) + x![at]!
            if (isInteger) result |= 0
          }
          out![at] = result
        }
      }
    }
  }
}
