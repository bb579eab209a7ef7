// Keeps files of servers in a folder, in Node. A file that is not complete has the ending .part, and is continued.

import { nodeModule, nodeProcess } from '../../engine/runtime/platform'
import type { FileStore, FileVersion } from './file-store'
import { fileFolder } from './file-folder'
import type { PresetFile } from './preset-folder'
import type { RemoteFile } from './remote-folder'

/** Bytes that are fetched at once. */
const BLOCK = 2 ** 23

/** @param place true: myelin in XDG_CACHE_HOME, or in ~/.cache. @returns null without a file system */
export async function folderStore(place: string | true): Promise<FileStore | null> {
  const [files, paths, os, crypto] = [
    nodeModule('node:fs/promises'),
    nodeModule('node:path'),
    nodeModule('node:os'),
    nodeModule('node:crypto'),
  ]
  if (files === null || paths === null || os === null || crypto === null) return null
  const usual = nodeProcess()?.env['XDG_CACHE_HOME'] ?? paths.join(os.homedir(), '.cache')
  const folder = place === true ? paths.join(usual, 'myelin') : place
  await files.mkdir(folder, { recursive: true })
  const opener = await fileFolder(folder, 'cache')
  /** The address for people, and a sum of the version so that no two have one name. */
  const nameOf = ({ address, size, tag }: FileVersion): string => {
    const sum = crypto.createHash('sha256').update(`${address}\n${size}\n${tag}`).digest('hex').slice(0, 16)
    return `${address
      .replace(/^https?:\/\//, '')
      .replace(/[^\w.-]+/g, '_')
      .slice(-100)}.${sum}`
  }
  const partOf = (version: FileVersion): string => paths.join(folder, `${nameOf(version)}.part`)
  const sumOf = async (path: string): Promise<string> => {
    const hash = crypto.createHash('sha256')
    const handle = await files.open(path)
    try {
      for await (const part of handle.createReadStream({ autoClose: false })) hash.update(part as Uint8Array)
    } finally {
      await handle.close()
    }
    return hash.digest('hex')
  }
  const store: FileStore = {
    async find(version): Promise<PresetFile | null> {
      const file = await opener.open(nameOf(version))
      if (file === null || file.size === version.size) return file
      await store.remove(version)
      return null
    },
    async fill(version, file: RemoteFile): Promise<string> {
      const part = partOf(version)
      const handle = await files.open(part, 'a')
      try {
        let { size: at } = await handle.stat()
        // Without a tag the part may be of another version.
        if (at > version.size || version.tag === null) {
          await handle.truncate(0)
          at = 0
        }
        file.skip(at)
        for (; at < version.size; at += BLOCK)
          await handle.appendFile(await file.read(at, Math.min(version.size, at + BLOCK)))
      } finally {
        await handle.close()
      }
      const sum = await sumOf(part)
      await files.rename(part, paths.join(folder, nameOf(version)))
      return sum
    },
    async remove(version): Promise<void> {
      await files.rm(paths.join(folder, nameOf(version)), { force: true })
      await files.rm(partOf(version), { force: true })
    },
  }
  return store
}
