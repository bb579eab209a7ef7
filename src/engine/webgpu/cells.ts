// The content of cells on the device. Its home is linear memory: a run borrows it, and until it is fetched, linear memory refuses
// to be read.

import { internalError } from '../../core/errors'
import type { CellStorage } from '../ir/graph'
import { Storage } from '../runtime/runtime'
import type { DeviceMemory, Range } from './memory'

const LENT =
  'This content is on the GPU while fit, evaluate or predict runs. Await sync() of the object that useWebGPU returned before you read or change it, or read it after the run.'

interface Home extends Range {
  /** The owners whose programs use it. */
  readonly users: Set<object>
  /** The owners whose programs have changed it since it was last fetched; none if linear memory is current. */
  readonly changers: Set<object>
  /** The storage's lookups when the device got its content; −1 before. */
  seen: number
}

export class Cells {
  private readonly homes = new Map<Storage, Home>()
  /** The steps of training of each owner since everything of it was fetched. */
  private readonly unfetched = new Map<object, number>()
  /** Settles when the content that is being fetched is there; null if none is being fetched. */
  private fetching: Promise<void> | null = null

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
      home = { at: this.memory.allocate(bytes), bytes, users: new Set(), changers: new Set(), seen: -1 }
      this.homes.set(own, home)
    }
    home.users.add(owner)
    return home.at
  }

  /** Waits until no content is being fetched: a program that runs meanwhile would change it. */
  async settled(): Promise<void> {
    while (this.fetching !== null) await this.fetching
  }

  /** The most steps of training of an owner that are not fetched. */
  get lostSteps(): number {
    return Math.max(0, ...this.unfetched.values())
  }

  get isSettled(): boolean {
    return this.fetching === null
  }

  /**
   * Copies storages to the device, as far as they are not there.
   * @param storages with whether the program changes them
   * @param steps the number of steps of training that will change them
   */
  lend(storages: ReadonlyMap<CellStorage, boolean>, owner: object, steps: number): void {
    for (const [storage, isChanged] of storages) {
      const own = storageOf(storage)
      const home = this.homes.get(own)
      // A graph may read a cell that no kernel needs.
      if (home === undefined) continue
      if (home.changers.size === 0) {
        if (home.seen !== own.lookups) this.upload(own, home)
        if (isChanged) own.lend(LENT)
      }
      if (isChanged) home.changers.add(owner)
    }
    if (steps > 0) this.unfetched.set(owner, (this.unfetched.get(owner) ?? 0) + steps)
  }

  private upload(storage: Storage, home: Home): void {
    const { runtime, address } = storage
    this.memory.write(home.at, new Uint8Array(runtime.memory.buffer, address, home.bytes))
    home.seen = storage.lookups
    // Programs on the CPU look up their addresses again: then they meet the refusal of a lent storage, or the next step copies what
    // they have changed.
    runtime.invalidate()
  }

  /** Copies what an owner has changed back to linear memory. @param owner null for all @param only some storages */
  async fetch(owner: object | null, only?: Iterable<CellStorage>): Promise<void> {
    await this.settled()
    const fetching = this.fetchChanged(owner, only && new Set(only))
    const done = (): void => void (this.fetching = null)
    this.fetching = fetching.then(done, done)
    await fetching
    if (only !== undefined) return
    if (owner === null) this.unfetched.clear()
    else this.unfetched.delete(owner)
  }

  private async fetchChanged(owner: object | null, only?: ReadonlySet<CellStorage>): Promise<void> {
    const changed = [...this.homes].filter(
      ([storage, { changers }]) =>
        changers.size > 0 && (owner === null || changers.has(owner)) && (only?.has(storage) ?? true),
    )
    const content = new Uint8Array(await this.memory.read(changed.map(([, home]) => home)))
    let from = 0
    for (const [storage, home] of changed) {
      const part = content.subarray(from, (from += home.bytes))
      home.changers.clear()
      storage.giveBack()
      if (storage.isDisposed) continue
      new Uint8Array(storage.runtime.memory.buffer, storage.address, part.length).set(part)
      home.seen = storage.lookups
    }
  }

  /** Gives storages back as they were when they were lent, because the device is lost. @returns the lost steps of training */
  abandon(owner: object): number {
    for (const [storage, home] of this.homes) {
      if (!home.changers.has(owner)) continue
      home.changers.clear()
      home.seen = -1
      storage.giveBack()
    }
    const lost = this.unfetched.get(owner) ?? 0
    this.unfetched.delete(owner)
    return lost
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
