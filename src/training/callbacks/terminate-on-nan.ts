// TerminateOnNaN: ends training without an error at a non-finite step.

import { warn } from '../../core/warnings'
import type { NonFiniteError } from '../../core/errors'
import { boolean, configured, option } from '../../core/options'
import { Callback } from './callback'

const TerminateOnNaNBase = configured(
  Callback,
  () => ({
    /** Whether fit throws its NonFiniteError, as it does without this callback. Default false. */
    raiseError: option(boolean, false),
  }),
  ['raiseError'],
)

/**
 * Ends training without an error at the first non-finite step, with the weights from before it. Without this callback,
 * fit throws a NonFiniteError.
 * @example await model.fit(x, y, { callbacks: [new TerminateOnNaN()] })
 */
export class TerminateOnNaN extends TerminateOnNaNBase {
  static readonly className = 'TerminateOnNaN'
  /** Called by fit with the error that it would throw. @internal */
  override onNonFinite(error: NonFiniteError): void {
    if (this.raiseError) throw error
    warn(`TerminateOnNaN: ${error.message}`)
    this.model.stopTraining = true
  }
}
