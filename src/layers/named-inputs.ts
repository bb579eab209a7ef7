// Inputs of a call by their names in Keras, for layers with several inputs: `attention.apply(query, { value, key })`.

import { ArgumentError, knownName } from '../core/errors'
import { isRecord } from '../core/tree'
import { CallContext } from './context'
import { isOptions } from './members'

/**
 * The arguments of `apply` with the inputs that have names put in their places.
 * @param names of the inputs, in the order of Keras's arguments
 * @throws ArgumentError for an input that is given twice, and for one that is missing before another
 */
export function withNamedInputs(
  layer: { toString(): string },
  names: readonly string[],
  args: readonly unknown[],
): readonly unknown[] {
  const options = args.at(-1)
  if (!isOptions(options) || options instanceof CallContext || !isRecord(options)) return args
  const others: Record<string, unknown> = {}
  const named = new Map<string, unknown>()
  for (const [key, value] of Object.entries<unknown>(options)) {
    const name = names.find((each) => each === knownName(key, names))
    if (name === undefined) others[key] = value
    else if (value !== undefined && value !== null) named.set(name, value)
  }
  if (Object.keys(others).length === Object.keys(options).length) return args
  const before = args.slice(0, -1)
  const inputs = before.length === 1 && Array.isArray(before[0]) ? [...(before[0] as unknown[])] : before
  names.forEach((name, i) => {
    if (!named.has(name)) return
    if (inputs[i] != null) throw new ArgumentError(`${layer.toString()}: the ${name} is given twice, also by its name`)
    inputs[i] = named.get(name)
  })
  const missing = names.find((_, i) => i < inputs.length && inputs[i] == null)
  if (missing !== undefined) throw new ArgumentError(`${layer.toString()}: the call needs ${missing}, too`)
  return [...inputs, others]
}
