// Positional arguments: a function refuses those that it does not read.

import { ArgumentError, quoted } from './errors'

/**
 * Refuses arguments that a function does not read: they would have no effect.
 * @param where the function, as users call it
 * @param count the number of its parameters
 * @throws ArgumentError for more arguments, undefined ones apart
 */
export function requireArguments(where: string, given: ArrayLike<unknown>, count: number): void {
  if (given.length <= count) return
  const surplus = Array.from(given).slice(count)
  if (surplus.every((each) => each === undefined)) return
  throw new ArgumentError(
    `${where} takes ${count} ${count === 1 ? 'argument' : 'arguments'}, received ${given.length}: it would not read ${quoted(surplus)}. Where a method such as map passes more, wrap it: (x) => ${where}(x)`,
  )
}
