// Files of a server that are kept: in a folder in Node, in the Cache Storage of a page. A file is fetched once for each version of it, and
// its content is checked by its size and, where the server states it, by its SHA-256.

import { FormatError } from '../../core/errors'
import { folderStore } from './folder-store'
import { pageStore } from './page-store'
import type { FileOpener, PresetFile } from './preset-folder'
import type { FileStore, FileVersion } from './file-store'
import type { RemoteFile, RemoteFolder } from './remote-folder'

/** @param place a folder in Node; true: the usual place */
export async function cachedFolder(remote: RemoteFolder, place: string | true): Promise<FileOpener> {
  const store = (await folderStore(place)) ?? pageStore()
  if (store === null) return remote
  return {
    name: remote.name,
    list: () => remote.list(),
    async open(name) {
      const file = await remote.open(name)
      return file === null ? null : kept(store, file)
    },
  }
}

async function kept(store: FileStore, file: RemoteFile): Promise<PresetFile> {
  const { name: address, size, tag, sha256 } = file
  const version: FileVersion = { address, size, tag }
  const known = await store.find(version)
  if (known !== null) return known
  // What an earlier process has left may be damaged, so a file whose sum is wrong is fetched once more, from its beginning.
  for (const isLast of [false, true]) {
    const sum = await store.fetch(version, file)
    if (sha256 === null || sum === null || sum === sha256) break
    await store.remove(version)
    if (isLast)
      throw new FormatError(
        `${address} arrived with the SHA-256 ${sum}, the server states ${sha256}. It was dropped; load it again`,
      )
  }
  return (await store.find(version)) ?? file
}
