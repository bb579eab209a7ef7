// What a model says of sequences, behind their last step: computed anew each time, or one step at a time. Draws nothing.

import { MyelinError, restate } from '../core/errors'
import { Decoding } from '../layers/attention/decoding'
import type { Program } from '../runtime/program'
import type { Pace } from '../training/pace'
import { compareSteps, comparedSteps } from './comparison'
import type { Decoder, Sequence } from './programs'
import { compileScores, scoresFrom, using } from './programs'

/** Says of sequences, all equally long, how likely each token is next. */
export interface Scorer {
  /** @throws StateError for a model that it cannot serve */
  prepare(pace: Pace, signal: AbortSignal | null): Promise<void>
  next(sequences: readonly Sequence[]): Float32Array[]
  dispose(): void
}

/** Everything anew for each token. */
export class WholeScorer implements Scorer {
  constructor(private readonly model: Decoder) {}

  async prepare(): Promise<void> {}

  next(sequences: readonly Sequence[]): Float32Array[] {
    return using(compileScores(this.model, [sequences.length, sequences[0]!.length], 'last'), (program) =>
      scoresFrom(program, sequences),
    )
  }

  dispose(): void {}
}

/** A pass over all but the last token of what is known first, then one step after another. */
export class CachedScorer implements Scorer {
  private readonly decoding: Decoding
  private step: Program | null = null
  private begun = false

  /** @param length the most steps that the model will see */
  constructor(
    private readonly model: Decoder,
    private readonly batch: number,
    private readonly length: number,
  ) {
    this.decoding = new Decoding(length)
  }

  async prepare(pace: Pace, signal: AbortSignal | null): Promise<void> {
    const { model, batch, length } = this
    const from = comparedSteps(model)
    if (length <= from) return
    const programs = [compileScores(model, [1, length], 'all')]
    try {
      programs.push(alone(() => this.compileFirst(from)))
      this.step = alone(() => this.compileStep())
      await compareSteps(
        model,
        { batch, from, length, whole: programs[0]!, first: programs[1]!, step: this.step },
        pace,
        signal,
      )
    } finally {
      programs.forEach((program) => program.dispose())
    }
  }

  next(sequences: readonly Sequence[]): Float32Array[] {
    const known = sequences[0]!.length
    if (!this.begun) {
      this.begun = true
      const first = sequences.map((sequence) => sequence.slice(0, Math.max(1, known - 1)))
      const rows = using(this.compileFirst(first[0]!.length), (program) => scoresFrom(program, first))
      if (known === 1) return rows
    }
    this.step ??= this.compileStep()
    return scoresFrom(
      this.step,
      sequences.map((sequence) => sequence.slice(known - 1)),
    )
  }

  private compileFirst(steps: number): Program {
    return compileScores(this.model, [this.batch, steps], 'last', (body) => this.decoding.pass(true, steps, body))
  }

  /** Behind a first pass, which says what is kept. */
  private compileStep(): Program {
    return compileScores(this.model, [this.batch, 1], 'last', (body) => this.decoding.pass(false, 1, body))
  }

  dispose(): void {
    this.step?.dispose()
  }
}

/** Traces few steps of a model which can do with many. @throws what it throws, and what to do */
function alone(body: () => Program): Program {
  try {
    return body()
  } catch (error) {
    if (error instanceof MyelinError && !error.message.includes('cache: false')) {
      restate(
        error,
        `${error.message}. generate shows a model its steps one after another; pass cache: false for one that takes several together`,
      )
    }
    throw error
  }
}
