// What the lookups of strings and of integers have in common: the vocabulary, how it is learnt, and what is given for a number.

import { ArgumentError, StateError, quoted } from '../../core/errors'
import { boolean, choice, count, custom, listOf, nullable, number, option, tableSize } from '../../core/options'
import type { Kind } from '../../core/options'
import { multiply } from '../../ops/elementwise'
import { Tensor } from '../../ops/tensor'
import { structure } from '../../ops/variable'
import type { BatchShape } from '../spec'
import type { Encoding } from './encoding'
import { encode, encodedShape } from './encoding'
import type { Specials, Token } from './vocabulary'
import { TokenCounts, Vocabulary, leadingTokens, requireVocabulary } from './vocabulary'

/** What a lookup gives: numbers, or vectors over its vocabulary. */
export type CategoryMode = 'int' | 'tfIdf' | Encoding
export const categoryMode = /* @__PURE__ */ choice<CategoryMode>('int', 'oneHot', 'multiHot', 'count', 'tfIdf')

/** Any text, the empty one too. */
export const anyText: Kind<string> = /* @__PURE__ */ custom(
  (value, place) => {
    if (typeof value === 'string') return value
    throw new ArgumentError(`${place} must be a string, received ${quoted(value)}`)
  },
  (value) => value,
)

/** The options of every lookup, beside its special tokens. */
export const lookupOptions = <T extends Token>(token: Kind<T>) => ({
  /** The most numbers there are, those of padding and of the unknown among them. Default null: any. */
  maxTokens: option(nullable(count), null),
  /** How many numbers there are for tokens that are not in the vocabulary. Default 1. */
  numOovIndices: option(tableSize(0), 1),
  /** The tokens, where they need not be learnt. Default null. */
  vocabulary: option(nullable(listOf(token)), null),
  /** What each token counts in outputMode 'tfIdf'. Default null: learnt. */
  idfWeights: option(nullable(listOf(number())), null),
  /** What is given: 'int', 'oneHot', 'multiHot', 'count' or 'tfIdf'. Default 'int'. */
  outputMode: option(categoryMode, 'int'),
  /** Whether vectors are maxTokens long, however many tokens there are. Default false. */
  padToMaxTokens: option(boolean, false),
})

/** What a lookup says of itself. */
export interface LookupSettings<T extends Token> {
  readonly maxTokens: number | null
  readonly outputMode: CategoryMode
  readonly padToMaxTokens: boolean
  readonly vocabulary: readonly T[] | null
  readonly idfWeights: readonly number[] | null
}

/** A vocabulary that is given or learnt, and what is made of its numbers. */
export class Lookup<T extends Token> {
  private known: Vocabulary<T> | null = null
  private weights: Tensor | null = null
  private counts: TokenCounts<T> | null = null

  constructor(
    private readonly owner: { toString(): string },
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

  /** @throws StateError before there is one */
  get vocabulary(): Vocabulary<T> {
    return requireVocabulary(String(this.owner), this.known)
  }

  get isKnown(): boolean {
    return this.known !== null
  }

  /** Whether numbers, or vectors of one length, are given whatever the vocabulary is. */
  get hasFixedWidth(): boolean {
    return this.settings.outputMode === 'int' || this.settings.padToMaxTokens
  }

  /**
   * @param given tokens; the special ones may stand before them, as in `getVocabulary`
   * @throws ArgumentError for tokens that cannot be a vocabulary
   */
  set(given: readonly T[], weights: readonly number[] | null = null): void {
    const {
      owner,
      specials,
      settings: { maxTokens, outputMode },
    } = this
    const leading = leadingTokens(specials)
    const tokens =
      weights === null && leading.every((token, i) => token === given[i]) ? given.slice(leading.length) : given
    if (outputMode === 'tfIdf' && weights === null)
      throw new ArgumentError(`${owner.toString()}: outputMode 'tfIdf' needs idfWeights with the vocabulary`)
    const made = new Vocabulary(String(owner), tokens, specials, weights)
    if (maxTokens !== null && made.size > maxTokens)
      throw new ArgumentError(
        `${owner.toString()}: the vocabulary has ${tokens.length} tokens, with the special ones ${made.size}, and maxTokens is ${maxTokens}`,
      )
    if (this.known !== null) {
      structure.version++
      structure.constants++
    }
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

  /** Begins to learn anew. */
  reset(): void {
    this.counts = new TokenCounts()
  }

  /** Takes in the tokens of one row. */
  count(tokens: readonly T[]): void {
    this.counts!.add(tokens)
  }

  /** Ends learning: the most frequent tokens are the vocabulary. */
  finish(): void {
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

  /** Elements of a vector over all tokens. */
  get width(): number {
    const { maxTokens, padToMaxTokens } = this.settings
    return padToMaxTokens ? maxTokens! : this.vocabulary.size
  }

  encode(numbers: Tensor): Tensor {
    const { outputMode } = this.settings
    if (outputMode === 'int') return numbers
    return outputMode === 'tfIdf'
      ? multiply(encode(numbers, 'count', this.width), this.weights!)
      : encode(numbers, outputMode, this.width)
  }

  shapeOf(shape: BatchShape): BatchShape {
    const { outputMode } = this.settings
    return outputMode === 'int' ? shape : encodedShape(shape, outputMode === 'tfIdf' ? 'count' : outputMode, this.width)
  }

  /** For the configuration: what was learnt is what will be given. */
  get config(): { readonly vocabulary: readonly T[] | null; readonly idfWeights: readonly number[] | null } {
    return { vocabulary: this.known?.tokens ?? null, idfWeights: this.known?.weights ?? null }
  }
}

/** @throws StateError where a model was compiled with another vocabulary */
export function requireUnbuilt(
  layer: { readonly built: boolean; toString(): string },
  lookup: Pick<Lookup<never>, 'hasFixedWidth' | 'isKnown'>,
): void {
  if (!layer.built || lookup.hasFixedWidth || !lookup.isKnown) return
  throw new StateError(
    `${layer.toString()}: its vectors have a length already, by which later layers were built. Adapt it before it is called, or set padToMaxTokens.`,
  )
}
