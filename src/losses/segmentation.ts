// Losses by the overlap of sets: targets and predictions, both in [0, 1], say how much each element belongs to the set. Keras's
// formulas.

import type { InputsOf } from '../core/options'
import { either, functionOptions, integer, listOf, nullable, number, option } from '../core/options'
import { normalizeAxes } from '../core/shapes'
import type { TensorLike } from '../ops/convert'
import { add, divide, multiply, subtract } from '../ops/elementwise'
import { sum } from '../ops/reduce'
import type { Tensor } from '../ops/tensor'
import { EPSILON, floats } from './values'

export const diceOptions = {
  /** The axes that make one set, such as [1, 2, 3] for one loss a picture. Default null: the whole batch is one set, and the loss one number. */
  axis: option(nullable(either(listOf(integer()), integer(), Array.isArray)), null),
}
export type DiceOptions = InputsOf<typeof diceOptions>

/** @throws ShapeError naming the loss, for an axis that predictions do not have */
function axesOf(loss: string, axis: number | readonly number[] | null, { rank }: Tensor): readonly number[] | null {
  return axis === null ? null : normalizeAxes(loss, [axis].flat(), rank)
}

/**
 * 1 − 2 Σ y·ŷ / (Σ y + Σ ŷ + 1e-7), sums over the axes, which the result has no more. Dice 1945; as a loss Milletari et al. 2016.
 * @example losses.dice([[1, 1, 0]], [[1, 0, 1]], { axis: 1 })   // [0.5]
 */
export function dice(yTrue: TensorLike, yPred: TensorLike, options: InputsOf<typeof diceOptions> = {}): Tensor {
  const { axis } = functionOptions('dice', diceOptions, options)
  const [y, output] = floats(yTrue, yPred)
  const axes = axesOf('dice', axis, output)
  const over = (x: Tensor): Tensor => sum(x, axes)
  return subtract(1, divide(multiply(over(multiply(y, output)), 2), add(add(over(y), over(output)), EPSILON)))
}

export const tverskyOptions = {
  /** What counts Σ y·(1 − ŷ). Default 0.5; with beta 0.5 the loss is that of Dice. */
  alpha: option(number({ min: 0 }), 0.5),
  /** What counts Σ ŷ·(1 − y). Default 0.5. */
  beta: option(number({ min: 0 }), 0.5),
  ...diceOptions,
}
export type TverskyOptions = InputsOf<typeof tverskyOptions>

/**
 * 1 − S / (S + alpha·Σ y·(1 − ŷ) + beta·Σ ŷ·(1 − y) + 1e-7) with S = Σ y·ŷ, sums over the axes. Salehi et al. 2017. As in
 * Keras, alpha goes with what was missed and beta with what was found too much.
 * @example losses.tversky([[1, 1, 0]], [[1, 0, 1]], { axis: 1 })   // [0.5]
 */
export function tversky(yTrue: TensorLike, yPred: TensorLike, options: InputsOf<typeof tverskyOptions> = {}): Tensor {
  const { alpha, beta, axis } = functionOptions('tversky', tverskyOptions, options)
  const [y, output] = floats(yTrue, yPred)
  const axes = axesOf('tversky', axis, output)
  const over = (a: Tensor, b: Tensor): Tensor => sum(multiply(a, b), axes)
  const both = over(y, output)
  const wrong = add(multiply(over(y, subtract(1, output)), alpha), multiply(over(output, subtract(1, y)), beta))
  return subtract(1, divide(both, add(add(both, wrong), EPSILON)))
}
