// Scores of the next token of sequences: computed from the whole sequence each time, or one step at a time. Draws no
// tokens.

import { MyelinError, restate } from '../core/errors'
import { Decoding } from '../layers/attention/decoding'
import type { Program } from '../runtime/program'
import type { Pace } from '../data/pace'
import { compareSteps, comparedSteps } from './comparison'
import type { Decoder, Sequence } from './programs'
import { compileScores, scoresFrom, using } from './programs'

/** Scores the next token of sequences of equal length. */
export interface Scorer {
  /** @throws StateError for a model that it does not support */
  prepare(pace: Pace, signal: AbortSignal | null): Promise<void>
  next(sequences: readonly Sequence[]): Float32Array[]
  dispose(): void
}

/** Computes the whole sequence for each token. */
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

/** First takes all but the last known token in one pass, then one step at a time. */
export class CachedScorer implements Scorer {
  private readonly decoding: Decoding
  private step: Program | null = null
  private begun = false

  /** @param length the largest number of steps the model will see */
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

  /** Needs an earlier first pass, which decides what is cached. */
  private compileStep(): Program {
    return compileScores(this.model, [this.batch, 1], 'last', (body) => this.decoding.pass(false, 1, body))
  }

  dispose(): void {
    this.step?.dispose()
  }
}

/** Traces a model with fewer steps than the whole sequence. @throws the model's error, with advice */
function alone(body: () => Program): Program {
  try {
    return body()
  } catch (error) {
    if (error instanceof MyelinError && !error.message.includes('cache: false')) {
      restate(
        error,
        `${error.message}. generate calls the model one step at a time; pass cache: false for a model that needs several steps at once`,
      )
    }
    throw error
  }
}
