// The content of cells on the device. Its home is linear memory: a run borrows it, and until it is fetched, linear memory refuses
// to be read.

import { internalError, StateError } from '../../core/errors'
import type { CellStorage } from '../ir/graph'
import { Storage } from '../runtime/runtime'
import type { DeviceMemory, Range } from './memory'

const LENT =
  'This content is on the GPU while fit, evaluate or predict runs. Await sync() of the object that useWebGPU returned before you read or change it, or read it after the run.'

interface Home extends Range {
  /** The owners whose programs use it. */
  readonly users: Set<object>
  /** The owner that has changed it since it was last fetched; null if linear memory is current. */
  borrower: object | null
  /** Whether a program of the borrower changes it. */
  isChanged: boolean
}

export class Cells {
  private readonly homes = new Map<Storage, Home>()

  constructor(private readonly memory: DeviceMemory) {}

  /** The address of a storage on the device. */
  home(storage: CellStorage, owner: object): number {
    const own = storageOf(storage)
    let home = this.homes.get(own)
    if (home === undefined) {
      const bytes = Math.ceil(own.byteLength / 4) * 4
      home = { at: this.memory.allocate(bytes), bytes, users: new Set(), borrower: null, isChanged: false }
      this.homes.set(own, home)
    }
    home.users.add(owner)
    return home.at
  }

  /**
   * Copies storages to the device, as far as they are not there.
   * @param storages with whether the program that borrows them changes them
   */
  lend(storages: ReadonlyMap<CellStorage, boolean>, owner: object): void {
    for (const [each, isChanged] of storages) {
      const storage = storageOf(each)
      const home = this.homes.get(storage)!
      if (home.borrower === owner) {
        home.isChanged ||= isChanged
        continue
      }
      if (home.borrower !== null)
        throw new StateError('Two models that share weights run on the GPU at once. Await the first run.')
      const { runtime, address } = storage
      this.memory.write(home.at, new Uint8Array(runtime.memory.buffer, address, home.bytes))
      home.borrower = owner
      home.isChanged = isChanged
      storage.lend(LENT)
      // Programs on the CPU look up their addresses again, and meet the refusal.
      runtime.invalidate()
    }
  }

  /** Copies what an owner has borrowed back to linear memory. @param only some of it */
  async fetch(owner: object | null, only?: Iterable<CellStorage>): Promise<void> {
    const wanted = only === undefined ? null : new Set(only)
    const borrowed = [...this.homes].filter(
      ([storage, { borrower }]) =>
        borrower !== null && (owner === null || borrower === owner) && (wanted === null || wanted.has(storage)),
    )
    const changed = borrowed.filter(([, { isChanged }]) => isChanged)
    const content = new Uint8Array(await this.memory.read(changed.map(([, home]) => home)))
    let from = 0
    for (const [storage, home] of borrowed) {
      home.borrower = null
      storage.giveBack()
      if (home.isChanged) take(storage, content.subarray(from, (from += home.bytes)))
    }
  }

  /** Gives storages back as they were when they were lent, because the device is lost. */
  abandon(owner: object): void {
    for (const [storage, home] of this.homes) {
      if (home.borrower !== owner) continue
      home.borrower = null
      storage.giveBack()
    }
  }

  /** Frees what only this owner used. Everything of it must have been fetched. */
  release(owner: object): void {
    for (const [storage, home] of this.homes) {
      if (!home.users.delete(owner) || home.users.size > 0) continue
      this.memory.release(home.at)
      this.homes.delete(storage)
    }
  }
}

function storageOf(storage: CellStorage): Storage {
  if (storage instanceof Storage) return storage
  throw internalError('a cell has no linear memory')
}

/** Puts fetched content into linear memory, unless the storage was disposed meanwhile. */
function take(storage: Storage, content: Uint8Array): void {
  if (storage.isDisposed) return
  new Uint8Array(storage.runtime.memory.buffer, storage.address, content.length).set(content)
}
