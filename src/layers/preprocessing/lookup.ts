// What the lookups of strings and of integers share: the vocabulary, how it is learnt, and the output for a number.

import { ArgumentError, StateError, quoted } from '../../core/errors'
import {
  always,
  boolean,
  choice,
  custom,
  extent,
  integer,
  listOf,
  nullable,
  number,
  option,
  sparse,
  tableSize,
  unread,
  type Kind,
} from '../../core/options'
import { multiply } from '../../ops/numpy/elementwise'
import { Tensor } from '../../ops/tensor'
import type { BatchShape } from '../spec'
import { madeIndices } from '../indices'
import { constantsChanged } from '../weight-lists'
import { eachBatch, readAdaptOptions, type AdaptData, type AdaptOptions } from './adapted'
import { encode, encodedShape, type Encoding } from './encoding'
import { TokenCounts, Vocabulary, leadingTokens, requireVocabulary, type Specials, type Token } from './vocabulary'

/** The output of a lookup: numbers, or vectors over its vocabulary. */
export type CategoryMode = 'int' | 'tfIdf' | Encoding
export const categoryMode = /* @__PURE__ */ choice<CategoryMode>('int', 'oneHot', 'multiHot', 'count', 'tfIdf')

/** Any string, also the empty one. */
export const anyText: Kind<string> = /* @__PURE__ */ custom(
  (value, place) => {
    if (typeof value === 'string') return value
    throw new ArgumentError(`${place} must be a string, received ${quoted(value)}`)
  },
  (value) => value,
)

/** What changes the distribution of strings over buckets: one number, or two. */
type Salt = readonly [number, number]

export const saltKind: Kind<Salt, number | readonly number[]> = /* @__PURE__ */ custom<
  Salt,
  number | readonly number[]
>(
  (value, place) => {
    const [first, second = first, ...more] = Array.isArray(value) ? (value as unknown[]) : [value]
    if (more.length > 0) throw new ArgumentError(`${place} must be a number, or two, received ${quoted(value)}`)
    const read = (each: unknown): number => integer({ min: 0 }).read(each, place)
    return [read(first), read(second)]
  },
  (salt) => salt,
)

/** The options of every lookup, except its special tokens. */
const lookupRows = <T extends Token>(token: Kind<T>) => ({
  /** The maximum number of tokens, including those for padding and unknown tokens. Default null: no limit. */
  maxTokens: option(nullable(extent), null),
  /** The number of indices for tokens that are not in the vocabulary. Default 1. */
  numOovIndices: option(tableSize(0), 1),
  /** The tokens, if they are not learnt. Default null. */
  vocabulary: option(nullable(listOf(token)), null),
  /** The weight of each token in outputMode 'tfIdf'. Default null: learnt. */
  idfWeights: option(nullable(listOf(number())), null),
  /** The form of the output: 'int', 'oneHot', 'multiHot', 'count' or 'tfIdf'. Default 'int'. */
  outputMode: option(categoryMode, 'int'),
  /** Whether vectors have length maxTokens even with fewer tokens. Default false. */
  padToMaxTokens: option(boolean, false),
  /** Changes nothing: there are no sparse tensors. true warns. Default false. */
  sparse: option(sparse, false),
})
type LookupRows<T extends Token> = ReturnType<typeof lookupRows<T>>
export type LookupTable<T extends Token> = { [Name in keyof LookupRows<T>]: LookupRows<T>[Name] }
export const lookupOptions: <T extends Token>(token: Kind<T>) => LookupTable<T> = lookupRows

/** The encoding of strings in Keras's layers. */
const encodingRows = () => ({
  /** Must be 'utf-8'. */
  encoding: unread(always(['utf-8'], 'strings have no other encoding'), 'utf-8'),
})
type EncodingRows = ReturnType<typeof encodingRows>
export type EncodingTable = { [Name in keyof EncodingRows]: EncodingRows[Name] }
export const encodingOption: () => EncodingTable = encodingRows

/** The settings of a lookup. */
export interface LookupSettings<T extends Token> {
  readonly maxTokens: number | null
  readonly outputMode: CategoryMode
  readonly padToMaxTokens: boolean
  readonly vocabulary: readonly T[] | null
  readonly idfWeights: readonly number[] | null
}

/** The layer that a lookup belongs to. */
interface LookupOwner {
  readonly built: boolean
  toString(): string
}

/** A vocabulary, given or learnt, and the encoding of its numbers. */
export class Lookup<T extends Token> {
  private known: Vocabulary<T> | null = null
  private weights: Tensor | null = null
  private counts: TokenCounts<T> | null = null

  constructor(
    private readonly owner: LookupOwner,
    private readonly settings: LookupSettings<T>,
    private readonly specials: Specials<T>,
  ) {
    const { maxTokens, outputMode, padToMaxTokens, vocabulary, idfWeights } = settings
    if (padToMaxTokens && maxTokens === null)
      throw new ArgumentError(`${owner.toString()}: padToMaxTokens needs maxTokens`)
    if (idfWeights !== null && outputMode !== 'tfIdf')
      throw new ArgumentError(`${owner.toString()}: idfWeights are for outputMode 'tfIdf', received '${outputMode}'`)
    if (vocabulary !== null) this.set(vocabulary, idfWeights)
    else if (idfWeights !== null) throw new ArgumentError(`${owner.toString()}: idfWeights need a vocabulary`)
  }

  /** @throws StateError before there is a vocabulary */
  get vocabulary(): Vocabulary<T> {
    return requireVocabulary(String(this.owner), this.known)
  }

  /** All tokens by number; optionally without those for padding and unknown tokens. */
  tokens(includeSpecialTokens: boolean): readonly T[] {
    return includeSpecialTokens ? this.vocabulary.all : this.vocabulary.tokens
  }

  /** Whether the output's shape does not depend on the vocabulary. */
  private get hasFixedWidth(): boolean {
    return this.settings.outputMode === 'int' || this.settings.padToMaxTokens
  }

  /**
   * @param vocabulary tokens; the special ones may stand before them, as in `getVocabulary`
   * @param idfWeights one for each token; or, as files of Keras have them, for each number, with those of special tokens
   * @throws ArgumentError for an invalid vocabulary
   */
  set(vocabulary: readonly T[], idfWeights: readonly number[] | null = null): void {
    const {
      owner,
      specials,
      settings: { maxTokens, outputMode },
    } = this
    const leading = leadingTokens(specials)
    const isWhole =
      (idfWeights === null || idfWeights.length >= vocabulary.length) &&
      leading.every((token, i) => token === vocabulary[i])
    const tokens = isWhole ? vocabulary.slice(leading.length) : vocabulary
    const weights = (isWhole && idfWeights?.slice(leading.length, vocabulary.length)) || idfWeights
    if (outputMode === 'tfIdf' && weights === null)
      throw new ArgumentError(`${owner.toString()}: outputMode 'tfIdf' needs idfWeights with the vocabulary`)
    const made = new Vocabulary(String(owner), tokens, specials, weights)
    if (maxTokens !== null && made.size > maxTokens)
      throw new ArgumentError(
        `${owner.toString()}: the vocabulary has ${tokens.length} tokens, with the special ones ${made.size}, and maxTokens is ${maxTokens}`,
      )
    if (this.known !== null) constantsChanged(owner)
    this.known = made
    this.weights =
      weights === null
        ? null
        : new Tensor(
            Float32Array.from({ length: this.width }, (_, i) => made.allWeights[i] ?? 0),
            [this.width],
            'float32',
          )
  }

  /** `set` for users: @throws StateError if a model was built with another vocabulary size */
  replace(tokens: readonly T[], weights: readonly number[] | null): void {
    this.requireUnbuilt()
    this.set(tokens, weights)
  }

  /**
   * Learns the vocabulary: the most frequent tokens first. Replaces the former vocabulary.
   * @param rowsIn the tokens of each row of a part of the data; the second argument names the data in errors
   * @throws StateError if a model was built with another vocabulary size
   */
  async learn(
    data: AdaptData<unknown>,
    options: AdaptOptions,
    rowsIn: (part: unknown, where: string) => Iterable<readonly T[]>,
  ): Promise<void> {
    const settings = readAdaptOptions(this.owner, options)
    this.requireUnbuilt()
    this.counts = new TokenCounts()
    const where = `${this.owner.toString()}: adapt`
    await eachBatch(
      data,
      where,
      (part) => {
        for (const row of rowsIn(part, where)) this.counts!.add(row)
      },
      settings,
    )
    this.finish()
  }

  /** Ends learning: the most frequent tokens become the vocabulary. */
  private finish(): void {
    const {
      specials,
      settings: { maxTokens, outputMode },
    } = this
    const counts = this.counts!
    const special = new Set<Token>([specials.unknown, ...(specials.mask === null ? [] : [specials.mask])])
    const room = maxTokens === null ? Infinity : maxTokens - leadingTokens(specials).length
    if (room < 1) throw new ArgumentError(`${this.owner.toString()}: maxTokens ${maxTokens} leaves no room for a token`)
    const tokens = counts.mostFrequent(room, special)
    this.counts = null
    this.set(tokens, outputMode === 'tfIdf' ? tokens.map((token) => counts.inverseFrequency(token)) : null)
  }

  /** The length of a vector over all tokens. */
  get width(): number {
    const { maxTokens, padToMaxTokens } = this.settings
    return padToMaxTokens ? maxTokens! : this.vocabulary.size
  }

  encode(numbers: Tensor): Tensor {
    const { outputMode } = this.settings
    // A model that is only traced has no vocabulary yet.
    if (outputMode === 'int') return madeIndices(numbers, this.owner, this.known?.size ?? 0)
    return outputMode === 'tfIdf'
      ? multiply(encode(numbers, 'count', this.width), this.weights!)
      : encode(numbers, outputMode, this.width)
  }

  shapeOf(shape: BatchShape): BatchShape {
    const { outputMode } = this.settings
    return outputMode === 'int' ? shape : encodedShape(shape, outputMode === 'tfIdf' ? 'count' : outputMode, this.width)
  }

  /** The learnt vocabulary and weights, for the configuration. */
  get config(): { readonly vocabulary: readonly T[] | null; readonly idfWeights: readonly number[] | null } {
    return { vocabulary: this.known?.tokens ?? null, idfWeights: this.known?.weights ?? null }
  }

  private requireUnbuilt(): void {
    if (!this.owner.built || this.hasFixedWidth || this.known === null) return
    throw new StateError(
      `${this.owner.toString()}: the length of its vectors is fixed, because later layers were built for it. Adapt it before it is called, or set padToMaxTokens.`,
    )
  }
}
