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
  /** The owners that have read it since they last fetched it: the device has its content. */
  readonly readers: Set<object>
  /** The owner whose programs change it, until it fetches it; null if linear memory is current. */
  changer: object | null
}

export class Cells {
  private readonly homes = new Map<Storage, Home>()

  constructor(private readonly memory: DeviceMemory) {}

  /** The bytes of a storage that has no place on the device; 0 if it has one. */
  missing(storage: CellStorage): number {
    return this.homes.has(storageOf(storage)) ? 0 : storage.byteLength
  }

  /** The address of a storage on the device. */
  home(storage: CellStorage, owner: object): number {
    const own = storageOf(storage)
    let home = this.homes.get(own)
    if (home === undefined) {
      const bytes = Math.ceil(own.byteLength / 4) * 4
      home = { at: this.memory.allocate(bytes), bytes, users: new Set(), readers: new Set(), changer: null }
      this.homes.set(own, home)
    }
    home.users.add(owner)
    return home.at
  }

  /**
   * Copies storages to the device, as far as they are not there.
   * @param storages with whether the program changes them
   */
  lend(storages: ReadonlyMap<CellStorage, boolean>, owner: object): void {
    for (const [storage, isChanged] of storages) {
      const own = storageOf(storage)
      const home = this.homes.get(own)
      // A graph may read a cell that no kernel needs.
      if (home === undefined) continue
      if (home.changer === owner || (home.readers.has(owner) && !isChanged)) continue
      if (home.changer !== null)
        throw new StateError(
          'Another run changes these weights on the GPU. Await it, or sync() of the object that useWebGPU returned.',
        )
      this.upload(own, home)
      home.readers.add(owner)
      if (!isChanged) continue
      home.changer = owner
      own.lend(LENT)
      // Programs on the CPU look up their addresses again, and meet the refusal.
      own.runtime.invalidate()
    }
  }

  private upload({ runtime, address }: Storage, { at, bytes }: Home): void {
    this.memory.write(at, new Uint8Array(runtime.memory.buffer, address, bytes))
  }

  /** Copies what an owner has changed back to linear memory. @param owner null for all @param only some storages */
  async fetch(owner: object | null, only?: Iterable<CellStorage>): Promise<void> {
    const wanted = only === undefined ? null : new Set(only)
    const fetched = [...this.homes].filter(([storage]) => wanted === null || wanted.has(storage))
    const changed = fetched.filter(([, { changer }]) => changer !== null && (owner === null || changer === owner))
    const content = new Uint8Array(await this.memory.read(changed.map(([, home]) => home)))
    for (const [, { readers }] of fetched) if (owner !== null) readers.delete(owner)
    let from = 0
    for (const [storage, home] of changed) {
      const part = content.subarray(from, (from += home.bytes))
      home.changer = null
      home.readers.clear()
      storage.giveBack()
      if (!storage.isDisposed) new Uint8Array(storage.runtime.memory.buffer, storage.address, part.length).set(part)
    }
  }

  /** Gives storages back as they were when they were lent, because the device is lost. */
  abandon(owner: object): void {
    for (const [storage, home] of this.homes) {
      home.readers.delete(owner)
      if (home.changer !== owner) continue
      home.changer = null
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
