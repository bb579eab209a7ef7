// Models of tokenizer.json: they split a word into tokens of the vocabulary.

import { FormatError, quoted } from '../../core/errors'
import { isList, isRecord, valueAt, type JsonRecord } from '../../files/containers/json'
import { bytePair } from './byte-pair'
import { countField, partOf, textField, type PartTable } from './fields'
import type { TokenTable } from './token-table'
import type { ModelTables } from './tokenizer-content'
import { unigram } from './unigram'
import { idsOf, type Model } from './vocabulary'

function modelsWith(tables: ModelTables | null): PartTable<Model> {
  const idsIn = (record: JsonRecord, where: string): TokenTable => tables?.ids ?? idsOf(record, where)
  return {
    BPE: (record, where) => bytePair(record, where, tables),
    Unigram: unigram,
    WordLevel: (record, where) => wordLevel(record, where, idsIn(record, where)),
    WordPiece: (record, where) => wordPiece(record, where, idsIn(record, where)),
  }
}

/**
 * The model of a record of tokenizer.json.
 * @param tables of the vocabulary and the merges, which are not in the record then
 * @throws FormatError for a kind that is not supported, or an invalid vocabulary
 */
export function modelOf(record: JsonRecord, where: string, tables: ModelTables | null): Model {
  return partOf(withType(record), 'model', where, modelsWith(tables))
}

/** Files of old versions do not name the kind of the model. */
function withType(record: JsonRecord): JsonRecord {
  if (typeof valueAt(record, 'type') === 'string') return record
  if (isList(valueAt(record, 'merges'))) return { ...record, type: 'BPE' }
  if (isList(valueAt(record, 'vocab'))) return { ...record, type: 'Unigram' }
  return {
    ...record,
    type: isRecord(record) && valueAt(record, 'continuing_subword_prefix') === undefined ? 'WordLevel' : 'WordPiece',
  }
}

function wordLevel(record: JsonRecord, where: string, ids: TokenTable): Model {
  const unknown = ids.get(textField(record, 'unk_token', where, '<unk>')) ?? null
  return {
    kind: 'WordLevel',
    ids,
    encode: (word) => {
      const id = ids.get(word) ?? unknown
      if (id === null)
        throw new FormatError(`${where}: the word ${quoted(word)} and the unknown token are not in the vocabulary`)
      return [id]
    },
  }
}

/** The longest token at each position of a word; the unknown token for a word that tokens do not cover. */
function wordPiece(record: JsonRecord, where: string, ids: TokenTable): Model {
  const name = textField(record, 'unk_token', where, '[UNK]')
  const unknown = ids.get(name)
  if (unknown === undefined) throw new FormatError(`${where}: the unknown token '${name}' is not in the vocabulary`)
  const prefix = textField(record, 'continuing_subword_prefix', where, '##')
  const longest = countField(record, 'max_input_chars_per_word', where, 100)
  return {
    kind: 'WordPiece',
    ids,
    encode: (word) => {
      if (word.length > longest && [...word].length > longest) return [unknown]
      const result: number[] = []
      for (let begin = 0; begin < word.length;) {
        let end = word.length
        let id: number | undefined
        while (end > begin && (id = ids.get((begin > 0 ? prefix : '') + word.slice(begin, end))) === undefined) end--
        if (id === undefined) return [unknown]
        result.push(id)
        begin = end
      }
      return result
    },
  }
}
