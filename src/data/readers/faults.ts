// What becomes of a bad row, a broken picture: an end to the pass, or a place in a list.

import type { RowError } from '../../core/errors'
import { DataError } from '../../core/errors'
import type { ValuesOf } from '../../core/options'
import { choice, option } from '../../core/options'

export const onError = option(choice('throw', 'collect'), 'throw')
export type OnError = ValuesOf<{ onError: typeof onError }>['onError']

/** Nothing comes of it. */
export const DROPPED: unique symbol = Symbol('dropped')

/** So many are kept, that memory stays what it is. */
const MOST = 1000

export class Faults<Fault extends DataError = RowError> {
  private list: Fault[] = []

  constructor(private readonly policy: OnError) {}

  get errors(): readonly Fault[] {
    return this.list
  }

  clear(): void {
    this.list = []
  }

  /** Keeps a fault, or throws it. */
  add(fault: Fault): void {
    if (this.policy === 'throw') throw fault
    if (this.list.length < MOST) this.list.push(fault)
  }

  /** What `make` gives; DROPPED where it is at fault. */
  guard<T>(make: () => T): T | typeof DROPPED {
    try {
      return make()
    } catch (error) {
      return this.caught(error)
    }
  }

  /** The same for what has to be waited for. */
  async guardAsync<T>(make: () => Promise<T>): Promise<T | typeof DROPPED> {
    try {
      return await make()
    } catch (error) {
      return this.caught(error)
    }
  }

  private caught(error: unknown): typeof DROPPED {
    if (!(error instanceof DataError)) throw error
    this.add(error as Fault)
    return DROPPED
  }
}
