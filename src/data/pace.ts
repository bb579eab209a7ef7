// How a long computation lets others run: painting, input, timers, sockets.

import { unlessAborted } from '../core/abort'
import type { Soon } from './source'

/** Resolves in a task of its own, after what the event loop has to do. */
export function nextTask(): Promise<void> {
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

/** The longest time in ms that steps run before the event loop gets its turn. */
const SLICE = 10
/** Looking at the clock costs as much as a hundredth of a small step: about this often in ms is enough, … */
const LOOK = 0.2
/** … and after so many steps, since the next one may take longer than those before. */
const MOST_UNSEEN = 64

/** How long others had their turns: what of the time since the program began was not spent computing. */
export const yielded = { milliseconds: 0 }

/** Gives the event loop its turn when a slice of time is used up. */
export class Pace {
  /** When the clock was looked at last. */
  now = performance.now()
  private sliceStart = this.now
  /** Steps between two looks, and those that are left until the next. */
  private stride = 1
  private left = 1

  constructor(private readonly signal: AbortSignal | null | undefined) {}

  /** How many steps may run before isDue is asked again. */
  get ahead(): number {
    return this.left
  }

  /** Whether the turn is due; to be asked after every step, or after several of those ahead. */
  isDue(steps = 1): boolean {
    this.left -= steps
    if (this.left > 0) return false
    const now = performance.now()
    const perStep = (now - this.now) / this.stride
    this.stride = Math.max(1, Math.min(MOST_UNSEEN, Math.floor(LOOK / perStep)))
    this.left = this.stride
    this.now = now
    return now - this.sliceStart >= SLICE
  }

  /** Has the clock looked at after the next step: something else than steps took its time. */
  lookNext(): void {
    this.left = 1
  }

  async yield(): Promise<void> {
    const start = performance.now()
    await nextTask()
    this.now = performance.now()
    yielded.milliseconds += this.now - start
    this.signal?.throwIfAborted()
    this.sliceStart = this.now
  }

  /**
   * Waits for what others do, or for the signal. That the event loop had a turn meanwhile is not said: what is there at once comes
   * before it.
   */
  wait<Result>(promise: Promise<Result>): Promise<Result> {
    this.lookNext()
    return unlessAborted(promise, this.signal ?? null)
  }
}

/** Lets go of what a run reads. What an aborted run waits for may never come, so that nobody waits for its end. */
export async function letGo(
  signal: AbortSignal | undefined,
  closings: readonly (() => Soon<void> | undefined)[],
): Promise<void> {
  const all = Promise.allSettled(closings.map(async (close) => close()))
  if (signal?.aborted === true) return
  const failed = (await all).find((each) => each.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}
