// Keeps files of servers in a folder, in Node. A file that is not complete has the ending .part, and is continued.

import { StateError } from '../../core/errors'
import { unlessMissing } from '../../engine/runtime/files'
import { nodeModule, nodeProcess, type NodeModules } from '../../engine/runtime/platform'
import { fileFolder } from './file-folder'
import type { FileStore, FileVersion } from './file-store'
import type { FileOpener, PresetFile } from './preset-folder'
import type { RemoteFile } from './remote-folder'

/** Bytes that are fetched at once. */
const BLOCK = 2 ** 23

type FileHandle = Awaited<ReturnType<NodeModules['node:fs/promises']['open']>>

/** The modules of Node that the store needs. */
interface Modules {
  readonly files: NodeModules['node:fs/promises']
  readonly paths: NodeModules['node:path']
  readonly crypto: NodeModules['node:crypto']
}

/** @param place true: myelin in XDG_CACHE_HOME, or in ~/.cache. @returns null without a file system */
export async function folderStore(place: string | true): Promise<FileStore | null> {
  const [files, paths, crypto] = [nodeModule('node:fs/promises'), nodeModule('node:path'), nodeModule('node:crypto')]
  const os = nodeModule('node:os')
  if (files === null || paths === null || os === null || crypto === null) return null
  const usual = nodeProcess()?.env['XDG_CACHE_HOME'] ?? paths.join(os.homedir(), '.cache')
  const folder = place === true ? paths.join(usual, 'myelin') : place
  await files.mkdir(folder, { recursive: true })
  return new FolderStore({ files, paths, crypto }, folder, await fileFolder(folder, 'cache'))
}

class FolderStore implements FileStore {
  constructor(
    private readonly modules: Modules,
    private readonly folder: string,
    private readonly opener: FileOpener,
  ) {}

  /** The address for people, and a sum of the version so that no two have one name. */
  private nameOf({ address, size, tag }: FileVersion): string {
    const sum = this.modules.crypto.createHash('sha256').update(`${address}\n${size}\n${tag}`).digest('hex')
    return `${address
      .replace(/^https?:\/\//, '')
      .replaceAll(/[^\w.-]+/g, '_')
      .slice(-100)}.${sum.slice(0, 16)}`
  }

  private pathOf(version: FileVersion, ending = ''): string {
    return this.modules.paths.join(this.folder, this.nameOf(version) + ending)
  }

  async find(version: FileVersion): Promise<PresetFile | null> {
    const file = await this.opener.open(this.nameOf(version))
    if (file === null || file.size === version.size) return file
    await this.remove(version)
    return null
  }

  /**
   * Two processes may fetch one file at once: each writes every byte where it belongs, so that they do not disturb each other. A file
   * gets its name only when its sum is right.
   */
  async fetch(version: FileVersion, file: RemoteFile): Promise<string> {
    const { files } = this.modules
    const part = this.pathOf(version, '.part')
    const handle = await files.open(part, files.constants.O_RDWR | files.constants.O_CREAT)
    let sum: string
    try {
      const { size } = await handle.stat()
      // Without a tag the part may be of another version.
      const start = version.tag === null || size > version.size ? 0 : size
      file.skip(start)
      for (let at = start; at < version.size; at += BLOCK)
        await writeAt(handle, await file.read(at, Math.min(version.size, at + BLOCK)), at)
      await handle.truncate(version.size)
      sum = await this.sumOf(handle, version.size)
    } finally {
      await handle.close()
    }
    if (file.sha256 === null || file.sha256 === sum)
      await files.rename(part, this.pathOf(version)).catch(async (error: unknown) => {
        // Another process was faster.
        unlessMissing(error)
        if ((await this.find(version)) === null) throw error
      })
    return sum
  }

  private async sumOf(handle: FileHandle, size: number): Promise<string> {
    const hash = this.modules.crypto.createHash('sha256')
    const block = new Uint8Array(Math.min(size, BLOCK))
    for (let at = 0; at < size;) {
      const { bytesRead } = await handle.read(block, 0, block.length, at)
      if (bytesRead === 0) break
      hash.update(block.subarray(0, bytesRead))
      at += bytesRead
    }
    return hash.digest('hex')
  }

  async remove(version: FileVersion): Promise<void> {
    for (const ending of ['', '.part']) await this.modules.files.rm(this.pathOf(version, ending), { force: true })
  }
}

/** A nearly full disk, or a network, may write fewer bytes than requested. */
async function writeAt(handle: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, at + done)
    if (bytesWritten === 0) throw new StateError('cache: the disk is full. Free some space, or pass another folder')
    done += bytesWritten
  }
}
