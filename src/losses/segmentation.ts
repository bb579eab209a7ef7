// Losses by the overlap of sets, as functions and classes: targets and predictions, both in [0, 1], are degrees of
// membership. Keras's formulas.

import { merged } from '../core/merged'
import { either, integer, listOf, nullable, number, option, type OptionInputs } from '../core/options'
import { normalizeAxes } from '../core/shapes'
import type { TensorLike } from '../ops/convert'
import { add, divide, multiply, subtract } from '../ops/numpy/elementwise'
import { sum } from '../ops/numpy/reduce'
import type { Tensor } from '../ops/tensor'
import { OfFractions } from './kinds'
import { lossOf } from './loss'
import { EPSILON, floats, optionsOf } from './values'

const diceOptions = {
  /**
   * The axes of one set, such as [1, 2, 3] for one loss per image. Default null: the whole batch is one set, and the
   * loss a single number.
   */
  axis: option(nullable(either(listOf(integer()), integer(), Array.isArray)), null),
}
export type DiceOptions = OptionInputs<typeof diceOptions>

/** @throws ShapeError with the loss's name, for an axis that predictions do not have */
function axesOf(loss: string, axis: number | readonly number[] | null, { rank }: Tensor): readonly number[] | null {
  return axis === null ? null : normalizeAxes(loss, [axis].flat(), rank)
}

/**
 * 1 − 2 Σ y·ŷ / (Σ y + Σ ŷ + 1e-7), with sums over the axes, which are removed. Dice 1945; as a loss Milletari et al.
 * 2016.
 * @example losses.dice([[1, 1, 0]], [[1, 0, 1]], { axis: 1 })   // [0.5]
 */
export function dice(yTrue: TensorLike, yPred: TensorLike, options: OptionInputs<typeof diceOptions> = {}): Tensor {
  const { axis } = optionsOf('dice', arguments, diceOptions, options)
  const [y, output] = floats(yTrue, yPred)
  const axes = axesOf('dice', axis, output)
  const over = (x: Tensor): Tensor => sum(x, axes)
  return subtract(1, divide(multiply(over(multiply(y, output)), 2), add(add(over(y), over(output)), EPSILON)))
}

const DiceBase = lossOf(OfFractions, dice, diceOptions, ['reduction', 'name'])

/**
 * 1 − 2 |Y ∩ Ŷ| / (|Y| + |Ŷ|) of the sets along `axis`. Milletari et al. 2016.
 * @example new losses.Dice({ axis: [1, 2, 3] })   // one loss per image
 */
export class Dice extends DiceBase {
  static readonly className = 'Dice'
}

const tverskyOptions = merged(
  {
    /** The weight of false negatives, Σ y·(1 − ŷ). Default 0.5; with beta 0.5 the loss equals Dice. */
    alpha: option(number({ min: 0 }), 0.5),
    /** The weight of false positives, Σ ŷ·(1 − y). Default 0.5. */
    beta: option(number({ min: 0 }), 0.5),
  },
  diceOptions,
)
export type TverskyOptions = OptionInputs<typeof tverskyOptions>

/**
 * 1 − S / (S + alpha·Σ y·(1 − ŷ) + beta·Σ ŷ·(1 − y) + 1e-7) with S = Σ y·ŷ and sums over the axes. Salehi et al. 2017.
 * As in Keras, alpha weights false negatives and beta false positives.
 * @example losses.tversky([[1, 1, 0]], [[1, 0, 1]], { axis: 1 })   // [0.5]
 */
export function tversky(
  yTrue: TensorLike,
  yPred: TensorLike,
  options: OptionInputs<typeof tverskyOptions> = {},
): Tensor {
  const { alpha, beta, axis } = optionsOf('tversky', arguments, tverskyOptions, options)
  const [y, output] = floats(yTrue, yPred)
  const axes = axesOf('tversky', axis, output)
  const over = (a: Tensor, b: Tensor): Tensor => sum(multiply(a, b), axes)
  const both = over(y, output)
  const wrong = add(multiply(over(y, subtract(1, output)), alpha), multiply(over(output, subtract(1, y)), beta))
  return subtract(1, divide(both, add(add(both, wrong), EPSILON)))
}

const TverskyBase = lossOf(OfFractions, tversky, tverskyOptions, ['alpha', 'beta', 'reduction', 'name'])

/**
 * Like Dice, with separate weights for false negatives and false positives. Salehi et al. 2017.
 * @example new losses.Tversky({ alpha: 0.3, beta: 0.7 }).apply([[1, 1, 0]], [[1, 0, 1]])   // 0.5
 */
export class Tversky extends TverskyBase {
  static readonly className = 'Tversky'
}
