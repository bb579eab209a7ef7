// How a long computation lets others run: painting, input, timers, sockets.

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

/** Gives the event loop its turn when a slice of time is used up. */
export class Pace {
  private sliceStart = performance.now()
  constructor(private readonly signal: AbortSignal | undefined) {}

  /** Whether the turn is due; asked after every step. */
  isDue(now: number): boolean {
    return now - this.sliceStart >= SLICE
  }

  async yield(): Promise<void> {
    await nextTask()
    this.signal?.throwIfAborted()
    this.sliceStart = performance.now()
  }
}
