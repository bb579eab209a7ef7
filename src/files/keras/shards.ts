// Weights in several files, as `save_weights(path, max_shard_size=…)` writes them. `model.weights.json` names the files of each group:
// { metadata, weight_map: { '/layers/dense/vars': 'model_00000.weights.h5' or a list of names } }. The arrays of a group may be in several.

import { utf8Text } from '../../core/text'
import { FormatError } from '../../core/errors'
import type { FileReader } from '../../engine/runtime/beside'
import { openHdf5 } from './hdf5/read'
import type { Hdf5Group } from './hdf5/types'
import { isRecord, parseJson, valueAt } from '../containers/json'

const MOST_FILES = 10_000

/**
 * The contents of all files that a list names.
 * @param read reads a file in the folder of the list; null if that is not known
 */
export async function readShards(bytes: Uint8Array, read: FileReader | null): Promise<readonly Hdf5Group[]> {
  const parsed = parseJson(utf8Text(bytes), 'The list of weights')
  const map = isRecord(parsed) ? valueAt(parsed, 'weight_map') : undefined
  if (!isRecord(map)) throw new FormatError('The list of weights has no weight_map')
  const names = new Set<string>()
  for (const [group, files] of Object.entries(map))
    for (const name of [files].flat()) {
      if (typeof name !== 'string') throw new FormatError(`The list of weights has no name of a file at ${group}`)
      names.add(name)
    }
  if (names.size > MOST_FILES) throw new FormatError(`The list of weights names ${names.size} files`)
  if (read === null)
    throw new FormatError(
      `The weights are in ${names.size} other files, such as ${[...names][0]}, whose folder is not known. Give the path or the URL of this file, not its bytes`,
    )
  const roots: Hdf5Group[] = []
  for (const name of names) roots.push(await openHdf5(await read(name)))
  return roots
}
