// Scores texts that grow, also where the rotations of a model change with the length of a text.

import type { BeamScorer } from '../generation/beams'
import { Decoding } from '../generation/decoding'
import type { Decoder, Sequence } from '../generation/programs'

/** What a TextDecoding is made for. */
export interface TextDecodingOptions {
  /** The number of sequences. */
  readonly batch: number
  /** The largest number of steps. */
  readonly capacity: number
  /** Texts of more steps have other rotations; Infinity for models whose rotations are always the same. */
  readonly originalLength: number
}

/**
 * A Decoding, and another one in its place when a text becomes longer than the original length of LongRoPE: the rotations of all its steps
 * are then others, so that no step is kept, as in transformers.
 */
export class TextDecoding implements BeamScorer {
  private decoding: Decoding | null = null

  constructor(
    private readonly model: Decoder,
    private readonly options: TextDecodingOptions,
  ) {}

  get batch(): number {
    return this.options.batch
  }

  /** Whether the programs are those of the model as it is now, and are for texts of this length. */
  fits(length: number): boolean {
    const { decoding, options } = this
    return length <= options.capacity && (decoding?.fits(Math.min(length, decoding.capacity)) ?? true)
  }

  next(sequences: readonly Sequence[]): Promise<Float32Array[]> {
    return this.decodingFor(sequences[0]!.length).next(sequences)
  }

  reorder(from: readonly number[]): void {
    this.decoding?.reorder(from)
  }

  private decodingFor(length: number): Decoding {
    const { batch, capacity, originalLength } = this.options
    const most = length > originalLength ? capacity : Math.min(capacity, originalLength)
    if (this.decoding?.capacity === most) return this.decoding
    void this.decoding?.dispose()
    return (this.decoding = new Decoding(this.model, batch, most))
  }

  async dispose(): Promise<void> {
    const { decoding } = this
    this.decoding = null
    await decoding?.dispose()
  }
}
