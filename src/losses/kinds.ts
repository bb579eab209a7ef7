// Base classes of losses, by the kind of their targets. They refuse invalid targets before training begins.

import { warnOnce } from '../core/warnings'
import { DataError, ShapeError, formatShape } from '../core/errors'
import { sameShape, type Shape, type TensorType } from '../core/shapes'
import type { Tensor } from '../ops/tensor'
import { FormulaLoss } from './loss'

/** A loss that compares numbers of the same shape. */
export abstract class OfNumbers extends FormulaLoss {
  override checkTargets(yTrue: Tensor, outputShape: Shape): void {
    requireSameShape(this.name, yTrue.shape, outputShape)
  }
}

/** A loss with targets ≥ 0. */
export abstract class OfAmounts extends OfNumbers {
  override checkTargets(yTrue: Tensor, outputShape: Shape): void {
    super.checkTargets(yTrue, outputShape)
    requireElements(this.name, yTrue, (x) => x >= 0, '≥ 0')
  }
}

/** A loss that clips targets below 0, and warns once. */
export abstract class OfClippedAmounts extends OfNumbers {
  override checkTargets(yTrue: Tensor, outputShape: Shape): void {
    super.checkTargets(yTrue, outputShape)
    if (yTrue.data.some((x) => x < 0)) warnOnce(`${this.name}: targets below 0 count as 1e-7`)
  }
}

/** A loss with targets between 0 and 1. */
export abstract class OfFractions extends OfNumbers {
  override checkTargets(yTrue: Tensor, outputShape: Shape): void {
    super.checkTargets(yTrue, outputShape)
    requireElements(this.name, yTrue, (x) => x >= 0 && x <= 1, 'between 0 and 1')
  }
}

/** A loss whose targets are distributions over classes, such as one-hot rows. */
export abstract class OfDistributions extends OfFractions {
  override checkTargets(yTrue: Tensor, outputShape: Shape): void {
    const isNumbers = yTrue.rank < outputShape.length || yTrue.shape.at(-1) === 1
    if (isNumbers && outputShape.at(-1) !== 1) {
      throw wrongTargets(
        this.name,
        "the model's output shape",
        outputShape,
        yTrue.shape,
        ' For class numbers use sparseCategoricalCrossentropy.',
      )
    }
    super.checkTargets(yTrue, outputShape)
  }
}

/** A loss whose targets are −1 and 1, or 0 and 1. */
export abstract class OfSigns extends OfNumbers {
  override checkTargets(yTrue: Tensor, outputShape: Shape): void {
    super.checkTargets(yTrue, outputShape)
    const no = yTrue.data.some((x) => x < 0) ? -1 : 0
    requireElements(this.name, yTrue, (x) => x === no || x === 1, '−1 and 1, or else 0 and 1')
  }
}

/** A loss whose targets are one class number for each output. */
export abstract class OfClassNumbers extends FormulaLoss {
  /** The axis of the classes. */
  protected classAxis(outputShape: Shape): number {
    return outputShape.length - 1
  }

  /** A number that targets may have without being a class; null for none. */
  protected ignored(): number | null {
    return null
  }

  override targetsFor(outputShape: Shape): TensorType {
    const axis = this.classAxis(outputShape)
    return { shape: outputShape.filter((_, i) => i !== axis), dtype: 'int32' }
  }

  override checkTargets(yTrue: Tensor, outputShape: Shape): void {
    const axis = this.classAxis(outputShape)
    const classes = outputShape[axis]!
    const without = (shape: Shape): Shape => shape.filter((_, i) => i !== axis)
    const oneHot = yTrue.rank === outputShape.length && yTrue.shape[axis] !== 1
    const hint = oneHot ? ' For one-hot targets use categoricalCrossentropy.' : ''
    const numbers = yTrue.rank === outputShape.length && !oneHot ? without(yTrue.shape) : yTrue.shape
    const expected = without(outputShape)
    if (!sameShape(numbers, expected))
      throw wrongTargets(this.name, 'one class number for each output:', expected, yTrue.shape, hint)
    const ignored = this.ignored()
    const isClass = (x: number): boolean => (Number.isInteger(x) && x >= 0 && x < classes) || x === ignored
    requireElements(
      this.name,
      yTrue,
      isClass,
      `class numbers 0 … ${classes - 1}${ignored === null ? '' : ` or ${ignored}`}`,
    )
  }
}

/** The error for targets whose shape does not fit the model's output. */
function requireSameShape(loss: string, target: Shape, output: Shape): void {
  const fits =
    target.length === output.length &&
    target.every((extent, i) => extent === output[i] || output[i] === 1 || extent === 1)
  const squeezed = output.length === target.length + 1 && output.at(-1) === 1
  const expanded = target.length === output.length + 1 && target.at(-1) === 1
  if ((fits && target.at(-1) === output.at(-1)) || squeezed || expanded) return
  throw wrongTargets(loss, "the model's output shape", output, target)
}

/** `mse: targets must have the model's output shape [batch, 3], received [12]` */
export function wrongTargets(
  loss: string,
  what: string,
  expected: readonly (number | string)[],
  received: Shape,
  hint = '',
): ShapeError {
  const rows = ['batch', ...expected.slice(1)]
  return new ShapeError(
    `${loss}: targets must have ${what} [${rows.join(', ')}], received ${formatShape(received)}.${hint}`,
  )
}

/** Throws for the first invalid element; `name` is the loss in the error. */
export function requireElements(name: string, y: Tensor, allowed: (x: number) => boolean, expected: string): void {
  const { data } = y
  for (let i = 0; i < data.length; i++) {
    if (allowed(data[i]!)) continue
    const row = Math.floor(i / (y.size / (y.shape[0] ?? 1)))
    throw new DataError(`${name}: targets must be ${expected}, received ${data[i]} in row ${row}`)
  }
}
