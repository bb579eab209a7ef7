// Writes a file whole or not at all (Node): a reader, a crash or a full disk never meets half of it. Or lets a file grow, as
// logs do. Makes no bytes: see models/save.ts.

import { ArgumentError, StateError, quoted } from '../core/errors'
import type { NodeModules } from './platform'
import { fileError, isRemote, nodeModule, nodeProcess, requirePath } from './platform'
import { removeLeftovers, temporaryName } from './temporary'

/** The last write to each path, while there is one. */
const pending = new Map<string, Promise<void>>()

/**
 * Writes beside the file and then renames over it, so that `path` holds the old bytes or the new ones at any time. An
 * existing file keeps its mode and owner; of a symbolic link the target is replaced. Writes to one path happen in the
 * order of the calls.
 * @param where names the call in errors
 * @throws ArgumentError for what is no path; StateError, with what the file system says as its cause, where there are no files, no
 * such folder, or the file cannot be written; then the old file is as it was
 */
export async function writeFile(path: string | URL, data: Uint8Array, where = 'save'): Promise<void> {
  requirePath(path, where)
  const { files, paths } = fileSystem()
  // At once, so that neither a later call nor a change of the working directory comes between.
  const place = paths.resolve(toPath(path, where))
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

/** Node's own functions for files. @throws StateError where there are none */
export function fileSystem(): { files: FileSystem; paths: Paths } {
  const files = nodeModule('node:fs/promises')
  const paths = nodeModule('node:path')
  if (files !== null && paths !== null) return { files, paths }
  throw new StateError(
    nodeProcess() !== null
      ? 'Files are written in Node 20.16, 22.3 and later. Call save() without a path and write the bytes that it returns.'
      : 'There are no files in a browser. Call save() without a path and keep the bytes it returns.',
  )
}

function toPath(path: string | URL, where: string): string {
  if (isRemote(path))
    throw new ArgumentError(`${where}: ${quoted(String(path))} is an address. Files are written to a path.`)
  const isUrl = typeof path !== 'string' || path.startsWith('file:')
  if (!isUrl) return path
  try {
    return nodeModule('node:url')!.fileURLToPath(path)
  } catch (cause) {
    throw new ArgumentError(`${where}: ${quoted(String(path))} is no path of a file`, { cause })
  }
}

async function replace(files: FileSystem, paths: Paths, path: string, data: Uint8Array): Promise<void> {
  const target = await linkTarget(files, paths, path)
  const old = await files.stat(target).catch(unlessMissing)
  // A device or a pipe cannot be replaced: it is written to. For a folder the file system throws.
  if (old !== null && !old.isFile()) return files.writeFile(target, data)
  const folder = paths.dirname(target)
  await removeLeftovers(files, folder, paths.join)
  const temporary = paths.join(folder, temporaryName())
  try {
    const handle = await files.open(temporary, 'wx')
    try {
      await handle.writeFile(data)
      if (old !== null) {
        // Only the superuser may give a file away: for others it becomes their own.
        await handle.chown(old.uid, old.gid).catch(() => {})
        await handle.chmod(old.mode & 0o7777)
      }
      // The bytes are on the disk before the name points to them.
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

/** Where a path leads, over all links, even if nothing is there yet. */
async function linkTarget(files: FileSystem, paths: Paths, path: string): Promise<string> {
  const real = await files.realpath(path).catch(unlessMissing)
  if (real !== null) return real
  const link = await files.readlink(path).catch(() => null)
  return link === null ? path : linkTarget(files, paths, paths.resolve(paths.dirname(path), link))
}

/** null for the error that there is no such file; others are thrown again. */
export function unlessMissing(error: unknown): null {
  // Not by instanceof: in a test environment with globals of its own, Node's errors are of another class.
  if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT') return null
  throw error
}

/**
 * A file that grows at its end. Where a run is taken up, it goes on at the place that the run had come to: what a run that was
 * killed wrote afterwards is overwritten.
 */
export class GrowingFile {
  private size: number | null = null

  /**
   * @param start how many bytes of an older file stay; null: all
   */
  constructor(
    readonly path: string,
    private readonly start: number | null,
  ) {}

  /** How many bytes it has: those that stay, before the first is added. */
  async length(): Promise<number> {
    if (this.size !== null) return this.size
    const old = await fileSystem().files.stat(this.path).catch(unlessMissing)
    this.size = Math.min(old?.size ?? 0, this.start ?? Infinity)
    return this.size
  }

  /** The length as it is known without looking; null where all of an older file stays and nobody looked. */
  get known(): number | null {
    return this.size ?? this.start
  }

  async append(bytes: Uint8Array): Promise<void> {
    const { files, paths } = fileSystem()
    const at = await this.length()
    await files.mkdir(paths.dirname(this.path), { recursive: true })
    // Not for appending, where the place to write at does not count.
    const handle = (await files.open(this.path, 'r+').catch(unlessMissing)) ?? (await files.open(this.path, 'w'))
    try {
      await handle.truncate(at)
      // A disk that is nearly full, or a network, takes fewer bytes than it was given.
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, at + done)
        if (bytesWritten === 0)
          throw new StateError(`'${this.path}' takes no more bytes: ${done} of ${bytes.length} were written`)
        done += bytesWritten
      }
    } finally {
      await handle.close()
    }
    this.size = at + bytes.length
  }
}
