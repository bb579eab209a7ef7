// The lock of a model: one fit or one evaluate at a time. A callback of a running fit may evaluate; training continues
// when the evaluation has ended, whether or not the callback awaited it.

import { StateError } from '../core/errors'

export class RunLock {
  private phase: 'idle' | 'preparing' | 'stepping' = 'idle'
  private listening = false
  /** Evaluations begun by the current callback. */
  private nested: Promise<unknown> | null = null

  constructor(private readonly owner: { toString(): string }) {}

  get isBusy(): boolean {
    return this.phase !== 'idle'
  }

  /** Whether the steps of a run have begun. Before that, the model may still be built for the data. */
  get isStepping(): boolean {
    return this.phase === 'stepping'
  }

  /** @throws StateError while fit or evaluate runs; a callback may evaluate. */
  requireIdle(method: string): void {
    if (this.isBusy && !(this.listening && method === 'evaluate')) {
      throw new StateError(`${this.owner}: ${method} while fit or evaluate is running. Await it first.`)
    }
  }

  /** Runs a fit or evaluate exclusively: first its preparation, then its steps. */
  async run<Ready, Result>(prepare: () => Promise<Ready>, body: (ready: Ready) => Promise<Result>): Promise<Result> {
    this.phase = 'preparing'
    try {
      const ready = await prepare()
      this.phase = 'stepping'
      return await body(ready)
    } finally {
      this.phase = 'idle'
    }
  }

  /** Runs an evaluation that a callback began, after its earlier ones. */
  runNested<Result>(body: () => Promise<Result>): Promise<Result> {
    const before = this.nested ?? Promise.resolve()
    const result = before.then(body, body)
    // The caller of the evaluation handles its errors.
    this.nested = result.catch(() => {})
    return result
  }

  /** Calls a callback. Returns a promise if the callback, or an evaluation that it began, is asynchronous. */
  listen(event: () => void | Promise<void>): Promise<void> | undefined {
    this.listening = true
    let answer: void | Promise<void>
    try {
      answer = event()
    } catch (error) {
      this.listening = false
      throw error
    }
    if (answer === undefined && this.nested === null) {
      this.listening = false
      return undefined
    }
    return this.finish(answer)
  }

  private async finish(answer: void | Promise<void>): Promise<void> {
    try {
      await answer
    } finally {
      while (this.nested !== null) {
        const { nested } = this
        await nested
        if (this.nested === nested) this.nested = null
      }
      this.listening = false
    }
  }
}
