// Checks that a function is called with no more arguments than it reads.

import { ArgumentError, quoted } from './errors'

/**
 * Refuses arguments that a function does not read, because they would have no effect.
 * @param where the name of the function for users
 * @param count the number of its parameters
 * @throws ArgumentError for more arguments, unless they are undefined
 */
export function requireArguments(where: string, args: ArrayLike<unknown>, count: number): void {
  if (args.length <= count) return
  const surplus = Array.from(args).slice(count)
  if (surplus.every((each) => each === undefined)) return
  const names = count === 1 ? 'x' : [...'abcdefghij'].slice(0, count).join(', ')
  throw new ArgumentError(
    `${where} takes ${count} ${count === 1 ? 'argument' : 'arguments'}, received ${args.length}: it would ignore ${quoted(surplus)}. If a method such as map or reduce passes more, wrap it: (${names}) => ${where}(${names})`,
  )
}
