// The treatment of an invalid row or a broken image: an error that ends the pass, or an entry in a list.

import { DataError, type RowError } from '../../core/errors'
import { choice, option, type ValuesOf } from '../../core/options'

export const onError = option(choice('throw', 'collect'), 'throw')
export type OnError = ValuesOf<{ onError: typeof onError }>['onError']

/** A row that produces no element. */
export const DROPPED: unique symbol = Symbol('dropped')

/** The maximum number of collected errors, which bounds the memory. */
const MOST = 1000

/** @typeParam Fault the errors that the reader throws for a row */
export class Faults<Fault extends DataError = RowError> {
  private list: Fault[] = []

  constructor(private readonly policy: OnError) {}

  get errors(): readonly Fault[] {
    return this.list
  }

  clear(): void {
    this.list = []
  }

  /** Collects an error, or throws it. */
  add(fault: Fault): void {
    if (this.policy === 'throw') throw fault
    if (this.list.length < MOST) this.list.push(fault)
  }

  /** The result of `make`; DROPPED if it fails. */
  guard<T>(make: () => T): T | typeof DROPPED {
    try {
      return make()
    } catch (error) {
      return this.caught(error)
    }
  }

  /** The same for an async function. */
  async guardAsync<T>(make: () => Promise<T>): Promise<T | typeof DROPPED> {
    try {
      return await make()
    } catch (error) {
      return this.caught(error)
    }
  }

  private caught(error: unknown): typeof DROPPED {
    if (!isFault<Fault>(error)) throw error
    this.add(error)
    return DROPPED
  }
}

/** Whether an error is that of a row: a reader throws no other DataError there. */
function isFault<Fault extends DataError>(error: unknown): error is Fault {
  return error instanceof DataError
}
