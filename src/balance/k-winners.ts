// KWinnersTakeAll: only the most active units of each sample pass.

import { ArgumentError, ShapeError, formatShape } from '../core/errors'
import { configured, number, required, type OptionInputs } from '../core/options'
import type { BatchShape } from '../layers/spec'
import { greaterEqual, stopGradient, where } from '../ops/numpy/elementwise'
import { slice } from '../ops/numpy/shape'
import { topK } from '../ops/numpy/sorting'
import type { Tensor } from '../ops/tensor'
import { ELEMENTWISE } from '../layers/forms'
import { Layer } from '../layers/layer'
import type { LayerTraits } from '../layers/traits'

const kWinnersOptions = () => ({
  /** The number of units that pass, or below 1 the fraction. */
  k: required(number({ above: 0 })),
})
export type KWinnersTakeAllOptions = OptionInputs<ReturnType<typeof kWinnersOptions>>

const KWinnersTakeAllBase = configured(Layer<Tensor>, kWinnersOptions, ['k'])

/**
 * Keeps the k largest units along the last axis of each sample (and place) and sets the others to 0: x [batch, …,
 * units] → x where x ≥ the k-th largest of its row, else 0. Units equal to the k-th largest all pass. Only units that
 * pass receive a gradient.
 *
 * ```ts
 * import { KWinnersTakeAll } from 'myelin/balance'
 * new Sequential([new Dense({ units: 200, inputShape: [784] }), new KWinnersTakeAll(0.1), new Dense(10)])
 * const again = await loadModel(bytes, { customObjects: { KWinnersTakeAll } })
 * ```
 *
 * Measured use: sparse codes. With 784→100→10 on digits the best 20 of 100 give 93.3 %, the best 5 90.2 %, relu 93.8 %;
 * with noise on the inputs 81, 80 and 76 % (`node examples/brain-rules`). It does not reduce forgetting: with two classes
 * after the other, 20 winners of 200 keep 19.5 %, relu 19.4 % (`node examples/split-digits`).
 *
 * Makhzani & Frey, k-Sparse autoencoders, 2013.
 * @throws ArgumentError for a k above 1 that is not an integer; ShapeError for a k above the number of units
 */
export class KWinnersTakeAll extends KWinnersTakeAllBase {
  static readonly className = 'KWinnersTakeAll'
  /** @internal */
  static override readonly traits: LayerTraits<KWinnersTakeAll> = {
    form: ELEMENTWISE,
  }

  protected override checkOptions(): void {
    if (this.k >= 1 && !Number.isInteger(this.k))
      throw new ArgumentError(`${this}: k must be an integer, or below 1 a fraction of the units, received ${this.k}`)
  }

  override build(inputShape: BatchShape): void {
    const units = inputShape.at(-1)
    if (units != null && this.k > units)
      throw new ShapeError(`${this}: needs at least ${this.k} units, received ${formatShape(inputShape)}`)
  }

  call(x: Tensor): Tensor {
    const units = x.shape.at(-1)!
    const winners = this.k < 1 ? Math.max(1, Math.round(this.k * units)) : this.k
    const [largest] = topK(stopGradient(x), winners)
    const least = slice(largest, [...x.shape.slice(0, -1).map(() => 0), winners - 1], [...x.shape.slice(0, -1), 1])
    return where(greaterEqual(x, least), x, 0)
  }
}
