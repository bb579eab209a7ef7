// The cross-entropy of softmax as one primitive, for class numbers and for distributions. A composition would
// consist of log-softmax, a comparison, products and sums, and its gradient, softmax − target, would compute
// the exponentials again. The losses that use it are in src/losses.

import { TargetKind } from '../../../assembly/shared/opcodes'
import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import type { Emitter } from './emitter'
import type { Value } from '../ir/graph'
import { FUNCTION, elementsOf } from './flops'
import type { KernelPrimitive } from './rule'
import { sameShape, splitAround, type Shape, type TensorType } from '../../core/shapes'
import type { NoAttributes, PrimitiveName } from '../ir/attributes'

export function rowsOf(shape: Shape): { rows: number; columns: number } {
  const { outer: rows, axis: columns } = splitAround(shape, shape.length - 1)
  return { rows, columns }
}

/** The type of targets for logits or probabilities of this type. */
function requireTargets(name: PrimitiveName, kind: TargetKind, x: TensorType, targets: TensorType): void {
  if (x.shape.length === 0) throw new ShapeError(`${name}: needs at least one axis, received a scalar`)
  const isClasses = kind === TargetKind.Classes
  const shape = isClasses ? x.shape.slice(0, -1) : x.shape
  const dtype = isClasses ? 'int32' : 'float32'
  if (x.dtype !== 'float32' || targets.dtype !== dtype || !sameShape(targets.shape, shape)) {
    throw new ArgumentError(
      `${name}: expected float32 and ${dtype} targets ${formatShape(shape)}, received ${x.dtype} and ${targets.dtype} ${formatShape(targets.shape)}`,
    )
  }
}

/** Restores the last axis with extent 1. */
function perRow(e: Emitter, rows: Value, shape: Shape): Value {
  return e.keepAxes(rows, shape, [shape.length - 1])
}

function sumRows(e: Emitter, x: Value): Value {
  return perRow(e, e.sum(x, [x.shape.length - 1]), x.shape)
}

/** The sum of each row's target: 1 for a class, 0 for one that does not exist. */
function targetSum(e: Emitter, kind: TargetKind, targets: Value, shape: Shape): Value {
  if (kind === TargetKind.Distributions) return sumRows(e, targets)
  const columns = shape[shape.length - 1]!
  const isBelow = e.cast(e.less(targets, e.scalar(columns, 'int32')), 'float32')
  const isAbove = e.cast(e.less(e.scalar(-1, 'int32'), targets), 'float32')
  return perRow(e, e.multiply(isBelow, isAbove), shape)
}

// x [rows, columns], t → loss [rows] = −Σ t ln p,  p [rows, columns] = softmax x
function crossEntropyOf(name: PrimitiveName, kind: TargetKind): KernelPrimitive<NoAttributes> {
  return {
    kind: 'kernel',
    infer([x, targets]) {
      requireTargets(name, kind, x!, targets!)
      return [{ shape: x!.shape.slice(0, -1), dtype: 'float32' }, x!]
    },
    // dx = (p Σt − t) dloss + p (dp − Σ dp·p),  dt = −ln p dloss
    vjp({ e, inputs: [x, targets], outputs: [, p], cotangents: [dLoss, dp], isUsed }) {
      const throughLoss = e.crossEntropyGradient(kind, p!, targets!, dLoss!)
      const dx = isUsed(1)
        ? e.add(throughLoss, e.multiply(p!, e.subtract(dp!, sumRows(e, e.multiply(dp!, p!)))))
        : throughLoss
      if (kind === TargetKind.Classes) return [dx, null]
      return [dx, e.negative(e.multiply(e.logSoftmax(x!), perRow(e, dLoss!, x!.shape)))]
    },
    // max, −, exp, Σ and ÷ for the probabilities; the logarithm of each row and −; × and − per target.
    flops({ inputs: [x] }) {
      const { rows, columns } = rowsOf(x!.shape)
      return rows * (columns * (4 + FUNCTION) + FUNCTION + (kind === TargetKind.Classes ? 1 : 3 * columns))
    },
  }
}

// p [rows, columns], t, scale [rows] → dx [rows, columns] = (p Σt − t) scale
function gradientOf(name: PrimitiveName, kind: TargetKind): KernelPrimitive<NoAttributes> {
  return {
    kind: 'kernel',
    infer([p, targets, scale]) {
      requireTargets(name, kind, p!, targets!)
      if (!sameShape(scale!.shape, p!.shape.slice(0, -1))) {
        throw new ShapeError(
          `${name}: expected one scale for each row of ${formatShape(p!.shape)}, received ${formatShape(scale!.shape)}`,
        )
      }
      return [p!]
    },
    // dp = dz Σt scale,  dt = (Σ dz·p − dz) scale,  dscale = Σ dz (p Σt − t)
    vjp({ e, inputs: [p, targets, scale], cotangents: [dz] }) {
      const scaled = e.multiply(dz!, perRow(e, scale!, p!.shape))
      const ones = e.broadcastTo(e.scalar(1), scale!.shape)
      return [
        e.multiply(scaled, targetSum(e, kind, targets!, p!.shape)),
        kind === TargetKind.Classes ? null : e.subtract(sumRows(e, e.multiply(scaled, p!)), scaled),
        e.sum(e.multiply(dz!, e.crossEntropyGradient(kind, p!, targets!, ones)), [p!.shape.length - 1]),
      ]
    },
    // − and ×; for distributions also Σ and another ×.
    flops: ({ outputs }) => elementsOf(outputs) * (kind === TargetKind.Classes ? 2 : 4),
  }
}

export const crossEntropies = {
  classCrossEntropy: crossEntropyOf('classCrossEntropy', TargetKind.Classes),
  classCrossEntropyGradient: gradientOf('classCrossEntropyGradient', TargetKind.Classes),
  crossEntropy: crossEntropyOf('crossEntropy', TargetKind.Distributions),
  crossEntropyGradient: gradientOf('crossEntropyGradient', TargetKind.Distributions),
}
