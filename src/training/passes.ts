// The passes over the data that a run of fit makes: one for each epoch, or one for several epochs of `stepsPerEpoch` steps.

import { warn } from '../core/warnings'
import type { Pace } from '../data/samples/pace'
import { isPromise, type Soon } from '../core/soon'
import type { Program } from '../engine/runtime/program'
import type { Probe } from './probes'
import type { Runner } from './runner'

/** The seed of the order of rows, and the number of passes drawn from it. */
export interface ShuffleState {
  seed: number
  epoch: number
}

export class Passes {
  /** The number of steps of an epoch: `stepsPerEpoch`, or Infinity for all of a pass. */
  readonly mostSteps: number
  /** Whether the pass of the next epoch has begun. */
  private isBegun = false
  private warned = false

  constructor(
    private readonly runner: Runner,
    private readonly shuffleState: ShuffleState,
    private readonly pace: Pace,
    stepsPerEpoch: number | null,
  ) {
    this.mostSteps = stepsPerEpoch ?? Infinity
  }

  /** The program of the next step, or null at the end of the pass. Stops waiting for a batch if the run is aborted. */
  upcoming(probes?: readonly Probe[]): Soon<Program | null> {
    const upcoming = this.runner.upcoming(probes)
    return isPromise(upcoming) ? this.pace.wait(upcoming) : upcoming
  }

  /** Begins the pass of the next epoch, unless that epoch continues the last pass, as with `stepsPerEpoch`. */
  async begin(): Promise<void> {
    const { runner, shuffleState } = this
    // For a stream, only reading shows whether there is another batch.
    const isUnderWay =
      this.isBegun || (this.mostSteps < Infinity && runner.isWithin && (await this.upcoming()) !== null)
    this.isBegun = true
    if (!isUnderWay) await runner.begin({ seed: shuffleState.seed, epoch: shuffleState.epoch++ })
  }

  /** Begins the pass if it has not begun, for the epoch that runs now. */
  async beginEpoch(): Promise<void> {
    await this.begin()
    this.isBegun = false
  }

  /** The next epoch resumes at this step of it: in the middle of the current pass, or before another one. */
  resumeAt(step: number): void {
    this.isBegun = step > 0
  }

  /** Warns once that a pass ended before an epoch did. */
  warnOfEnd(steps: number): void {
    if (this.warned || this.mostSteps === Infinity) return
    this.warned = true
    warn(
      `fit: the data ended after ${steps} steps, before the ${this.mostSteps} of stepsPerEpoch. Use repeat() to read them again.`,
    )
  }
}
