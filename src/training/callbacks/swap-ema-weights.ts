// SwapEMAWeights: replaces the weights by the optimizer's averages while the model is evaluated.

import { StateError } from '../../core/errors'
import { boolean, configured, option, type OptionInputs } from '../../core/options'
import type { Variable } from '../../ops/variable'
import { AVERAGE } from '../../optimizers/optimizer'
import { Callback, type CallbackState } from './callback'

const swapOptions = () => ({
  /** Whether the averages stay in place from the end of an epoch to the start of the next. Default false. */
  swapOnEpoch: option(boolean, false),
})
export type SwapEMAWeightsOptions = OptionInputs<ReturnType<typeof swapOptions>>

const SwapEMAWeightsBase = configured(Callback, swapOptions, ['swapOnEpoch'])

/**
 * Evaluates and predicts with the running averages of the weights, and trains with the weights: the two are swapped
 * when a validation, evaluation or prediction begins, and swapped back when it ends.
 *
 *   model.compile({ optimizer: new SGD({ useEma: true }), loss: 'meanSquaredError' })
 *   await model.fit(x, y, { validationData, callbacks: [new SwapEMAWeights()] })
 *
 * With `swapOnEpoch`, later callbacks in the list see the averages at the end of an epoch, too: a ModelCheckpoint saves
 * them. Callbacks that may end training, such as EarlyStopping, must then come before it.
 *
 * Keras: `keras.callbacks.SwapEMAWeights`.
 * @throws StateError if the optimizer keeps no averages
 */
export class SwapEMAWeights extends SwapEMAWeightsBase {
  static readonly className = 'SwapEMAWeights'
  private swapped = false

  override onTrainBegin(): void {
    this.swapped = false
    this.pairs()
  }

  override onEpochBegin(): void {
    if (this.swapOnEpoch) this.put(false)
  }

  override onEpochEnd(epoch: number): void {
    if (!this.swapOnEpoch) return
    this.put(true)
    if (epoch < this.params!.epochs - 1 && !this.model.stopTraining) return
    // At the end of training the optimizer copies the averages to the weights, so both are the averages now.
    for (const [weight, average] of this.pairs()) average.view.set(weight.view)
  }

  override onTestBegin(): void {
    this.put(true)
  }

  override onTestEnd(): void {
    this.put(false)
  }

  override onPredictBegin(): void {
    this.put(true)
  }

  override onPredictEnd(): void {
    this.put(false)
  }

  override getState(): CallbackState {
    return this.swapped
  }

  override setState(state: CallbackState): void {
    this.swapped = state === true
  }

  /** Puts the averages in place of the weights, or the weights back. */
  private put(swapped: boolean): void {
    if (this.swapped === swapped) return
    this.swapped = swapped
    for (const [weight, average] of this.pairs()) {
      const kept = weight.view.slice()
      weight.view.set(average.view)
      average.view.set(kept)
    }
  }

  /** The weights that have an average, with their averages. */
  private pairs(): (readonly [weight: Variable, average: Variable])[] {
    const { members } = this.model.optimizer
    if (!members.some(({ useEma }) => useEma))
      throw new StateError(
        'SwapEMAWeights: the optimizer keeps no averages. Compile with one that does: new SGD({ useEma: true })',
      )
    return members.flatMap(({ builtFor, slots }) =>
      (slots.get(AVERAGE) ?? []).map((average, i) => [builtFor[i]!, average] as const),
    )
  }
}
