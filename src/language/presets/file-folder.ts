// A folder of the file system, in Node.

import { StateError } from '../../core/errors'
import { fileError, location, nodeModule } from '../../engine/runtime/platform'
import type { FileOpener, PresetFile } from './preset-folder'

/** @throws StateError without a file system, and if the folder is missing */
export async function fileFolder(source: string | URL, where: string): Promise<FileOpener> {
  const [files, paths, urls] = [nodeModule('node:fs/promises'), nodeModule('node:path'), nodeModule('node:url')]
  if (files === null || paths === null || urls === null)
    throw new StateError(`${where}: here is no file system. Pass an address, or the files that a user has chosen`)
  const place = location(source)
  const folder = typeof place === 'string' ? place : urls.fileURLToPath(place)
  const found = await files.stat(folder).catch((error: unknown) => {
    throw fileError(where, source, 'read', error)
  })
  if (!found.isDirectory()) throw new StateError(`${where}: ${folder} is not a folder`)
  const list = (): Promise<string[]> => files.readdir(folder)
  const open = async (name: string): Promise<PresetFile | null> => {
    const path = paths.join(folder, name)
    const size = await files.stat(path).then(
      (file) => (file.isFile() ? file.size : null),
      () => null,
    )
    return size === null ? null : { name: path, size, read: (start, end) => readPart(files, path, start, end, where) }
  }
  return { name: folder, open, list }
}

/** @throws StateError if the file ends before `end` */
async function readPart(
  files: NonNullable<ReturnType<typeof nodeModule<'node:fs/promises'>>>,
  path: string,
  start: number,
  end: number,
  where: string,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(end - start)
  const handle = await files.open(path).catch((error: unknown) => {
    throw fileError(where, path, 'read', error)
  })
  try {
    let at = 0
    while (at < bytes.length) {
      const { bytesRead } = await handle.read(bytes, at, bytes.length - at, start + at)
      if (bytesRead === 0) throw new StateError(`${where}: ${path} ended at byte ${start + at}, while it was read`)
      at += bytesRead
    }
  } finally {
    await handle.close()
  }
  return bytes
}
