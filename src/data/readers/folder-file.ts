// The content of a file of a folder, or a DataError. Nothing that a folder contains may take all time or memory: pipes and devices
// may never end, files of /proc are endless or wait, and a sparse file has any size. See bytes.ts for sources that a user names.

import { clock } from '../../core/globals'
import { orAbort } from '../../core/abort'
import { DataError } from '../../core/errors'
import { fileError, nodeModule, type NodeModules } from '../../engine/runtime/platform'

/** The largest file that is read: 2 GiB. */
const MOST_BYTES = 2 ** 31 - 1
/** The number of bytes that are read at once, after which a signal can end the reading. */
const CHUNK = 2 ** 24

/** The largest file that is read without a thread of the engine: 1 MiB. */
const SMALL = 2 ** 20
/**
 * If reading a file takes more than SLOW ms, the disk is slow, or a network. Then the next files are read asynchronously, several at
 * once, before another one is read synchronously. Their number doubles with each slow file in succession, up to MOST_LATER.
 */
const [SLOW, MOST_LATER] = [2, 64]

/** Reads the files of one folder. */
export class FolderReader {
  /** The number of files that are still to be read asynchronously. */
  private later = 0
  /** The value that `later` gets after the next slow file. */
  private pause = 1

  /**
   * @param where names the function in errors
   * @param signal ends the reading
   */
  constructor(
    private readonly where: string,
    private readonly signal: AbortSignal | null,
  ) {}

  /** @throws DataError that names the file, if it cannot be read completely; the reason of the signal */
  read(file: string): Promise<Uint8Array> {
    const { where, signal } = this
    signal?.throwIfAborted()
    const bytes = this.now(file)
    if (bytes !== null) return Promise.resolve(bytes)
    // A folder was listed, so there are files.
    return orAbort(read(nodeModule('node:fs/promises')!, file, where, signal), signal)
  }

  /**
   * The content of a small file, read synchronously: from the cache of the system this takes 0.1 ms, with promises 0.6 ms. null for
   * other files, and for a file with any problem, which `read` then reports.
   */
  private now(file: string): Uint8Array | null {
    const files = nodeModule('node:fs')
    if (files === null || this.later-- > 0) return null
    const start = clock()
    try {
      const stat = files.statSync(file)
      if (!stat.isFile() || stat.size === 0 || stat.size > SMALL) return null
      const handle = files.openSync(file, files.constants.O_RDONLY | (files.constants.O_NONBLOCK ?? 0))
      try {
        const bytes = new Uint8Array(stat.size)
        return files.readSync(handle, bytes, 0, stat.size, 0) === stat.size ? bytes : null
      } finally {
        files.closeSync(handle)
      }
    } catch {
      return null
    } finally {
      const isSlow = clock() - start > SLOW
      this.later = isSlow ? this.pause : 0
      this.pause = isSlow ? Math.min(MOST_LATER, 2 * this.pause) : 1
    }
  }
}

type Files = NodeModules['node:fs/promises']

async function read(files: Files, file: string, where: string, signal: AbortSignal | null): Promise<Uint8Array> {
  try {
    await requireFile(files, file)
    // If the file has become a pipe meanwhile, opening it does not wait.
    const handle = await files.open(file, files.constants.O_RDONLY | (files.constants.O_NONBLOCK ?? 0))
    try {
      const { size } = await handle.stat()
      if (size > MOST_BYTES) throw new DataError(`${file} has ${size} bytes. At most ${MOST_BYTES} are read`)
      const bytes = new Uint8Array(size)
      for (let done = 0; done < size;) {
        signal?.throwIfAborted()
        const { bytesRead } = await handle.read(bytes, done, Math.min(CHUNK, size - done), done)
        if (bytesRead === 0) throw new DataError(`${file} has ${done} bytes instead of ${size}`)
        done += bytesRead
      }
      return bytes
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (error instanceof DataError || signal?.aborted === true) throw error
    throw new DataError(fileError(where, file, 'read', error).message, { cause: error })
  }
}

/** @throws DataError for all but regular files whose bytes are on a disk */
async function requireFile(files: Files, file: string): Promise<void> {
  const isLink = (await files.lstat(file)).isSymbolicLink()
  const target = await files.stat(file).catch((error: unknown) => {
    throw isLink ? new DataError(`${file} is a link that leads nowhere`, { cause: error }) : error
  })
  if (!target.isFile())
    throw new DataError(`${file} is not a regular file${isLink ? ': it is a link to something else' : ''}`)
  // A file system without blocks, such as /proc, makes the bytes when they are read, and gives no sizes.
  if (target.size === 0 && (await files.statfs(file)).blocks === 0)
    throw new DataError(`${file} is ${isLink ? 'a link to ' : ''}a special file, which has no size`)
}
