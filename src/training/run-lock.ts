// Who uses a model at the moment: one fit or one evaluate at a time. A callback of a running fit may evaluate; training goes
// on when that has ended, whether the callback waited for it or not.

import { StateError } from '../core/errors'

export class RunLock {
  private running = 0
  private listening = false
  /** Evaluations that were begun by the callback that has its turn. */
  private nested: Promise<unknown> | null = null

  constructor(private readonly owner: { toString(): string }) {}

  get isBusy(): boolean {
    return this.running > 0
  }

  /** @throws StateError while fit or evaluate runs; a callback may evaluate. */
  requireIdle(method: string): void {
    if (this.isBusy && !(this.listening && method === 'evaluate')) {
      throw new StateError(`${this.owner}: ${method} while fit or evaluate is running. Await it first.`)
    }
  }

  /** Runs the only fit or evaluate. */
  async run<Result>(body: () => Promise<Result>): Promise<Result> {
    this.running++
    try {
      return await body()
    } finally {
      this.running--
    }
  }

  /** Runs an evaluation that a callback began: after those that it began before. */
  runNested<Result>(body: () => Promise<Result>): Promise<Result> {
    const before = this.nested ?? Promise.resolve()
    const result = before.then(body, body)
    // Who began it hears of errors.
    this.nested = result.catch(() => {})
    return result
  }

  /** Gives a callback its turn. A promise where it, or an evaluation that it began, takes time. */
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
