// Vocabularies: which number stands for which token, learnt from how often tokens occur. Shared by the lookups and by
// TextVectorization.

import { ArgumentError, DataError, StateError, quoted } from '../../core/errors'

/** A string, or a number of IntegerLookup. */
export type Token = string | number

/** Where the tokens of a vocabulary begin, and what stands before them. */
export interface Specials<T extends Token> {
  /** What stands for no token; null where there is nothing such. */
  readonly mask: T | null
  /** Whether it has number 0. Else it has none, and counts nowhere. */
  readonly isMaskNumbered: boolean
  /** How many numbers there are for tokens that are not in the vocabulary. */
  readonly unknowns: number
  /** What these are called. */
  readonly unknown: T
}

/** What was counted while a layer adapted. */
export class TokenCounts<T extends Token> {
  private readonly counts = new Map<T, number>()
  private readonly inDocuments = new Map<T, number>()
  private documents = 0

  /** Takes in the tokens of one document. */
  add(tokens: readonly T[]): void {
    this.documents++
    for (const token of tokens) this.counts.set(token, (this.counts.get(token) ?? 0) + 1)
    for (const token of new Set(tokens)) this.inDocuments.set(token, (this.inDocuments.get(token) ?? 0) + 1)
  }

  /** The most frequent tokens first; of equally frequent ones the last in the order of their characters, as Keras has it. */
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

/** By the numbers of characters, as bytes of UTF-8 are ordered, or by size. */
function compareTokens(a: Token, b: Token): number {
  if (typeof a === 'number' || typeof b === 'number') return Number(a) - Number(b)
  const [left, right] = [[...a], [...b]]
  for (let i = 0; i < left.length && i < right.length; i++) {
    const difference = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

/** The tokens that stand before those of a vocabulary, by their number. */
export function leadingTokens<T extends Token>({ mask, isMaskNumbered, unknown, unknowns }: Specials<T>): readonly T[] {
  return [...(mask === null || !isMaskNumbered ? [] : [mask]), ...new Array<T>(unknowns).fill(unknown)]
}

/** Tokens by number. */
export class Vocabulary<T extends Token> {
  private readonly numbers: ReadonlyMap<T, number>

  /**
   * @param tokens without those that stand for padding and for what is not known
   * @param weights of tf-idf, one for each token
   * @throws ArgumentError for a token that is there twice, or is one of those
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
          `${where}: the vocabulary has ${quoted(token)} at ${i}, which stands for ${token === specials.mask ? 'padding' : 'what is not known'}`,
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

  /** What stands for padding: −1 where it has no number. */
  get maskNumber(): number {
    const { mask, isMaskNumbered } = this.specials
    return mask !== null && isMaskNumbered ? 0 : -1
  }

  get size(): number {
    return this.start + this.tokens.length
  }

  /** All tokens by their number: padding and the unknown among them. */
  get all(): readonly T[] {
    return [...leadingTokens(this.specials), ...this.tokens]
  }

  /** tf-idf weights by number; those of what is not known are the mean of all. */
  get allWeights(): readonly number[] {
    const { weights } = this
    if (weights === null) return []
    const mean = weights.reduce((sum, weight) => sum + weight, 0) / Math.max(1, weights.length)
    return [...new Array<number>(this.start).fill(mean), ...weights]
  }

  /**
   * The number of a token.
   * @param hash says which of several numbers a token gets that is not known
   * @throws DataError where none may be unknown
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

/** @throws StateError for a layer that has not learnt its tokens yet */
export function requireVocabulary<T extends Token>(where: string, vocabulary: Vocabulary<T> | null): Vocabulary<T> {
  if (vocabulary !== null) return vocabulary
  throw new StateError(`${where} has no vocabulary yet. Give it one, or let it learn one: await layer.adapt(data)`)
}
