// Bytes by name: in a folder (Node), or in what a page keeps (IndexedDB). What the bytes are is in formats/.

import { StateError } from '../core/errors'
import { fileSystem, unlessMissing, writeFile } from './files'
import { removeLeftovers } from './temporary'

/** Where callbacks keep bytes by name. A Map of bytes with these three methods serves, too. */
export interface ByteStore {
  /** The bytes of this name; null where there are none. */
  read(name: string): Uint8Array | null | Promise<Uint8Array | null>
  /** Keeps the bytes, in the place of older ones: all of them, or none. The bytes are not changed afterwards. */
  write(name: string, bytes: Uint8Array): void | Promise<void>
  /** Forgets the bytes of this name, if there are any. */
  remove(name: string): void | Promise<void>
  /** Removes what writes that were interrupted left behind. */
  tidy?(): void | Promise<void>
}

/** A folder of files. It is made when something is written. */
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

  /** Removes what killed processes left, and the folder itself where nothing else is in it. */
  async tidy(): Promise<void> {
    const { files, paths } = fileSystem()
    await removeLeftovers(files, this.folder, paths.join)
    const names = (await files.readdir(this.folder).catch(unlessMissing)) ?? []
    if (names.length === 0) await files.rmdir(this.folder).catch(unlessMissing)
  }
}

/** Makes the folder that a file is to be in. */
export async function makeFolderOf(path: string): Promise<void> {
  const { files, paths } = fileSystem()
  await files.mkdir(paths.dirname(path), { recursive: true })
}

const TABLE = 'bytes'

/**
 * What a page keeps from one visit to the next, in IndexedDB:
 *
 *   new BackupAndRestore({ backupDir: 'digits', store: new BrowserStore() })
 *
 * Each write is one transaction: a page that is closed meanwhile finds the old bytes or the new ones.
 * @throws StateError where there is no IndexedDB, and when it refuses: when the disk is full, or the page may keep nothing
 */
export class BrowserStore implements ByteStore {
  /** @param name of the data base. Pages of one origin share those of equal names */
  constructor(private readonly name = 'myelin') {}

  read(name: string): Promise<Uint8Array | null> {
    return this.run('readonly', (table) => table.get(name)).then((found) =>
      found instanceof Uint8Array ? found : null,
    )
  }

  async write(name: string, bytes: Uint8Array): Promise<void> {
    await this.run('readwrite', (table) => table.put(bytes, name))
  }

  async remove(name: string): Promise<void> {
    await this.run('readwrite', (table) => table.delete(name))
  }

  /** One request in a transaction of its own; its result when all of that is on the disk. */
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
      throw new StateError(
        'BrowserStore: there is no IndexedDB here. Give a store of your own, with read, write and remove.',
      )
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
