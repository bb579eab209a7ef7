// Byte-pair encoding: a word is its characters, and the merge that was learnt first comes first, in a heap, so that the time grows
// with n·log n also for a word of a million characters.

import { FormatError, quoted } from '../../core/errors'
import { isList, valueAt, type JsonRecord } from '../../files/containers/json'
import { withCache } from './cache'
import { flagField, textField } from './fields'
import { Heap } from './heap'
import { Merges } from './merges'
import type { ModelTables } from './tokenizer-content'
import type { TokenTable } from './token-table'
import { byteTokens, idsOf, MOST_TOKENS, type Model } from './vocabulary'

/** Positions of a word are below this number; the product with a rank is exact. */
const POSITIONS = 2 ** 31

/** @param tables of the vocabulary and the merges, which are not in the record then */
export function bytePair(record: JsonRecord, where: string, tables: ModelTables | null): Model {
  const ids = tables?.ids ?? idsOf(record, where)
  const prefix = textField(record, 'continuing_subword_prefix', where, '')
  const merges = tables?.merges ?? mergesOf(record, ids, prefix, where)
  if ((valueAt(record, 'dropout') ?? 0) !== 0) {
    throw new FormatError(`${where}: 'dropout' would make tokens random. Set it to null`)
  }
  const symbols = symbolsOf(record, ids, prefix, where)
  const ignoresMerges = flagField(record, 'ignore_merges', where, false)
  const encodeWord = (word: string): readonly number[] => {
    const whole = ignoresMerges ? ids.get(word) : undefined
    return whole === undefined ? merge(symbols(word), merges) : [whole]
  }
  const isCut = !ignoresMerges && prefix === '' && textField(record, 'end_of_word_suffix', where, '') === ''
  return { kind: 'BPE', ids, encode: isCut ? cutAtSpaces(encodeWord, ids, merges) : encodeWord }
}

/**
 * Encodes texts with ▁ for spaces word by word, if no merge goes over a space, so that equal words are encoded once. Tokenizers of
 * Llama 2 and Gemma have no pre-tokenizer: without this, a text would be one word.
 */
function cutAtSpaces(encode: Model['encode'], ids: TokenTable, merges: Merges): Model['encode'] {
  if (!ids.has('▁')) return encode
  const { made } = merges
  for (const [token, id] of ids) if (made.has(id) && /[^▁]▁/.test(token)) return encode
  const cached = withCache(encode)
  return (word) => {
    if (!word.includes('▁', 1)) return encode(word)
    const result: number[] = []
    for (const part of word.match(/▁*[^▁]+|▁+/g)!) for (const id of cached(part)) result.push(id)
    return result
  }
}

function mergesOf(record: JsonRecord, ids: TokenTable, prefix: string, where: string): Merges {
  const list = valueAt(record, 'merges')
  if (!isList(list)) throw new FormatError(`${where}: 'merges' must be a list, received ${quoted(list)}`)
  if (list.length > MOST_TOKENS)
    throw new FormatError(`${where}: there are ${list.length} merges, more than ${MOST_TOKENS}`)
  const idOf = (token: string, rank: number): number => {
    const id = ids.get(token)
    if (id !== undefined) return id
    throw new FormatError(`${where}: merge ${rank} has the token ${quoted(token)}, which is not in the vocabulary`)
  }
  const merges = new Merges()
  list.forEach((merge, rank) => {
    const [left, right, ...others] = partsOf(merge)
    if (typeof left !== 'string' || typeof right !== 'string' || others.length > 0) {
      if (typeof merge === 'string' && merge.startsWith('#version')) return merges.skip()
      throw new FormatError(`${where}: merge ${rank} must be two tokens, received ${quoted(merge)}`)
    }
    merges.add(idOf(left, rank), idOf(right, rank), idOf(left + right.slice(prefix.length), rank))
  })
  return merges
}

/** The function that makes the first symbols of a word: one for each character, or for each of its bytes. */
function symbolsOf(record: JsonRecord, ids: TokenTable, prefix: string, where: string): (word: string) => number[] {
  const suffix = textField(record, 'end_of_word_suffix', where, '')
  const hasBytes = flagField(record, 'byte_fallback', where, false)
  const fuses = flagField(record, 'fuse_unk', where, false)
  const name = valueAt(record, 'unk_token')
  const unknown = typeof name === 'string' ? ids.get(name) : undefined
  if (typeof name === 'string' && unknown === undefined) {
    throw new FormatError(`${where}: the unknown token ${quoted(name)} is not in the vocabulary`)
  }
  return (word) => {
    const symbols: number[] = []
    let isUnknown = false
    let at = 0
    for (const character of word) {
      const isFirst = at === 0
      at += character.length
      const symbol = (isFirst ? '' : prefix) + character + (at === word.length ? suffix : '')
      const id = ids.get(symbol)
      const bytes = id === undefined && hasBytes ? byteTokens(ids, symbol) : null
      if (bytes !== null) {
        // An unknown character before these bytes comes behind them, as in Python's tokenizers.
        symbols.push(...bytes)
      } else if (id !== undefined) {
        if (isUnknown) symbols.push(unknown!)
        isUnknown = false
        symbols.push(id)
      } else if (unknown !== undefined) {
        if (isUnknown && !fuses) symbols.push(unknown)
        isUnknown = true
      }
    }
    if (isUnknown) symbols.push(unknown!)
    return symbols
  }
}

/** Merges symbols until no pair is left that merges. Changes the list. */
function merge(symbols: number[], merges: Merges): readonly number[] {
  const { length } = symbols
  if (length < 2) return symbols
  const next = Array.from({ length }, (_, at) => at + 1)
  const previous = Array.from({ length }, (_, at) => at - 1)
  /** Rank × POSITIONS + position of the left symbol. */
  const queue = new Heap<number>(isSmaller)
  const rankAt = (at: number): number => {
    const right = next[at]!
    return right === length ? -1 : merges.rankOf(symbols[at]!, symbols[right]!)
  }
  const offer = (at: number): void => {
    const rank = rankAt(at)
    if (rank >= 0) queue.push(rank * POSITIONS + at)
  }
  for (let at = 0; at + 1 < length; at++) offer(at)
  while (queue.size > 0) {
    const top = queue.pop()
    const rank = Math.floor(top / POSITIONS)
    const at = top - rank * POSITIONS
    if (symbols[at] === -1) continue
    // The symbols here may have changed. A pair with the same result is merged now, although its rank is another.
    const now = rankAt(at)
    if (now < 0 || merges.resultOf(now) !== merges.resultOf(rank)) continue
    const right = next[at]!
    symbols[at] = merges.resultOf(rank)
    symbols[right] = -1
    next[at] = next[right]!
    if (next[at]! < length) previous[next[at]!] = at
    if (previous[at]! >= 0) offer(previous[at]!)
    offer(at)
  }
  return symbols.filter((id) => id >= 0)
}

function isSmaller(a: number, b: number): boolean {
  return a < b
}

/** The two tokens of a merge: a list, or a text with a space between them. */
function partsOf(merge: unknown): readonly unknown[] {
  if (typeof merge === 'string') return merge.split(' ')
  return isList(merge) ? merge : []
}
