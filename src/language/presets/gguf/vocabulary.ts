// The vocabulary of a GGUF file as tokenizer.json and tokenizer_config.json have it.

import { FormatError, quoted } from '../../../core/errors'
import type { JsonRecord } from '../../../files/containers/json'
import type { Json } from '../../../core/registry'
import type { GgufMetadata } from './metadata'

/** The files of a tokenizer, and what generation_config.json has of it. */
export interface GgufVocabulary {
  readonly tokenizer: JsonRecord
  readonly tokenizerConfig: JsonRecord
  readonly generationConfig: JsonRecord
}

/** Types of tokens in GGUF files. Others are the normal ones, single bytes, and those that are not used. */
const [NORMAL, UNKNOWN, CONTROL, USER_DEFINED] = [1, 2, 3, 4]

interface Tokens {
  readonly metadata: GgufMetadata
  readonly texts: readonly string[]
  readonly types: ArrayLike<number>
  readonly ids: ReadonlyMap<string, number>
}

/** What differs between the kinds of vocabularies. */
interface Kind {
  /** Whether texts begin with the first special token unless the file says otherwise. */
  readonly addsBegin: boolean
  /** The parts of tokenizer.json that make tokens of a text. */
  readonly parts: JsonRecord
}

/** @throws FormatError for a kind of vocabulary that is not supported */
export function vocabularyOf(metadata: GgufMetadata): GgufVocabulary {
  const texts = metadata.texts('tokenizer.ggml.tokens')
  const types = metadata.numbers('tokenizer.ggml.token_type', null) ?? new Uint8Array(texts.length).fill(NORMAL)
  if (types.length !== texts.length)
    throw new FormatError(`${metadata.file}: it has ${texts.length} tokens, and types of ${types.length}`)
  const tokens: Tokens = { metadata, texts, types, ids: new Map(texts.map((text, id) => [text, id])) }
  const { parts, addsBegin } = kindOf(tokens)
  return {
    tokenizer: {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: addedTokens(tokens),
      post_processor: template(tokens, addsBegin),
      ...parts,
    },
    tokenizerConfig: {
      ...specialTexts(tokens),
      clean_up_tokenization_spaces: false,
      chat_template: chatTemplates(metadata),
    },
    generationConfig: specialIds(tokens),
  }
}

function kindOf(tokens: Tokens): Kind {
  const model = tokens.metadata.text('tokenizer.ggml.model')
  if (model === 'gpt2') return byteLevel(tokens)
  if (model === 'llama') return sentencePiece(tokens)
  throw new FormatError(
    `${tokens.metadata.file}: the vocabulary is of the kind ${quoted(model)}; supported: gpt2 (byte-level BPE), llama (SentencePiece)`,
  )
}

// Byte-level BPE.

const byteLevelStep = (usesRegex: boolean): JsonRecord => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: usesRegex,
})

/** Words by a regular expression, and then bytes. @param digits the most digits of a word */
const wordsOf = (digits: string): JsonRecord => ({
  type: 'Sequence',
  pretokenizers: [
    {
      type: 'Split',
      pattern: {
        Regex: String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}${digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
      },
      behavior: 'Isolated',
      invert: false,
    },
    byteLevelStep(false),
  ],
})

/** What splits a text into words. */
interface Splitting {
  readonly steps: JsonRecord
  readonly normalizer?: JsonRecord
  readonly addsBegin?: boolean
  /** Whether a word that is a token is not built by merges. */
  readonly ignoresMerges?: boolean
}

const llama3: Splitting = { steps: wordsOf('{1,3}'), addsBegin: true, ignoresMerges: true }
const qwen2: Splitting = { steps: wordsOf(''), normalizer: { type: 'NFC' } }
const gpt2: Splitting = { steps: byteLevelStep(true) }
const singleDigits: Splitting = {
  steps: { type: 'Sequence', pretokenizers: [{ type: 'Digits', individual_digits: true }, byteLevelStep(true)] },
}

const SPLITTINGS: Readonly<Record<string, Splitting>> = {
  default: gpt2,
  'gpt-2': gpt2,
  'llama-bpe': llama3,
  llama3,
  'llama-v3': llama3,
  qwen2,
  'deepseek-r1-qwen': qwen2,
  smollm: singleDigits,
}

function byteLevel({ metadata, ids }: Tokens): Kind {
  const pre = metadata.text('tokenizer.ggml.pre', 'default')
  if (!Object.hasOwn(SPLITTINGS, pre))
    throw new FormatError(
      `${metadata.file}: texts are split into words by the rule ${quoted(pre)}; supported: ${Object.keys(SPLITTINGS).join(', ')}`,
    )
  const { steps, normalizer = null, addsBegin = false, ignoresMerges = false } = SPLITTINGS[pre]!
  return {
    addsBegin,
    parts: {
      normalizer,
      pre_tokenizer: steps,
      decoder: byteLevelStep(true),
      model: {
        type: 'BPE',
        dropout: null,
        unk_token: null,
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: ignoresMerges,
        vocab: Object.fromEntries(ids),
        merges: metadata.texts('tokenizer.ggml.merges'),
      },
    },
  }
}

// SentencePiece.

const replaced = (from: string, to: string): JsonRecord => ({
  type: 'Replace',
  pattern: { String: from },
  content: to,
})

function sentencePiece(tokens: Tokens): Kind {
  const { metadata, ids } = tokens
  const addsSpace = metadata.flag('tokenizer.ggml.add_space_prefix', true)
  const spaces = replaced(' ', '▁')
  return {
    addsBegin: true,
    parts: {
      normalizer: addsSpace ? { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: '▁' }, spaces] } : spaces,
      pre_tokenizer: null,
      decoder: {
        type: 'Sequence',
        decoders: [
          replaced('▁', ' '),
          { type: 'ByteFallback' },
          { type: 'Fuse' },
          ...(addsSpace ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
        ],
      },
      model: {
        type: 'BPE',
        dropout: null,
        unk_token: tokens.texts[unknownOf(tokens)] ?? null,
        fuse_unk: true,
        byte_fallback: true,
        ignore_merges: false,
        vocab: Object.fromEntries(ids),
        merges: mergesOf(tokens),
      },
    },
  }
}

function unknownOf({ metadata, types }: Tokens): number {
  const id = metadata.number('tokenizer.ggml.unknown_token_id', null)
  return id ?? Array.prototype.indexOf.call(types, UNKNOWN)
}

interface Merge {
  readonly left: string
  readonly right: string
  readonly score: number
  /** The characters of both parts. */
  readonly sizes: readonly [left: number, right: number]
}

/**
 * The merges of a vocabulary with scores: every pair of tokens that together are a token, the best score first, as `generate_merges` of
 * transformers makes them. Tokens that no text becomes by merging, such as single bytes and special tokens, have none.
 */
function mergesOf({ metadata, texts, types, ids }: Tokens): readonly (readonly [string, string])[] {
  const scores = metadata.numbers('tokenizer.ggml.scores')
  if (scores.length !== texts.length)
    throw new FormatError(`${metadata.file}: it has ${texts.length} tokens, and scores of ${scores.length}`)
  const isPart = (text: string): boolean => {
    const type = types[ids.get(text) ?? -1]
    return type === NORMAL || type === USER_DEFINED
  }
  const merges: Merge[] = []
  for (const [text, id] of ids) {
    if (!isPart(text) || text.length > LONGEST_PIECE) continue
    const characters = Array.from(text)
    const pairs: Merge[] = []
    for (let size = 1, at = 0; size < characters.length; size++) {
      at += characters[size - 1]!.length
      const [left, right] = [text.slice(0, at), text.slice(at)]
      if (isPart(left) && isPart(right))
        pairs.push({ left, right, score: scores[id]!, sizes: [size, characters.length - size] })
    }
    if (merges.length + pairs.length > MOST_MERGES)
      throw new FormatError(`${metadata.file}: its vocabulary has more than ${MOST_MERGES} merges`)
    merges.push(...pairs.sort((a, b) => ids.get(a.left)! - ids.get(b.left)! || ids.get(a.right)! - ids.get(b.right)!))
  }
  merges.sort((a, b) => b.score - a.score || b.sizes[0] - a.sizes[0] || b.sizes[1] - a.sizes[1])
  return merges.map(({ left, right }) => [left, right])
}

/** Characters of the longest token that merges make; SentencePiece's are at most 16 unless a training asks for more. */
const LONGEST_PIECE = 512
/** The pairs of all tokens: real vocabularies have two or three for each token. */
const MOST_MERGES = 2 ** 22

// Special tokens.

function addedTokens({ texts, types }: Tokens): readonly Json[] {
  return texts.flatMap((content, id) => {
    const isSpecial = types[id] === CONTROL || types[id] === UNKNOWN
    if (!isSpecial && types[id] !== USER_DEFINED) return []
    return [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: isSpecial }]
  })
}

/** The token of a key; null if there is none. */
function specialAt({ metadata, texts }: Tokens, name: string): { readonly id: number; readonly text: string } | null {
  const key = `tokenizer.ggml.${name}_token_id`
  const id = metadata.number(key, null)
  if (id === null) return null
  const text = texts[id]
  if (text === undefined)
    throw new FormatError(`${metadata.file}: ${quoted(key)} is ${id}, it has ${texts.length} tokens`)
  return { id, text }
}

/** Special tokens around a text, as far as the file has them. */
function template(tokens: Tokens, addsBegin: boolean): JsonRecord | null {
  const { metadata } = tokens
  const begin = metadata.flag('tokenizer.ggml.add_bos_token', addsBegin) ? specialAt(tokens, 'bos') : null
  const end = metadata.flag('tokenizer.ggml.add_eos_token', false) ? specialAt(tokens, 'eos') : null
  const present = [begin, end].filter((each) => each !== null)
  if (present.length === 0) return null
  const around = (sequence: string, type: number): JsonRecord[] => [
    ...(begin === null ? [] : [{ SpecialToken: { id: begin.text, type_id: type } }]),
    { Sequence: { id: sequence, type_id: type } },
    ...(end === null ? [] : [{ SpecialToken: { id: end.text, type_id: type } }]),
  ]
  return {
    type: 'TemplateProcessing',
    single: around('A', 0),
    pair: [...around('A', 0), ...around('B', 1)],
    special_tokens: Object.fromEntries(present.map(({ id, text }) => [text, { id: text, ids: [id], tokens: [text] }])),
  }
}

/** Special tokens by their names in tokenizer_config.json and in GGUF files. */
const SPECIALS = { bos: 'bos', eos: 'eos', unk: 'unknown', pad: 'padding' } as const

function specialTexts(tokens: Tokens): JsonRecord {
  return Object.fromEntries(
    Object.entries(SPECIALS).map(([name, stored]) => [`${name}_token`, specialAt(tokens, stored)?.text ?? null]),
  )
}

/** The tokens that begin, end and fill texts. The end of a turn ends a text, too. */
function specialIds(tokens: Tokens): JsonRecord {
  const ends = ['eos', 'eot', 'eom'].flatMap((name) => specialAt(tokens, name)?.id ?? [])
  const entries = { bos_token_id: specialAt(tokens, 'bos')?.id, pad_token_id: specialAt(tokens, 'padding')?.id }
  return {
    ...Object.fromEntries(Object.entries(entries).flatMap(([key, id]) => (id === undefined ? [] : [[key, id]]))),
    ...(ends.length === 0 ? {} : { eos_token_id: [...new Set(ends)] }),
  }
}

function chatTemplates(metadata: GgufMetadata): Json {
  const usual = metadata.text('tokenizer.chat_template', null)
  const names = metadata.texts('tokenizer.chat_templates', null)
  if (names === null) return usual
  const others = names.map((name) => ({ name, template: metadata.text(`tokenizer.chat_template.${name}`) }))
  return usual === null ? others : [{ name: 'default', template: usual }, ...others]
}
