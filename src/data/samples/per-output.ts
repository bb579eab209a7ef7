// Options with one entry for each output of a model: a list, or a record by the names of the outputs.

import { ArgumentError } from '../../core/errors'

/**
 * The entries in the order of the outputs; undefined for an output that a record does not name.
 * @param where names the option in errors
 * @throws ArgumentError for another number of entries, and for a name that is not an output
 */
export function perOutput<Each>(
  where: string,
  entries: readonly Each[] | Readonly<Record<string, Each>>,
  outputs: readonly string[],
): readonly (Each | undefined)[] {
  if (isList(entries)) {
    if (entries.length === outputs.length) return entries
    throw new ArgumentError(
      `${where} must have one entry for each of the ${outputs.length} outputs, received ${entries.length}`,
    )
  }
  const unknown = Object.keys(entries).find((name) => !outputs.includes(name))
  if (unknown !== undefined)
    throw new ArgumentError(
      `${where} names '${unknown}', which is not an output. The outputs are: ${outputs.join(', ')}`,
    )
  return outputs.map((name) => entries[name])
}

function isList<Each>(entries: readonly Each[] | Readonly<Record<string, Each>>): entries is readonly Each[] {
  return Array.isArray(entries)
}
