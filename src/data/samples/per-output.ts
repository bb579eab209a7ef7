// Options with one entry for each output of a model: a list, or a record by the names of the outputs.

import { ArgumentError } from '../../core/errors'

/**
 * The entries in the order of the outputs; undefined for an output that a record does not name.
 * @param where names the option in errors
 * @throws ArgumentError for another number of entries, and for a name that is not an output
 */
export function perOutput<Each>(
  where: string,
  given: readonly Each[] | Readonly<Record<string, Each>>,
  outputs: readonly string[],
): readonly (Each | undefined)[] {
  if (Array.isArray(given)) {
    if (given.length === outputs.length) return given as readonly Each[]
    throw new ArgumentError(
      `${where} must have one entry for each of the ${outputs.length} outputs, received ${given.length}`,
    )
  }
  const record = given as Readonly<Record<string, Each>>
  const unknown = Object.keys(record).find((name) => !outputs.includes(name))
  if (unknown !== undefined)
    throw new ArgumentError(
      `${where} names '${unknown}', which is not an output. The outputs are: ${outputs.join(', ')}`,
    )
  return outputs.map((name) => record[name])
}
