// LambdaCallback: user functions from options as listeners.

import { ArgumentError, knownName, quoted, unknownName } from '../../core/errors'
import { Callback, METHODS, type CallbackMethods } from './callback'

/**
 * Calls the user's functions.
 * @throws ArgumentError for a name that is not an event, and for a value that is not a function
 * @example await model.fit(x, y, { callbacks: [new LambdaCallback({ onEpochEnd: (epoch, logs) => console.log(epoch,
 * logs.loss) })] })
 */
export class LambdaCallback extends Callback {
  static readonly className = 'LambdaCallback'
  constructor(methods: CallbackMethods) {
    super()
    if (typeof methods !== 'object' || methods === null)
      throw new ArgumentError(
        `LambdaCallback takes functions by the names of events, { onEpochEnd: … }, received ${quoted(methods)}`,
      )
    for (const [key, listener] of Object.entries(methods)) {
      const event = knownName(key, METHODS)
      if (event === undefined) throw unknownName('event of LambdaCallback', key, METHODS)
      if (typeof listener !== 'function' && listener != null)
        throw new ArgumentError(`LambdaCallback: ${event} must be a function, received ${quoted(listener)}`)
      Object.defineProperty(this, event, { value: listener, enumerable: true, configurable: true, writable: true })
    }
  }
}
