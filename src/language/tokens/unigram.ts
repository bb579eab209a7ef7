// The unigram model of SentencePiece: of all ways to cover a word with pieces, that with the highest sum of their scores.

import { FormatError, quoted } from '../../core/errors'
import { isList, valueAt, type JsonRecord } from '../../files/containers/json'
import { countField, flagField } from './fields'
import { TokenTable } from './token-table'
import { ROOT, Trie } from './trie'
import { byteTokens, MOST_TOKENS, type Model } from './vocabulary'

/** How much less an unknown character scores than the piece of the lowest score. */
const PENALTY = 10

/** The best way to cover the text up to each position. */
interface Paths {
  readonly scores: Float64Array
  /** Where the last piece begins; -1 if no piece ends here. */
  readonly begins: Int32Array
  readonly ids: Int32Array
}

export function unigram(record: JsonRecord, where: string): Model {
  const list = valueAt(record, 'vocab')
  if (!isList(list) || list.length > MOST_TOKENS) {
    throw new FormatError(`${where}: 'vocab' must be a list of at most ${MOST_TOKENS} pieces, received ${quoted(list)}`)
  }
  const ids = new TokenTable()
  const trie = new Trie()
  const scores = list.map((entry, id) => {
    const [piece, score]: readonly unknown[] = isList(entry) ? entry : []
    if (typeof piece !== 'string' || typeof score !== 'number') {
      throw new FormatError(`${where}: piece ${id} must be [text, score], received ${quoted(entry)}`)
    }
    ids.set(piece, id)
    return score
  })
  for (const [piece, id] of ids) if (piece !== '') trie.add(piece, id)
  const unknown = (valueAt(record, 'unk_id') ?? null) === null ? null : countField(record, 'unk_id', where)
  const hasBytes = flagField(record, 'byte_fallback', where, false)
  const lowest = scores.reduce((least, score) => Math.min(least, score), Infinity)
  const encode = (word: string): number[] => {
    const paths = bestPaths(word, trie, scores, lowest - PENALTY, unknown ?? -1)
    return piecesOf(word, paths, unknown).flatMap((piece) => {
      const id = ids.get(piece)
      if (id !== undefined) return id
      const bytes = hasBytes ? byteTokens(ids, piece) : null
      if (bytes !== null) return bytes
      if (unknown !== null) return unknown
      throw new FormatError(`${where}: the vocabulary lacks ${quoted(piece)}, and has no unknown piece`)
    })
  }
  return { kind: 'Unigram', ids, encode }
}

function bestPaths(word: string, trie: Trie, scores: readonly number[], unknownScore: number, unknown: number): Paths {
  const size = word.length + 1
  const paths = { scores: new Float64Array(size), begins: new Int32Array(size).fill(-1), ids: new Int32Array(size) }
  const offer = (begin: number, end: number, id: number, score: number): void => {
    const sum = score + paths.scores[begin]!
    if (paths.begins[end] !== -1 && sum <= paths.scores[end]!) return
    paths.scores[end] = sum
    paths.begins[end] = begin
    paths.ids[end] = id
  }
  for (let begin = 0; begin < word.length;) {
    const width = word.codePointAt(begin)! > 0xffff ? 2 : 1
    let hasCharacter = false
    let node = ROOT
    for (let end = begin; end < word.length;) {
      node = trie.step(node, word.charCodeAt(end++))
      if (node === ROOT) break
      const id = trie.valueOf(node)
      if (id < 0) continue
      offer(begin, end, id, scores[id]!)
      if (end - begin === width) hasCharacter = true
    }
    if (!hasCharacter) offer(begin, begin + width, unknown, unknownScore)
    begin += width
  }
  return paths
}

/** The pieces of the best path; unknown characters in a row are one piece. */
function piecesOf(word: string, { begins, ids }: Paths, unknown: number | null): string[] {
  const pieces: string[] = []
  /** Where a run of unknown characters ends; -1 outside of one. */
  let runEnd = -1
  let end = word.length
  while (end > 0) {
    const begin = begins[end]!
    const isUnknown = unknown !== null && ids[end] === unknown
    if (isUnknown) {
      if (runEnd < 0) runEnd = end
    } else {
      if (runEnd >= 0) pieces.push(word.slice(end, runEnd))
      runEnd = -1
      pieces.push(word.slice(begin, end))
    }
    end = begin
  }
  if (runEnd >= 0) pieces.push(word.slice(0, runEnd))
  return pieces.reverse()
}
