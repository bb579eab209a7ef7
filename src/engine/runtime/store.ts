// Stores bytes by name: in a folder (Node), or in a page's storage (IndexedDB). formats/ defines their content.

import { StateError, quoted } from '../../core/errors'
import { fileSystem, unlessMissing, writeFile } from './files'
import { removeLeftovers } from './temporary'

/** A store of bytes by name for callbacks. Any object with these methods works. */
export interface ByteStore {
  /** The bytes of this name; null if there are none. */
  read(name: string): Uint8Array | null | Promise<Uint8Array | null>
  /** Stores the bytes in place of older ones, completely or not at all. The caller does not change them afterwards. */
  write(name: string, bytes: Uint8Array): void | Promise<void>
  /** Removes the bytes of this name, if there are any. */
  remove(name: string): void | Promise<void>
  /** Removes the remains of interrupted writes. */
  tidy?(): void | Promise<void>
}

/** The bytes that a store of the user returns. @throws StateError for other values */
export function storedBytes(found: unknown, name: string): Uint8Array | null {
  if (found === null || found === undefined) return null
  if (found instanceof Uint8Array) return found
  if (found instanceof ArrayBuffer) return new Uint8Array(found)
  if (ArrayBuffer.isView(found)) return new Uint8Array(found.buffer, found.byteOffset, found.byteLength)
  throw new StateError(
    `The store returned ${quoted(found)} for ${quoted(name)}: read must return a Uint8Array, or null`,
  )
}

/** A folder of files, created at the first write. */
export class FolderStore implements ByteStore {
  constructor(private readonly folder: string) {}

  private pathOf(name: string): string {
    return fileSystem().paths.join(this.folder, name)
  }

  async read(name: string): Promise<Uint8Array | null> {
    return fileSystem().files.readFile(this.pathOf(name)).catch(unlessMissing)
  }

  async write(name: string, bytes: Uint8Array): Promise<void> {
    await makeFolderOf(this.pathOf(name))
    await writeFile(this.pathOf(name), bytes)
  }

  async remove(name: string): Promise<void> {
    await fileSystem().files.rm(this.pathOf(name), { force: true })
  }

  /** Removes the remains of killed processes, and the folder if it is otherwise empty. */
  async tidy(): Promise<void> {
    const { files, paths } = fileSystem()
    await removeLeftovers(files, this.folder, paths.join)
    const names = (await files.readdir(this.folder).catch(unlessMissing)) ?? []
    if (names.length === 0) await files.rmdir(this.folder).catch(unlessMissing)
  }
}

/** Creates the folder of a file. */
export async function makeFolderOf(path: string): Promise<void> {
  const { files, paths } = fileSystem()
  await files.mkdir(paths.dirname(path), { recursive: true })
}

const TABLE = 'bytes'

/**
 * Stores bytes in IndexedDB, where they outlive a visit of the page:
 *
 *   new BackupAndRestore({ backupDir: 'digits', store: new BrowserStore() })
 *
 * Each write is one transaction: if the page is closed during a write, it later finds the old bytes or the new ones.
 * @throws StateError if there is no IndexedDB, or if it refuses, because the disk is full or the page may not store data
 */
export class BrowserStore implements ByteStore {
  /** @param name of the database. Pages of one origin share databases with equal names */
  constructor(private readonly name = 'myelin') {}

  read(name: string): Promise<Uint8Array | null> {
    return this.run('readonly', (table) => table.get(name)).then((found) => storedBytes(found, name))
  }

  async write(name: string, bytes: Uint8Array): Promise<void> {
    await this.run('readwrite', (table) => table.put(bytes, name))
  }

  async remove(name: string): Promise<void> {
    await this.run('readwrite', (table) => table.delete(name))
  }

  /** One request in a separate transaction; resolves to its result when the transaction is on the disk. */
  private async run(mode: IDBTransactionMode, ask: (table: IDBObjectStore) => IDBRequest): Promise<unknown> {
    const base = await this.open()
    try {
      return await new Promise((resolve, reject) => {
        const transaction = base.transaction(TABLE, mode, { durability: 'strict' })
        const request = ask(transaction.objectStore(TABLE))
        transaction.oncomplete = () => resolve(request.result)
        transaction.onabort = () => reject(refusal(transaction.error))
      })
    } finally {
      base.close()
    }
  }

  private open(): Promise<IDBDatabase> {
    if (typeof indexedDB === 'undefined')
      throw new StateError('BrowserStore: there is no IndexedDB here. Pass a store with read, write and remove.')
    return new Promise((resolve, reject) => {
      const request = indexedDB.open(this.name, 1)
      request.onupgradeneeded = () => request.result.createObjectStore(TABLE)
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => reject(refusal(request.error))
    })
  }
}

function refusal(error: DOMException | null): StateError {
  return new StateError(`BrowserStore: IndexedDB refused: ${String(error)}`)
}
