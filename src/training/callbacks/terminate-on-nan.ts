// TerminateOnNaN: ends training without an error at a non-finite step.

import { Callback } from './callback'

/**
 * Ends training without an error at the first non-finite step, with the weights from before it. Without this callback,
 * fit throws a NonFiniteError.
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
