// The callbacks of a run of fit, by what its loop asks of them: to be told of events, to limit steps, to save the run, to end it.

import { ArgumentError, type NonFiniteError } from '../core/errors'
import type { Pace } from '../data/samples/pace'
import {
  listensTo,
  type CallbackMethods,
  type Interruption,
  type NextStep,
  type NextTest,
  type Run,
  type RunKeeper,
} from './callbacks/callback'
import { progress, type ProgressBar } from './callbacks/progress'
import { Listeners } from './listeners'
import type { FitSettings } from './options'
import type { RunLock } from './run-lock'
import type { TrainedModel } from './step'

export class FitCallbacks {
  readonly progress: ProgressBar | null
  readonly listeners: Listeners
  /** Whether a callback listens to the events of batches. */
  readonly perBatch: boolean
  /** Whether a callback limits the number of steps. */
  readonly limitsSteps: boolean
  /** Ends the run: the user's signal, or one of those of callbacks. */
  readonly signal: AbortSignal | null
  private readonly keepers: readonly RunKeeper[]
  private readonly interruptions: readonly Interruption[]

  /** @param all the callbacks of the user, and the History; the progress bar is another listener */
  constructor(
    readonly all: readonly CallbackMethods[],
    model: TrainedModel,
    private readonly lock: RunLock,
    private readonly pace: Pace,
    { signal, verbose, epochs }: Pick<FitSettings, 'signal' | 'verbose' | 'epochs'>,
    steps: number | null,
  ) {
    this.progress = verbose === 0 ? null : progress.make()
    this.listeners = new Listeners([...(this.progress === null ? [] : [this.progress]), ...all], model, (event) =>
      lock.listen(event),
    )
    this.perBatch = all.some((each) => listensTo(each, 'onTrainBatchBegin', 'onTrainBatchEnd'))
    this.limitsSteps = all.some(({ stepsAhead }) => stepsAhead !== undefined)
    this.keepers = all.flatMap(({ keeper }) => keeper ?? [])
    this.listeners.introduce({ epochs, steps, verbose })
    // Last, because what began must be ended, and the callbacks of users may throw.
    this.interruptions = all.flatMap(({ interruption }) => interruption ?? [])
    this.signal = this.interruptions.reduce((before, each) => each.begin(before), signal)
  }

  /** Whether a callback ended the run from outside, so that it can be resumed. */
  get isInterrupted(): boolean {
    return this.interruptions.some(({ isOn }) => isOn)
  }

  /** Calls all listeners. They may take any time. */
  tell(event: Parameters<Listeners['tell']>[0]): Promise<void> | undefined {
    this.pace.lookNext()
    return this.listeners.tell(event)
  }

  /** Lets callbacks resume a run that they saved. */
  async takeUp(run: Run): Promise<void> {
    for (const keeper of this.keepers) await this.lock.listen(() => keeper.takeUp(run))
  }

  /** Whether a callback saves the run after this number of steps. */
  keepsAt(step: number): boolean {
    return this.keepers.some(({ every }) => every !== null && step % every === 0)
  }

  /** Lets callbacks save the run: those that save after this number of steps, or all of them. They may take any time. */
  async keep(run: Run, step: number | null = null): Promise<void> {
    for (const keeper of this.keepers) {
      const { every } = keeper
      if (step === null || (every !== null && step % every === 0)) await this.lock.listen(() => keeper.keep(run))
    }
    this.pace.lookNext()
  }

  /** Whether a callback reads weights after the step that ends now. */
  get readsWeights(): boolean {
    return this.all.some(({ readsWeights }) => readsWeights === true)
  }

  /** The number of steps after `step` before the run is saved next. */
  stepsUntilKept(step: number): number {
    return this.keepers.reduce(
      (least, { every }) => (every === null ? least : Math.min(least, every - (step % every))),
      Infinity,
    )
  }

  /** The number of steps like the next one that all callbacks allow; 0 ends training. */
  stepsAhead(next: NextStep): number {
    return this.all.reduce((least, callback) => {
      if (callback.stepsAhead === undefined) return least
      const limit: unknown = callback.stepsAhead(next)
      if (typeof limit === 'number' && limit >= 0) return Math.min(least, Math.floor(limit))
      throw new ArgumentError(`stepsAhead of a callback must return a number ≥ 0, received ${String(limit)}`)
    }, Infinity)
  }

  /** Whether all callbacks allow a pass of validation. `next` is called if one of them wants to know it; null allows. */
  async allowTest(next: () => Promise<NextTest | null>): Promise<boolean> {
    const judges = this.all.filter(({ allowsTest }) => allowsTest !== undefined)
    if (judges.length === 0) return true
    const test = await next()
    return test === null || judges.every((each) => each.allowsTest!(test))
  }

  /** Reports a step that is not finite. @returns whether a callback takes care of it */
  reportNonFinite(error: NonFiniteError): boolean {
    const caring = this.all.filter(({ onNonFinite }) => onNonFinite !== undefined)
    for (const callback of caring) callback.onNonFinite!(error)
    return caring.length > 0
  }

  /** Releases the callbacks for other runs. */
  release(): void {
    this.listeners.release()
    for (const each of this.interruptions) each.end()
  }
}
