// What all models share: the vocabulary.

import { encodeUtf8 } from '../../core/text'
import { FormatError, quoted } from '../../core/errors'
import { recordField } from './fields'
import type { JsonRecord } from '../../files/containers/json'
import { TokenTable } from './token-table'

/** Splits words into tokens. */
export interface Model {
  readonly kind: 'BPE' | 'Unigram' | 'WordLevel' | 'WordPiece'
  /** The number of each token. */
  readonly ids: TokenTable
  /** The tokens of a word, which is not empty. */
  readonly encode: (word: string) => readonly number[]
}

/** The vocabulary of a record `{ token: id }`. @throws FormatError for ids that are no whole numbers */
export function idsOf(record: JsonRecord, where: string): TokenTable {
  const ids = new TokenTable()
  const vocabulary = recordField(record, 'vocab', where)
  // Of many tokens, pairs would take longer.
  for (const token of Object.keys(vocabulary)) {
    const id = vocabulary[token]
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id > MOST_TOKENS) {
      throw new FormatError(
        `${where}: the id of the token ${quoted(token)} must be a whole number of 0 to ${MOST_TOKENS}, received ${quoted(id)}`,
      )
    }
    ids.set(token, id)
  }
  return ids
}

/** The largest id. Lists of tokens by ids must stay small, and priorities of merges must be exact numbers. */
export const MOST_TOKENS = 2 ** 22 - 1

/** The tokens `<0x…>` of the bytes of a text; null if the vocabulary lacks one of them. */
export function byteTokens(ids: TokenTable, text: string): number[] | null {
  const result: number[] = []
  for (const byte of encodeUtf8(text)) {
    const id = ids.get(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`)
    if (id === undefined) return null
    result.push(id)
  }
  return result
}
