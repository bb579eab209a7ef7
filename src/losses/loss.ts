// Loss: from targets and predictions to one number per sample, then to a scalar. The functions are in
// functions.ts; the classes that name them in index.ts; weights and masks in weights.ts.

import { ArgumentError, DataError, ShapeError, formatShape } from '../core/errors'
import type { InputsOf, Kind } from '../core/options'
import { Configured, choice, configured, custom, nullable, option, optionFrom, text } from '../core/options'
import { camelCase, classNameOf } from '../core/registry'
import type { Shape, TensorType } from '../core/shapes'
import type { TensorLike } from '../ops/convert'
import { asTensor } from '../ops/convert'
import { logicalAnd } from '../ops/elementwise'
import { Tensor } from '../ops/tensor'
import type { Reduction } from './weights'
import { alignRanks, reduceWeighted } from './weights'

const reductions = choice<Reduction>('sumOverBatchSize', 'mean', 'meanWithSampleWeight', 'sum', 'none')

/** A reduction in any spelling; null is 'none'. */
const reduction: Kind<Reduction, Reduction | null | (string & {})> = custom(
  (value, where) => (value === null ? 'none' : reductions.read(value, where)),
  (value) => value,
)

const lossOptions = () => ({
  /** What becomes of the values of a batch. Default 'sumOverBatchSize', their mean. */
  reduction: option(reduction, 'sumOverBatchSize'),
  /** Names the loss in errors. Default: from the class. */
  name: optionFrom(text, (loss) => camelCase(classNameOf(loss))),
  /** Losses are computed in float32. */
  dtype: option(nullable(choice('float32')), null),
})
export type LossOptions = InputsOf<ReturnType<typeof lossOptions>>

/** Subclass it and write `call` with ops to make a loss of your own; a plain function works as well. */
export abstract class Loss extends configured(Configured, lossOptions) {
  /** One value per sample: yTrue [batch, …], yPred [batch, …] → [batch, …]. Ranks agree already: [batch] is [batch, 1]. */
  abstract call(yTrue: Tensor, yPred: Tensor): Tensor

  /** Which values count, of the shape of the values; undefined for all. */
  protected maskOf(_yTrue: Tensor, _yPred: Tensor): Tensor | undefined {
    return undefined
  }

  /**
   * The reduced loss.
   * @param sampleWeight multiplies the values before they are reduced: one for each sample, [batch], or for each value
   * @param mask true for the predictions that count: of the shape of the values, or of their first axes. Where the
   * reduction is a mean, it is one of what counts
   */
  apply(yTrue: TensorLike, yPred: TensorLike, sampleWeight?: TensorLike, mask?: TensorLike): Tensor {
    const [y, p] = alignRanks(asTensor(yTrue, 'yTrue'), asTensor(yPred, 'yPred'))
    const values = this.call(y, p)
    if (!(values instanceof Tensor)) throw new ArgumentError(`Loss '${this.name}': must return a Tensor, received ${typeof values}`)
    const own = this.maskOf(y, p)
    const given = mask === undefined ? undefined : asTensor(mask, 'mask')
    const both = own === undefined || given === undefined ? (own ?? given) : logicalAnd(own, given)
    const weights = sampleWeight === undefined ? undefined : asTensor(sampleWeight, 'sampleWeight')
    return reduceWeighted(values, weights, both, this.reduction)
  }

  /**
   * Looks at all targets before training begins.
   * @throws DataError or ShapeError naming the first target that cannot be right
   */
  checkTargets(_yTrue: Tensor, _outputShape: Shape): void {}

  /** What targets are like for outputs of a shape, where nobody gave any. @internal */
  targetsFor(outputShape: Shape): TensorType {
    return { shape: outputShape, dtype: 'float32' }
  }
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
