// Vocabularies: the numbers of tokens, learnt from the tokens' frequencies. Shared by the lookups and by
// TextVectorization.

import { byCodePoints } from '../../core/text'
import { ArgumentError, DataError, StateError, quoted } from '../../core/errors'

/** A string, or an integer for IntegerLookup. */
export type Token = string | number

/** The special tokens that precede those of a vocabulary. */
export interface Specials<T extends Token> {
  /** The token for padding; null if there is none. */
  readonly mask: T | null
  /** Whether the padding token has number 0. Otherwise it has no number and does not count. */
  readonly isMaskNumbered: boolean
  /** The number of indices for tokens that are not in the vocabulary. */
  readonly unknowns: number
  /** The token that stands for these. */
  readonly unknown: T
}

/** The token counts of an adapting layer. */
export class TokenCounts<T extends Token> {
  private readonly counts = new Map<T, number>()
  private readonly inDocuments = new Map<T, number>()
  private documents = 0

  /** Counts the tokens of one document. */
  add(tokens: readonly T[]): void {
    this.documents++
    for (const token of tokens) this.counts.set(token, (this.counts.get(token) ?? 0) + 1)
    for (const token of new Set(tokens)) this.inDocuments.set(token, (this.inDocuments.get(token) ?? 0) + 1)
  }

  /** The most frequent tokens first; among equally frequent ones, the last in character order first, as in Keras. */
  mostFrequent(most: number, without: ReadonlySet<Token>): readonly T[] {
    const entries = [...this.counts].filter(([token]) => !without.has(token))
    entries.sort(([a, countA], [b, countB]) => countB - countA || compareTokens(b, a))
    return entries.slice(0, most).map(([token]) => token)
  }

  /** ln(1 + documents / (1 + documents with the token)) */
  inverseFrequency(token: T): number {
    return Math.log(1 + this.documents / (1 + (this.inDocuments.get(token) ?? 0)))
  }
}

/** Orders strings by code point, and integers by size. */
function compareTokens(a: Token, b: Token): number {
  return typeof a === 'number' || typeof b === 'number' ? Number(a) - Number(b) : byCodePoints(a, b)
}

/** The tokens that precede those of a vocabulary, by their number. */
export function leadingTokens<T extends Token>({ mask, isMaskNumbered, unknown, unknowns }: Specials<T>): readonly T[] {
  return [...(mask === null || !isMaskNumbered ? [] : [mask]), ...new Array<T>(unknowns).fill(unknown)]
}

/** Tokens by number. */
export class Vocabulary<T extends Token> {
  private readonly numbers: ReadonlyMap<T, number>

  /**
   * @param tokens without those for padding and unknown tokens
   * @param weights of tf-idf, one for each token
   * @throws ArgumentError for a duplicate token, or one of those
   */
  constructor(
    where: string,
    readonly tokens: readonly T[],
    readonly specials: Specials<T>,
    readonly weights: readonly number[] | null = null,
  ) {
    const first = this.start
    const numbers = new Map<T, number>()
    tokens.forEach((token, i) => {
      if (numbers.has(token))
        throw new ArgumentError(
          `${where}: the vocabulary has ${quoted(token)} twice, at ${numbers.get(token)! - first} and ${i}`,
        )
      if (token === specials.mask || (specials.unknowns > 0 && token === specials.unknown)) {
        throw new ArgumentError(
          `${where}: the vocabulary has ${quoted(token)} at ${i}, which stands for ${token === specials.mask ? 'padding' : 'unknown tokens'}`,
        )
      }
      numbers.set(token, first + i)
    })
    if (weights !== null && weights.length !== tokens.length)
      throw new ArgumentError(
        `${where}: needs a weight for each of ${tokens.length} tokens, received ${weights.length}`,
      )
    this.numbers = numbers
  }

  /** The number of the first token. */
  get start(): number {
    return this.firstUnknown + this.specials.unknowns
  }

  private get firstUnknown(): number {
    return this.maskNumber === 0 ? 1 : 0
  }

  /** The number of the padding token; −1 if it has none. */
  get maskNumber(): number {
    const { mask, isMaskNumbered } = this.specials
    return mask !== null && isMaskNumbered ? 0 : -1
  }

  get size(): number {
    return this.start + this.tokens.length
  }

  /** All tokens by number, including those for padding and unknown tokens. */
  get all(): readonly T[] {
    return [...leadingTokens(this.specials), ...this.tokens]
  }

  /** tf-idf weights by number; unknown tokens get the mean of all. */
  get allWeights(): readonly number[] {
    const { weights } = this
    if (weights === null) return []
    const mean = weights.reduce((sum, weight) => sum + weight, 0) / Math.max(1, weights.length)
    return [...new Array<number>(this.start).fill(mean), ...weights]
  }

  /**
   * The number of a token.
   * @param hash chooses one of several numbers for an unknown token
   * @throws DataError for an unknown token if numOovIndices is 0
   */
  numberOf(token: T, where: string, hash: (token: T, buckets: number) => number): number {
    const known = this.numbers.get(token)
    if (known !== undefined) return known
    const { mask, unknowns } = this.specials
    if (token === mask) return this.maskNumber
    if (unknowns === 0)
      throw new DataError(`${where}: ${quoted(token)} is not in the vocabulary, and numOovIndices is 0`)
    return this.firstUnknown + (unknowns === 1 ? 0 : hash(token, unknowns))
  }
}

/** @throws StateError if the layer has no vocabulary yet */
export function requireVocabulary<T extends Token>(where: string, vocabulary: Vocabulary<T> | null): Vocabulary<T> {
  if (vocabulary !== null) return vocabulary
  throw new StateError(`${where} has no vocabulary yet. Give it one, or let it learn one: await layer.adapt(data)`)
}
