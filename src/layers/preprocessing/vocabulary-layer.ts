// The base of layers that map strings to numbers of a vocabulary.

import type { Config } from '../../core/registry'
import { sizeOf } from '../../core/shapes'
import type { NestedStrings, StringTensor } from '../../ops/strings'
import { toStrings } from '../../ops/strings'
import type { Tensor } from '../../ops/tensor'
import type { AdaptData, AdaptOptions } from './adapted'
import { eachBatch, readAdaptOptions } from './adapted'
import type { Lookup } from './lookup'
import { requireUnbuilt } from './lookup'
import { StringLayer } from './string-layer'

/** The rows of strings: the strings of each sample. */
export function rowsOf({ strings, shape }: StringTensor): readonly (readonly string[])[] {
  const width = sizeOf(shape.slice(1))
  return Array.from({ length: shape[0] ?? 1 }, (_, i) => strings.slice(i * width, (i + 1) * width))
}

export abstract class VocabularyLayer extends StringLayer {
  protected abstract readonly lookup: Lookup<string>

  /** The tokens of each row. */
  protected abstract tokensOf(strings: StringTensor): readonly (readonly string[])[]

  /** Learns the vocabulary: the most frequent tokens first. Replaces the former vocabulary. */
  async adapt(data: AdaptData<NestedStrings>, options: AdaptOptions = {}): Promise<void> {
    const settings = readAdaptOptions(this, options)
    requireUnbuilt(this, this.lookup)
    this.lookup.reset()
    await eachBatch(
      data,
      `${this}: adapt`,
      (part) => {
        for (const row of this.tokensOf(toStrings(typeof part === 'string' ? [part] : part, `${this}: adapt`)))
          this.lookup.count(row)
      },
      settings,
    )
    this.lookup.finish()
  }

  /** All tokens by number; optionally without those for padding and unknown tokens. */
  getVocabulary(includeSpecialTokens = true): readonly string[] {
    const { vocabulary } = this.lookup
    return includeSpecialTokens ? vocabulary.all : vocabulary.tokens
  }

  /** Replaces the vocabulary. */
  setVocabulary(tokens: readonly string[], idfWeights: readonly number[] | null = null): void {
    requireUnbuilt(this, this.lookup)
    this.lookup.set(tokens, idfWeights)
  }

  /** The number of tokens, including special ones. */
  vocabularySize(): number {
    return this.lookup.vocabulary.size
  }

  protected encode(numbers: Tensor): Tensor {
    return this.lookup.encode(numbers)
  }

  override getConfig(): Config {
    return { ...super.getConfig(), ...this.lookup.config }
  }
}
