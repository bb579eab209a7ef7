// TextVectorization: texts to numbers of words, or to vectors over a vocabulary.

import { merged } from '../../core/merged'
import { ArgumentError, DataError, quoted } from '../../core/errors'
import {
  always,
  boolean,
  configured,
  custom,
  extent,
  functionKind,
  integer,
  listOf,
  nullable,
  number,
  option,
  sparse,
  type Kind,
} from '../../core/options'
import { customFunction, type Config } from '../../core/registry'
import type { NestedStrings, StringTensor } from '../../ops/strings'
import { Tensor } from '../../ops/tensor'
import type { BatchShape } from '../spec'
import { bucketOf } from './fingerprint'
import { Lookup, anyText, categoryMode, encodingOption, type CategoryMode } from './lookup'
import type { AdaptData, AdaptOptions } from './adapted'
import { StringLayer, adaptedStrings, requireRows, rowsOf } from './string-layer'
import type { LayerTraits } from '../traits'

/** A keyword for a step of text processing, or a function. */
type TextFunction<Word extends string, Result> = Word | ((text: string) => Result)

/** A keyword, a function, or the name of a function in the scopes of custom objects. */
function wordOrFunction<Word extends string, Result>(
  words: readonly Word[],
): Kind<TextFunction<Word, Result>, Word | (string & {}) | ((text: string) => Result)> {
  const ofOwn = functionKind<(text: string) => Result>('of texts')
  return custom(
    (value, place) => {
      if (customFunction(value) !== null) return ofOwn.read(value, place)
      const found = words.find(
        (word) => typeof value === 'string' && word.toLowerCase() === value.replaceAll('_', '').toLowerCase(),
      )
      if (found !== undefined) return found
      throw new ArgumentError(
        `${place} must be ${words.map(quoted).join(' or ')}, or a function, received ${quoted(value)}`,
      )
    },
    (value) => (typeof value === 'function' ? ofOwn.write(value) : value),
  )
}

const STANDARDIZE = ['lowerAndStripPunctuation', 'lower', 'stripPunctuation'] as const
const SPLIT = ['whitespace', 'character'] as const

/** A text of n words has up to 100 n of these n-grams, so that their length is proportional to that of the text. */
const ngramSize = /* @__PURE__ */ integer({ min: 1, max: 100 })

const PUNCTUATION = /[!"#$%&()*+,\-./:;<=>?@[\\\]^_`{|}~']/g

const TextVectorizationBase = configured(
  StringLayer,
  () =>
    merged(
      {
        /** The maximum number of tokens, including those for padding and unknown tokens. Default null: no limit. */
        maxTokens: option(nullable(extent), null),
        /** 'lowerAndStripPunctuation', 'lower', 'stripPunctuation', a function of the text, or null. Default the first. */
        standardize: option(
          nullable(wordOrFunction<(typeof STANDARDIZE)[number], string>(STANDARDIZE)),
          'lowerAndStripPunctuation',
        ),
        /**
         * 'whitespace', 'character', a function from the text to its words, or null: the text is one word. Default
         * 'whitespace'.
         */
        split: option(nullable(wordOrFunction<(typeof SPLIT)[number], readonly string[]>(SPLIT)), 'whitespace'),
        /** The sizes of n-grams, up to 100: 2 is words and pairs, [2] pairs only. Default null: words. */
        ngrams: option(
          nullable(
            custom<number | readonly number[]>(
              (value, place) =>
                Array.isArray(value) ? listOf(ngramSize).read(value, place) : ngramSize.read(value, place),
              (value) => (typeof value === 'number' ? value : [...value]),
            ),
          ),
          null,
        ),
        /** The form of the output: 'int', 'multiHot', 'count' or 'tfIdf'. Default 'int'. */
        outputMode: option(categoryMode, 'int'),
        /** The length of every row of numbers: longer ones are cut. Default null. */
        outputSequenceLength: option(nullable(extent), null),
        /** Whether vectors have length maxTokens even with fewer tokens. Default false. */
        padToMaxTokens: option(boolean, false),
      },
      encodingOption(),
      {
        /** Changes nothing: there are no sparse tensors. true warns. Default false. */
        sparse: option(sparse, false),
        /** Must be false, as in Keras on JAX. */
        ragged: option(always([false], 'there are no ragged tensors. Rows are padded with 0.'), false),
        /** The tokens, if they are not learnt. Default null. */
        vocabulary: option(nullable(listOf(anyText)), null),
        /** The weight of each token in outputMode 'tfIdf'. Default null: learnt. */
        idfWeights: option(nullable(listOf(number())), null),
      },
    ),
  [
    'maxTokens',
    'standardize',
    'split',
    'ngrams',
    'outputMode',
    'outputSequenceLength',
    'padToMaxTokens',
    'vocabulary',
    'idfWeights',
  ],
)

/**
 * Texts → numbers of their words. A text is standardized (lower case, no punctuation), split at white space, and each
 * word, or each n-gram, gets its number: 0 is padding, 1 an unknown word, 2 the most frequent word. [batch] or [batch,
 * 1] texts → int32 [batch, words], padded with 0; or float32 [batch, vocabulary] in the other modes.
 *
 *   const vectorize = new TextVectorization({ maxTokens: 20000, outputSequenceLength: 100 })
 *   await vectorize.adapt(texts)
 *   const model = new Sequential([Input({ shape: [1], dtype: 'string' }), vectorize, new Embedding({ … }), …])
 *   await model.fit(texts, labels)
 *
 * Without outputSequenceLength, rows are as long as the longest text that is read at once: of an array, or of a batch.
 *
 * Keras: `keras.layers.TextVectorization`, which lower-cases ASCII letters only and splits at ASCII white space only. Here
 * both are those of Unicode: É becomes é, and words may be separated by a no-break space. Punctuation is ASCII in both.
 */
export class TextVectorization extends TextVectorizationBase {
  static readonly className = 'TextVectorization'
  /** @internal */
  static override readonly traits: LayerTraits<TextVectorization> = {
    outputDtype: (layer) => ((layer.outputMode as CategoryMode) === 'int' ? 'int32' : 'float32'),
  }
  private readonly lookup = new Lookup<string>(this, this, {
    mask: '',
    isMaskNumbered: this.outputMode === 'int',
    unknowns: 1,
    unknown: '[UNK]',
  })

  protected override checkOptions(): void {
    super.checkOptions()
    const { outputMode, outputSequenceLength } = this
    if (outputMode === 'oneHot')
      throw new ArgumentError(`${this}: outputMode must be 'int', 'multiHot', 'count' or 'tfIdf'`)
    if (outputSequenceLength !== null && outputMode !== 'int')
      throw new ArgumentError(`${this}: outputSequenceLength is only for outputMode 'int'`)
  }

  /** Learns the vocabulary: the most frequent tokens first. Replaces the former vocabulary. */
  async adapt(data: AdaptData<NestedStrings>, options: AdaptOptions = {}): Promise<void> {
    await this.lookup.learn(data, options, (part, where) => this.tokensOf(adaptedStrings(part, where)))
  }

  /** All tokens by number; optionally without those for padding and unknown tokens. */
  getVocabulary(includeSpecialTokens = true): readonly string[] {
    return this.lookup.tokens(includeSpecialTokens)
  }

  /** Replaces the vocabulary. */
  setVocabulary(tokens: readonly string[], idfWeights: readonly number[] | null = null): void {
    this.lookup.replace(tokens, idfWeights)
  }

  /** The number of tokens, including special ones. */
  vocabularySize(): number {
    return this.lookup.vocabulary.size
  }

  /** The tokens of each text. */
  private tokensOf(strings: StringTensor): readonly (readonly string[])[] {
    requireRows(String(this), strings.shape)
    return rowsOf(strings).map((row) => row.flatMap((each) => this.ngramsOf(this.wordsOf(this.plain(each)))))
  }

  private plain(value: string): string {
    const { standardize } = this
    if (standardize === null) return value
    if (typeof standardize === 'function') {
      const made: unknown = standardize(value)
      if (typeof made === 'string') return made
      throw new DataError(`${this}: standardize must give a string, received ${quoted(made)}`)
    }
    const low = standardize === 'stripPunctuation' ? value : value.toLowerCase()
    return standardize === 'lower' ? low : low.replace(PUNCTUATION, '')
  }

  private wordsOf(value: string): readonly string[] {
    const { split } = this
    if (split === null) return [value]
    if (split === 'character') return [...value]
    if (split === 'whitespace') return value.split(/\s+/).filter((word) => word !== '')
    const made: unknown = split(value)
    if (Array.isArray(made) && made.every((word) => typeof word === 'string')) return made
    throw new DataError(`${this}: split must give a list of strings, received ${quoted(made)}`)
  }

  private ngramsOf(words: readonly string[]): readonly string[] {
    const { ngrams } = this
    if (ngrams === null) return words
    const sizes =
      typeof ngrams === 'number' ? Array.from({ length: Math.min(ngrams, words.length) }, (_, i) => i + 1) : ngrams
    return sizes.flatMap((size) =>
      Array.from({ length: Math.max(0, words.length - size + 1) }, (_, i) => words.slice(i, i + size).join(' ')),
    )
  }

  readStrings(strings: StringTensor): Tensor {
    const { vocabulary } = this.lookup
    const place = String(this)
    const rows = this.tokensOf(strings)
    const width = this.outputSequenceLength ?? Math.max(1, ...rows.map(({ length }) => length))
    // Padding does not count.
    const numbers = new Int32Array(rows.length * width).fill(this.outputMode === 'int' ? 0 : -1)
    rows.forEach((tokens, row) => {
      const most = Math.min(width, tokens.length)
      for (let i = 0; i < most; i++) numbers[row * width + i] = vocabulary.numberOf(tokens[i]!, place, bucketOf)
    })
    return new Tensor(numbers, [rows.length, width], 'int32')
  }

  /** @internal */
  readShape([batch = null]: BatchShape): BatchShape {
    return [batch, this.outputSequenceLength]
  }

  override computeOutputShape(shape: BatchShape): BatchShape {
    requireRows(String(this), shape)
    return this.lookup.shapeOf(this.readShape(shape))
  }

  protected encode(numbers: Tensor): Tensor {
    return this.lookup.encode(numbers)
  }

  override getConfig(): Config {
    return { ...super.getConfig(), ...this.lookup.config }
  }
}
