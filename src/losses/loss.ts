// Loss: from targets and predictions to one number per sample, then to a scalar. The functions are in
// functions.ts; the classes that name them in index.ts.

import { ArgumentError, DataError, ShapeError, formatShape, unreachable } from '../core/errors'
import type { Shape } from '../core/shapes'
import type { TensorLike } from '../ops/convert'
import { asTensor } from '../ops/convert'
import { cast, multiply } from '../ops/elementwise'
import { mean, sum } from '../ops/reduce'
import { expandDims, squeeze } from '../ops/shape'
import { Tensor } from '../ops/tensor'
import type { Config } from '../core/registry'

/** sumOverBatchSize: the mean of all values. sum: their sum. none: the values themselves. */
export type Reduction = 'sumOverBatchSize' | 'sum' | 'none'

export interface LossOptions {
  reduction?: Reduction
  name?: string
}

/** Subclass it and write `call` with ops to make a loss of your own; a plain function works as well. */
export abstract class Loss {
  readonly name: string
  readonly reduction: Reduction

  constructor({ reduction = 'sumOverBatchSize', name }: LossOptions = {}) {
    this.reduction = reduction
    this.name = name ?? this.constructor.name
  }

  /** One value per sample: yTrue [batch, …], yPred [batch, …] → [batch, …]. */
  abstract call(yTrue: Tensor, yPred: Tensor): Tensor

  /** The reduced loss. `sampleWeight` [batch] multiplies the values of each sample before they are reduced. */
  apply(yTrue: TensorLike, yPred: TensorLike, sampleWeight?: TensorLike): Tensor {
    const values = this.call(asTensor(yTrue, 'yTrue'), asTensor(yPred, 'yPred'))
    if (!(values instanceof Tensor)) throw new ArgumentError(`Loss '${this.name}': must return a Tensor, received ${typeof values}`)
    const weighted = sampleWeight === undefined ? values : applyWeights(values, asTensor(sampleWeight, 'sampleWeight'))
    switch (this.reduction) {
      case 'sumOverBatchSize':
        return mean(weighted)
      case 'sum':
        return sum(cast(weighted, 'float32'))
      case 'none':
        return weighted
      default:
        return unreachable(this.reduction)
    }
  }

  /**
   * Looks at all targets before training begins.
   * @throws DataError or ShapeError naming the first target that cannot be right
   */
  checkTargets(_yTrue: Tensor, _outputShape: Shape): void {}

  getConfig(): Config {
    return { reduction: this.reduction, name: this.name }
  }
}

// values [batch, a, b], weights [batch] → weights [batch, 1, 1]
function applyWeights(values: Tensor, weights: Tensor): Tensor {
  const [, aligned] = alignRanks(values, cast(weights, 'float32'))
  let expanded = aligned
  while (expanded.rank < values.rank) expanded = expandDims(expanded, -1)
  return multiply(values, expanded)
}

/**
 * Makes ranks that differ by one last axis of 1 the same: targets [batch] and predictions [batch, 1] mean
 * the same thing.
 */
export function alignRanks(a: Tensor, b: Tensor): [Tensor, Tensor] {
  if (a.rank === b.rank + 1) return a.shape.at(-1) === 1 ? (b.rank === 1 ? [a, expandDims(b, -1)] : [squeeze(a, -1), b]) : [a, b]
  if (b.rank === a.rank + 1 && b.shape.at(-1) === 1) return a.rank === 1 ? [expandDims(a, -1), b] : [a, squeeze(b, -1)]
  return [a, b]
}

/** The error for targets whose shape does not go with the model's output. */
export function requireSameShape(loss: string, target: Shape, output: Shape, hint = ''): void {
  const fits = target.length === output.length && target.every((extent, i) => extent === output[i] || output[i] === 1 || extent === 1)
  const squeezed = output.length === target.length + 1 && output.at(-1) === 1
  const expanded = target.length === output.length + 1 && target.at(-1) === 1
  if ((fits && target.at(-1) === output.at(-1)) || squeezed || expanded) return
  throw wrongTargets(loss, "the model's output shape", output, target, hint)
}

/** `mse: targets must have the model's output shape [batch, 3], received [12]` */
export function wrongTargets(loss: string, what: string, expected: Shape, received: Shape, hint: string): ShapeError {
  const rows = ['batch', ...expected.slice(1)]
  return new ShapeError(`${loss}: targets must have ${what} [${rows.join(', ')}], received ${formatShape(received)}.${hint}`)
}

/** The first element that is not allowed, as an error; `name` tells which loss asks. */
export function requireElements(name: string, y: Tensor, allowed: (x: number) => boolean, expected: string): void {
  const { data } = y
  for (let i = 0; i < data.length; i++) {
    if (allowed(data[i]!)) continue
    const row = Math.floor(i / (y.size / (y.shape[0] ?? 1)))
    throw new DataError(`${name}: targets must be ${expected}, received ${data[i]} in row ${row}`)
  }
}
