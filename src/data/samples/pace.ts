// Lets other tasks run during a long computation: painting, input, timers, sockets.

import { clock } from '../../core/globals'
import { orAbort } from '../../core/abort'
import type { Soon } from '../../core/soon'

/** Resolves in a new task, after pending work of the event loop. */
function nextTask(): Promise<void> {
  if (typeof setImmediate === 'function') return new Promise((resolve) => setImmediate(resolve))
  // Unlike setTimeout, a message is not delayed by 4 ms when tasks are nested.
  if (typeof MessageChannel === 'function') {
    return new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel()
      port1.onmessage = () => {
        port1.close()
        resolve()
      }
      port2.postMessage(null)
    })
  }
  return new Promise((resolve) => setTimeout(resolve, 0))
}

/** The maximum time in ms that steps run before yielding to the event loop. */
const SLICE = 10
/** Reading the clock costs about a hundredth of a small step: this interval in ms is enough, … */
const LOOK = 0.2
/** … and at most this many steps, because the next one may take longer than the previous ones. */
const MOST_UNSEEN = 64

/** The total time spent yielding: the part of the program's time that was not spent computing. */
export const yielded = { milliseconds: 0 }

/** Yields to the event loop when a slice of time is used up. */
export class Pace {
  /** The time when the clock was last read. */
  now = clock()
  private sliceStart = this.now
  /** Steps between two readings of the clock, and steps left until the next. */
  private stride = 1
  private left = 1

  constructor(private signal: AbortSignal | null | undefined) {}

  /** Begins anew, with another signal. */
  restart(signal: AbortSignal | null): void {
    this.signal = signal
    this.now = clock()
    this.sliceStart = this.now
    this.stride = 1
    this.left = 1
  }

  /** The number of steps that may run before isDue is called again. */
  get ahead(): number {
    return this.left
  }

  /** Whether to yield; called after every step, or after several of those ahead. */
  isDue(steps = 1): boolean {
    this.left -= steps
    if (this.left > 0) return false
    const now = clock()
    const perStep = (now - this.now) / this.stride
    this.stride = Math.max(1, Math.min(MOST_UNSEEN, Math.floor(LOOK / perStep)))
    this.left = this.stride
    this.now = now
    return now - this.sliceStart >= SLICE
  }

  /** Reads the clock after the next step, because something other than steps took time. */
  lookNext(): void {
    this.left = 1
  }

  async yield(): Promise<void> {
    const start = clock()
    await nextTask()
    this.now = clock()
    yielded.milliseconds += this.now - start
    this.signal?.throwIfAborted()
    this.sliceStart = this.now
  }

  /**
   * Awaits a promise, or the signal. This does not count as yielding: a promise that is already resolved continues
   * before the event loop.
   */
  wait<Result>(promise: Promise<Result>): Promise<Result> {
    this.lookNext()
    return orAbort(promise, this.signal ?? null)
  }
}

/** Closes what a run reads. After an abort, pending reads may never finish, so closing is not awaited. */
export async function releaseAll(
  signal: AbortSignal | null,
  closings: readonly (() => Soon<void> | undefined)[],
): Promise<void> {
  const all = Promise.allSettled(closings.map(async (close) => close()))
  if (signal?.aborted === true) return
  const failed = (await all).find((each) => each.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}
