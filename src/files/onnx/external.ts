// The files next to a model that hold elements of its tensors. Only files in the folder of the model are read.

import { FormatError } from '../../core/errors'
import type { FileReader } from '../../engine/runtime/beside'
import type { GraphProto } from './proto'
import { EXTERNAL, placeOf } from './tensors'

/** The paths of these files. @throws FormatError for a path that leaves the folder */
export function locationsOf({ initializers, nodes }: GraphProto, where: string): Set<string> {
  const found = new Set<string>()
  for (const each of initializers)
    if (each.place === EXTERNAL) found.add(placeOf(each.external, `${where}: the initializer '${each.name}'`).location)
  for (const { attributes } of nodes) {
    for (const { tensor, graph } of attributes) {
      if (tensor?.place === EXTERNAL) throw new FormatError(`${where}: only initializers may be in other files`)
      if (graph !== null) for (const each of locationsOf(graph, where)) found.add(each)
    }
  }
  return found
}

/** The files with elements of tensors: those that the caller passes, and others by its reader. */
export async function readExternal(
  locations: ReadonlySet<string>,
  passed: Readonly<Record<string, Uint8Array>>,
  read: FileReader | null,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const files = new Map(Object.entries(passed))
  for (const each of locations) if (!files.has(each) && read !== null) files.set(each, await read(each))
  return files
}
