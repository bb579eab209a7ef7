// The files next to a model that hold elements of its tensors. Only files in the folder of the model are read.

import { FormatError } from '../core/errors'
import { isRemote, location, nodeModule, readFile } from '../runtime/platform'
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

/** Reads the files that were not given. */
export async function readExternal(
  locations: ReadonlySet<string>,
  given: Readonly<Record<string, Uint8Array>>,
  source: unknown,
  signal: AbortSignal | null,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const files = new Map(Object.entries(given))
  for (const each of locations) {
    if (files.has(each) || !(typeof source === 'string' || source instanceof URL)) continue
    files.set(each, await readFile(await beside(source, each), 'loadOnnx', signal))
  }
  return files
}

/** The path or URL of a file in the folder of another. @throws FormatError if a link leads out of the folder */
async function beside(source: string | URL, name: string): Promise<string | URL> {
  if (isRemote(source)) {
    const escaped = name.split('/').map(encodeURIComponent).join('/')
    return new URL(escaped, source)
  }
  const [files, paths, urls] = [nodeModule('node:fs/promises'), nodeModule('node:path'), nodeModule('node:url')]
  if (files === null || paths === null || urls === null) return new URL(name, String(source))
  const own = location(source)
  const folder = await files.realpath(paths.dirname(own instanceof URL ? urls.fileURLToPath(own) : own))
  const path = paths.join(folder, name)
  const real = await files.realpath(path).catch(() => path)
  if (real.startsWith(folder + paths.sep)) return real
  throw new FormatError(`loadOnnx: '${name}' leads out of the folder of the model`)
}
