// The listeners of a run of fit, evaluate or predict, and how they are called.

import { ArgumentError } from '../core/errors'
import { classNameOf } from '../core/registry'
import {
  Callback,
  listensTo,
  type CallbackMethods,
  type Event as ListenedEvent,
  type FitParams,
} from './callbacks/callback'
import type { TrainedModel } from './step'

/** Callbacks in use by a run, with their model. */
const inUse = new WeakMap<CallbackMethods, TrainedModel>()

/** @throws ArgumentError for a Callback that another run uses, or that is twice in the list: it has only one model */
function requireFree(callbacks: readonly CallbackMethods[]): void {
  for (const [i, callback] of callbacks.entries()) {
    if (!(callback instanceof Callback)) continue
    const name = classNameOf(callback)
    if (callbacks.indexOf(callback) < i) throw new ArgumentError(`callbacks: the same ${name} is there twice`)
    const user = inUse.get(callback)
    if (user !== undefined)
      throw new ArgumentError(
        `callbacks: this ${name} is in use by the fit of ${user}, which is running. Make one for each fit.`,
      )
  }
}

type Event = (callback: CallbackMethods) => void | Promise<void>
/** Calls one listener. */
type Notify = (event: () => void | Promise<void>) => void | Promise<void>

export class Listeners {
  /** @param turn calls a listener through the lock of a run, so that it may use the model */
  constructor(
    readonly callbacks: readonly CallbackMethods[],
    private readonly model: TrainedModel,
    private readonly turn: Notify = (event) => event(),
  ) {
    requireFree(callbacks)
  }

  /** Runs evaluate or predict. Its callbacks are marked as in use while it runs. */
  async during<Result>(params: FitParams, body: () => Promise<Result>): Promise<Result> {
    this.introduce(params)
    this.hold()
    try {
      return await body()
    } finally {
      this.release()
    }
  }

  introduce(params: FitParams): void {
    for (const callback of this.callbacks) {
      callback.setModel?.(this.model)
      callback.setParams?.(params)
    }
  }

  /** Marks the callbacks as in use, until `release`. */
  hold(): void {
    for (const callback of this.callbacks) inUse.set(callback, this.model)
  }

  release(): void {
    for (const callback of this.callbacks) inUse.delete(callback)
  }

  /** Whether any callback listens to one of these events. */
  hear(...events: readonly ListenedEvent[]): boolean {
    return this.callbacks.some((callback) => listensTo(callback, ...events))
  }

  /**
   * Calls all listeners, one after the other. They may use the model. Nothing is awaited if they return at once, as most
   * do.
   */
  tell(event: Event, first = 0): Promise<void> | undefined {
    for (let i = first; i < this.callbacks.length; i++) {
      const answer = this.turn(() => event(this.callbacks[i]!))
      if (answer !== undefined) return answer.then(() => this.tell(event, i + 1))
    }
    return undefined
  }
}
