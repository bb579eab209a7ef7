// Writes a file completely or not at all (Node): a reader, a crash or a full disk never leaves half of it. Also
// lets files grow, such as logs. The bytes come from models/save.ts.

import { ArgumentError, StateError, quoted } from '../../core/errors'
import { fileError, isRemote, nodeModule, nodeProcess, requirePath, type NodeModules } from './platform'
import { removeLeftovers, temporaryName } from './temporary'

/** The pending write of each path. */
const pending = new Map<string, Promise<void>>()

/**
 * Writes a temporary file in the same folder and renames it, so that `path` contains either the old bytes or the new ones
 * at any time. An existing file keeps its mode and owner; for a symbolic link the target is replaced. Writes to one path
 * happen in the order of the calls.
 * @param where names the call in errors
 * @throws ArgumentError for a value that is not a path; StateError, with the file system's error as its cause, if there is
 * no file system or no such folder, or the file cannot be written; the old file is then unchanged
 */
export async function writeFile(path: string | URL, data: Uint8Array, where = 'save'): Promise<void> {
  requirePath(path, where)
  const { files, paths } = fileSystem()
  // Resolved now, before a later call or a change of the working directory.
  const place = paths.resolve(pathOf(path, where))
  const before = pending.get(place)
  const written = (before ?? Promise.resolve()).catch(() => {}).then(() => replace(files, paths, place, data))
  pending.set(place, written)
  try {
    await written
  } catch (error) {
    throw fileError(where, path, 'written', error)
  } finally {
    if (pending.get(place) === written) pending.delete(place)
  }
}

type FileSystem = NodeModules['node:fs/promises']
type Paths = NodeModules['node:path']

/** Node's file functions. @throws StateError if there are none */
export function fileSystem(): { files: FileSystem; paths: Paths } {
  const files = nodeModule('node:fs/promises')
  const paths = nodeModule('node:path')
  if (files !== null && paths !== null) return { files, paths }
  const why =
    nodeProcess() === null ? 'There are no files in a browser' : 'Writing files requires Node 20.16, 22.3 or later'
  throw new StateError(`${why}. Call save() without a path and keep the bytes that it returns.`)
}

/** The path of a file: a file URL as a path. @throws ArgumentError for an address */
export function pathOf(path: string | URL, where: string): string {
  if (isRemote(path))
    throw new ArgumentError(`${where}: ${quoted(String(path))} is an address. Give the path of a file.`)
  const isUrl = typeof path !== 'string' || path.startsWith('file:')
  if (!isUrl) return path
  try {
    return nodeModule('node:url')!.fileURLToPath(path)
  } catch (cause) {
    throw new ArgumentError(`${where}: ${quoted(String(path))} is not the path of a file`, { cause })
  }
}

async function replace(files: FileSystem, paths: Paths, path: string, data: Uint8Array): Promise<void> {
  const target = await linkTarget(files, paths, path)
  const old = await files.stat(target).catch(unlessMissing)
  // A device or a pipe cannot be replaced, so it is written directly. For a folder the file system throws.
  if (old !== null && !old.isFile()) return files.writeFile(target, data)
  const folder = paths.dirname(target)
  await removeLeftovers(files, folder, paths.join)
  const temporary = paths.join(folder, temporaryName())
  try {
    const handle = await files.open(temporary, 'wx')
    try {
      await handle.writeFile(data)
      if (old !== null) {
        // Only the superuser may change the owner; for other users the new file belongs to them.
        await handle.chown(old.uid, old.gid).catch(() => {})
        await handle.chmod(old.mode & 0o7777)
      }
      // The bytes must be on the disk before the name refers to them.
      await handle.sync()
    } finally {
      await handle.close()
    }
    await files.rename(temporary, target)
  } catch (error) {
    await files.rm(temporary, { force: true }).catch(() => {})
    throw error
  }
}

/**
 * Makes a folder that gets its name when it is complete. It replaces an empty folder of this name; if the name is a link, it
 * replaces the folder to which the link leads.
 * @param fill writes the content into a folder with another name
 * @throws StateError, with the file system's error as its cause; the folder is then as it was
 */
export async function writeNewFolder(
  path: string | URL,
  where: string,
  fill: (folder: string, paths: Paths) => Promise<void>,
): Promise<void> {
  const { files, paths } = fileSystem()
  let temporary = ''
  try {
    // A link stays, and its folder is replaced.
    const place = await linkTarget(files, paths, paths.resolve(pathOf(path, where)))
    const parent = paths.dirname(place)
    temporary = paths.join(parent, temporaryName())
    await files.mkdir(parent, { recursive: true })
    await removeLeftovers(files, parent, paths.join)
    await files.mkdir(temporary)
    await fill(temporary, paths)
    await files.rmdir(place).catch(unlessMissing)
    await files.rename(temporary, place)
  } catch (error) {
    if (temporary !== '') await files.rm(temporary, { recursive: true, force: true }).catch(() => {})
    throw fileError(where, path, 'written', error)
  }
}

/** The target of a path through all links, even if it does not exist yet. */
async function linkTarget(files: FileSystem, paths: Paths, path: string): Promise<string> {
  const real = await files.realpath(path).catch(unlessMissing)
  if (real !== null) return real
  const link = await files.readlink(path).catch(() => null)
  return link === null ? path : linkTarget(files, paths, paths.resolve(paths.dirname(path), link))
}

/** null for the error that the file does not exist; rethrows other errors. */
export function unlessMissing(error: unknown): null {
  // Not by instanceof: in a test environment with other globals, Node's errors have another class.
  if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT') return null
  throw error
}

/**
 * A file that grows at its end. A resumed run continues at the position of the saved state and overwrites what
 * an interrupted run wrote after it.
 */
export class GrowingFile {
  private size: number | null = null

  /**
   * @param start the number of bytes to keep of an older file; null: all
   */
  constructor(
    readonly path: string,
    private readonly start: number | null,
  ) {}

  /** The current number of bytes; before the first append, the number of kept bytes. */
  async length(): Promise<number> {
    if (this.size !== null) return this.size
    const old = await fileSystem().files.stat(this.path).catch(unlessMissing)
    this.size = Math.min(old?.size ?? 0, this.start ?? Infinity)
    return this.size
  }

  /**
   * The length if it is known without reading the file system; null if all of an older file is kept and its
   * length was not read.
   */
  get known(): number | null {
    return this.size ?? this.start
  }

  async append(bytes: Uint8Array): Promise<void> {
    const { files, paths } = fileSystem()
    const at = await this.length()
    await files.mkdir(paths.dirname(this.path), { recursive: true })
    // Not in append mode, which ignores the write position.
    const handle = (await files.open(this.path, 'r+').catch(unlessMissing)) ?? (await files.open(this.path, 'w'))
    try {
      await handle.truncate(at)
      // A nearly full disk, or a network, may write fewer bytes than requested.
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, at + done)
        if (bytesWritten === 0)
          throw new StateError(
            `'${this.path}' is incomplete: only ${done} of ${bytes.length} bytes were written. Check the free space of the disk`,
          )
        done += bytesWritten
      }
    } finally {
      await handle.close()
    }
    this.size = at + bytes.length
  }
}
