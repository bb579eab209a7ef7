// The content of tokenizer.json. The vocabulary and the merges, which are nearly all of it, become tables without a string for each token.
// Content that the tables cannot have, such as two tokens of one number, is parsed as a whole, and the models read or refuse it.

import { internalError } from '../../core/errors'
import { decodeUtf8 } from '../../core/text'
import { isRecord, valueAt, type JsonRecord } from '../../files/containers/json'
import type { Json } from '../../core/registry'
import { BEGIN_LIST, BEGIN_RECORD, COLON, COMMA, END_LIST, END_RECORD, JsonScanner } from './json-scanner'
import { Merges } from './merges'
import { TokenTable } from './token-table'
import { MOST_TOKENS } from './vocabulary'

/** The large parts of a model. */
export interface ModelTables {
  readonly ids: TokenTable
  /** null if the model has no merges. */
  readonly merges: Merges | null
  /** Parses tokenizer.json as a whole. */
  readonly whole: () => JsonRecord
}

/** The content of tokenizer.json. */
export interface TokenizerContent {
  /** The value of the text; if there are tables, `vocab` and `merges` are empty in it. */
  readonly value: Json
  readonly tables: ModelTables | null
}

/** The parts of the text that become tables. */
interface Found {
  ids: TokenTable | null
  merges: Merges | null
  /** Where the parts are, in their order. */
  readonly spans: (readonly [from: number, to: number, empty: string])[]
}

/** The kinds of models whose vocabulary is a record. */
const KINDS: readonly unknown[] = ['BPE', 'WordLevel', 'WordPiece', undefined]

/** @throws TypeError for bytes that are no UTF-8; SyntaxError for text that is no JSON */
export function tokenizerContent(bytes: Uint8Array): TokenizerContent {
  const text = decodeUtf8(bytes)
  // The bytes take less memory than the text.
  const whole = (): Json => JSON.parse(decodeUtf8(bytes))
  return withTables(text, whole) ?? { value: JSON.parse(text), tables: null }
}

/** null for text whose vocabulary and merges cannot be tables, and for text that is no JSON. */
function withTables(text: string, parse: () => Json): TokenizerContent | null {
  const found: Found = { ids: null, merges: null, spans: [] }
  const scanner = new JsonScanner(text)
  let models = 0
  const isRead = scanner.each(BEGIN_RECORD, END_RECORD, () => {
    const key = keyOf(scanner)
    if (key === 'model' && models++ > 0) return false
    return key === 'model' ? readModel(scanner, found) : key !== null && scanner.skip()
  })
  const { ids, merges, spans } = found
  if (!isRead || ids === null) return null
  const value = parsed(without(text, spans))
  const model = isRecord(value) ? valueAt(value, 'model') : undefined
  if (value === undefined || !isRecord(model) || !KINDS.includes(valueAt(model, 'type'))) return null
  // The merges were read for tokens without a prefix.
  if (merges !== null && (valueAt(model, 'continuing_subword_prefix') ?? '') !== '') return null
  const whole = (): JsonRecord => {
    const content = parse()
    if (isRecord(content)) return content
    throw internalError('tokenizer.json was a record before')
  }
  return { value, tables: { ids, merges, whole } }
}

/** Goes over the key of a member and its colon. */
function keyOf(scanner: JsonScanner): string | null {
  if (!scanner.string()) return null
  const { source, from, to } = scanner
  return scanner.take(COLON) ? source.slice(from, to) : null
}

function readModel(scanner: JsonScanner, found: Found): boolean {
  return scanner.each(BEGIN_RECORD, END_RECORD, () => {
    const key = keyOf(scanner)
    if (key !== 'vocab' && key !== 'merges') return key !== null && scanner.skip()
    // Merges need the vocabulary before them, and a second one would replace the first.
    if (key === 'vocab' ? found.ids !== null : found.ids === null || found.merges !== null) return false
    const from = scanner.at
    if (key === 'vocab') found.ids = readVocabulary(scanner)
    else found.merges = readMerges(scanner, found.ids!)
    found.spans.push([from, scanner.at, key === 'vocab' ? '{}' : '[]'])
    return found[key === 'vocab' ? 'ids' : 'merges'] !== null
  })
}

/** A record of tokens with their numbers. null unless each token has one number, and each number one token */
function readVocabulary(scanner: JsonScanner): TokenTable | null {
  const ids = new TokenTable()
  const isRead = scanner.each(BEGIN_RECORD, END_RECORD, () => {
    if (!scanner.string()) return false
    const { source, from, to } = scanner
    const id = scanner.take(COLON) ? scanner.count() : -1
    return id >= 0 && id <= MOST_TOKENS && ids.add(source, from, to, id)
  })
  return isRead && ids.isUnambiguous ? ids : null
}

/** A list of pairs of tokens, each as a list or as a text with a space. null if a token is not in the vocabulary */
function readMerges(scanner: JsonScanner, ids: TokenTable): Merges | null {
  const merges = new Merges()
  const isRead = scanner.each(BEGIN_LIST, END_LIST, () =>
    scanner.next() === BEGIN_LIST ? readPair(scanner, ids, merges) : readText(scanner, ids, merges),
  )
  return isRead ? merges : null
}

/** `["t", "he"]` */
function readPair(scanner: JsonScanner, ids: TokenTable, merges: Merges): boolean {
  if (!scanner.take(BEGIN_LIST) || !scanner.string()) return false
  const { source, from, to } = scanner
  if (!scanner.take(COMMA) || !scanner.string()) return false
  const left = ids.find(source, from, to)
  const right = ids.find(scanner.source, scanner.from, scanner.to)
  const result = ids.findJoined(source, from, to, scanner.source, scanner.from, scanner.to)
  return scanner.take(END_LIST) && addMerge(merges, left, right, result)
}

/** `"t he"` */
function readText(scanner: JsonScanner, ids: TokenTable, merges: Merges): boolean {
  if (!scanner.string()) return false
  const { source, from, to } = scanner
  const space = source.indexOf(' ', from)
  if (space < 0 || space >= to) return false
  const next = source.indexOf(' ', space + 1)
  if (next >= 0 && next < to) return false
  const left = ids.find(source, from, space)
  const right = ids.find(source, space + 1, to)
  return addMerge(merges, left, right, ids.findJoined(source, from, space, source, space + 1, to))
}

function addMerge(merges: Merges, left: number, right: number, result: number): boolean {
  if (left < 0 || right < 0 || result < 0 || merges.count > MOST_TOKENS) return false
  merges.add(left, right, result)
  return true
}

/** The text with empty values in place of some. */
function without(text: string, spans: Found['spans']): string {
  let result = ''
  let done = 0
  for (const [from, to, empty] of spans) {
    result += text.slice(done, from) + empty
    done = to
  }
  return result + text.slice(done)
}

function parsed(text: string): Json | undefined {
  try {
    const value: Json = JSON.parse(text)
    return value
  } catch {
    return undefined
  }
}
