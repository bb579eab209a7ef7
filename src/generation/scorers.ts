// Scores of the next token of sequences: computed from the whole sequence each time, or one step at a time. Draws no
// tokens.

import { MyelinError, restate } from '../core/errors'
import { CPU, deviceOf } from '../engine/runtime/accelerator'
import type { Program } from '../engine/runtime/program'
import { compile } from '../engine/runtime/runtime'
import type { Traced } from '../ops/trace'
import { Causality } from './causality'
import type { Traces } from './growth'
import { compileScores, scoresFrom, takeSteps, traceScores, using, type Decoder, type Sequence } from './programs'
import { Stepper } from './stepper'

/** Scores the next token of sequences of equal length. */
export interface Scorer {
  next(sequences: readonly Sequence[]): Promise<Float32Array[]>
  dispose(): void | Promise<void>
}

/** Computes the whole sequence for each token: on the CPU, because each length is another program. */
export class WholeScorer implements Scorer {
  constructor(private readonly model: Decoder) {}

  next(sequences: readonly Sequence[]): Promise<Float32Array[]> {
    return using(compileScores(this.model, [sequences.length, sequences[0]!.length]), (program) =>
      scoresFrom(CPU, program, sequences),
    )
  }

  dispose(): void {}
}

/** The fewest steps for which a model is traced: ops of a single step may be others. */
export const FEWEST_STEPS = 2

/** First takes all but the last known token in one pass, then one step at a time. */
export class CachedScorer implements Scorer {
  private readonly stepper: Stepper
  private readonly step: Program
  private readonly traces: Traces
  private readonly runtime: Traced['runtime']
  private readonly device = deviceOf(this)
  private isBegun = false

  /**
   * @param length the largest number of steps the model will see, more than FEWEST_STEPS
   * @param first the number of steps to take at once; 0 if there are fewer than FEWEST_STEPS
   * @throws StateError for a model that cannot be computed one step at a time
   */
  constructor(
    model: Decoder,
    batch: number,
    length: number,
    private readonly first: number,
  ) {
    const fewer = Math.max(FEWEST_STEPS, first)
    const long = traceScores(model, [batch, length], length)
    const short = apart(() => traceScores(model, [batch, fewer], length))
    const traces: Traces = { model: `${model}`, long: long.graph, short: short.graph, steps: [length, fewer] }
    this.traces = traces
    this.runtime = long.runtime
    this.stepper = new Stepper(new Causality(traces, long.runtime, Math.max(1, first)), traces)
    this.step = compile(this.runtime, this.stepper.step)
  }

  async next(sequences: readonly Sequence[]): Promise<Float32Array[]> {
    const { device, step: program } = this
    const known = sequences[0]!.length
    if (!this.isBegun) {
      this.isBegun = true
      const part = (from: number, to: number): Sequence[] => sequences.map((sequence) => sequence.slice(from, to))
      if (this.first > 0)
        await using(compile(this.runtime, this.stepper.first(this.traces)), (first) =>
          takeSteps(device, first, part(0, this.first), [], nothing),
        )
      for (let step = this.first; step < known - 1; step++)
        await takeSteps(device, program, part(step, step + 1), [step], nothing)
    }
    return scoresFrom(
      device,
      program,
      sequences.map((sequence) => sequence.slice(known - 1)),
      [known - 1],
    )
  }

  async dispose(): Promise<void> {
    await this.device.release()
    this.step.dispose()
    this.stepper.dispose()
  }
}

const nothing = (): void => undefined

/** Traces a model with fewer steps than the whole sequence. @throws the model's error, with advice */
function apart<Result>(body: () => Result): Result {
  try {
    return body()
  } catch (error) {
    if (error instanceof MyelinError) {
      restate(
        error,
        `${error.message}. generate computes the steps of the prompt without its last one; pass cache: false for a model that needs more steps at once`,
      )
    }
    throw error
  }
}
