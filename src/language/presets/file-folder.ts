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
    return size === null ? null : new DiskFile(files, path, size, where)
  }
  return { name: folder, open, list }
}

type FileHandle = Awaited<ReturnType<Files['open']>>
type Files = NonNullable<ReturnType<typeof nodeModule<'node:fs/promises'>>>

class DiskFile implements PresetFile {
  private handle: ReturnType<Files['open']> | null = null
  /** The reads that are going on, and others who need the file open. */
  private users = 0

  constructor(
    private readonly files: Files,
    readonly name: string,
    readonly size: number,
    private readonly where: string,
  ) {}

  async whileOpen<Result>(body: (handle: FileHandle) => Promise<Result>): Promise<Result> {
    this.users++
    try {
      this.handle ??= this.files.open(this.name)
      const handle = await this.handle.catch((error: unknown) => {
        throw fileError(this.where, this.name, 'read', error)
      })
      return await body(handle)
    } finally {
      if (--this.users === 0) {
        const closing = this.handle
        this.handle = null
        await closing?.then(
          (handle) => handle.close(),
          () => {},
        )
      }
    }
  }

  /** @throws StateError if the file ends before `end` */
  read(start: number, end: number, into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    return this.whileOpen(async (handle) => {
      const bytes = into?.subarray(0, end - start) ?? new Uint8Array(end - start)
      let at = 0
      while (at < bytes.length) {
        const { bytesRead } = await handle.read(bytes, at, bytes.length - at, start + at)
        if (bytesRead === 0)
          throw new StateError(`${this.where}: ${this.name} ended at byte ${start + at}, while it was read`)
        at += bytesRead
      }
      return bytes
    })
  }
}
