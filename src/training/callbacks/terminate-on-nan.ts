// TerminateOnNaN: a quiet end of training where a step is not finite.

import { Callback } from './callback'

/**
 * Ends training quietly at the first step that is not finite, with the weights as they were before it.
 * Without this callback fit throws a NonFiniteError there.
 * @example await model.fit(x, y, { callbacks: [new TerminateOnNaN()] })
 */
export class TerminateOnNaN extends Callback {
  static readonly className = 'TerminateOnNaN'
  /** Called by fit with the description of the failure. @internal */
  override onNonFinite(message: string): void {
    console.warn(`TerminateOnNaN: ${message}`)
    this.model.stopTraining = true
  }
}
