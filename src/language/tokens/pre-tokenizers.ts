// Pre-tokenizers of tokenizer.json: they split a text into words, which the model then splits into tokens.

import { FormatError } from '../../core/errors'
import { itemsOf, valueAt, type JsonRecord } from '../../files/containers/json'
import { byteText } from './byte-alphabet'
import { NO_SPACE, NUMERIC, PUNCTUATION, WORD, WORDS_OF_BERT } from './characters'
import { countField, flagField, partOf, textField, type PartTable } from './fields'
import { behaviorOf, literalPattern, patternOf, splitText, type Behavior } from './patterns'

/** Parts of a text, in order. */
export interface Pieces {
  readonly texts: string[]
  /** Whether the first part begins where the text of the user begins. */
  readonly isFirst: boolean
}

export type PreTokenizer = (pieces: Pieces) => Pieces

/** The pattern of GPT-2. The parts that follow an apostrophe are the endings of English words. */
export const GPT2_PATTERN =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu

const PRE_TOKENIZERS: PartTable<PreTokenizer> = {
  Sequence: (record, where) => {
    const steps = itemsOf(valueAt(record, 'pretokenizers')).map((each) =>
      partOf(each, 'pre-tokenizer', where, PRE_TOKENIZERS),
    )
    return (pieces) => steps.reduce((result, step) => step(result), pieces)
  },
  BertPreTokenizer: () => splitter(WORDS_OF_BERT, 'Removed', true),
  ByteLevel: byteLevel,
  CharDelimiterSplit: (record, where) => splitter(literalPattern(textField(record, 'delimiter', where)), 'Removed'),
  Digits: (record, where) =>
    splitter(NUMERIC, flagField(record, 'individual_digits', where, false) ? 'Isolated' : 'Contiguous'),
  FixedLength: (record, where) => {
    const length = countField(record, 'length', where, 5)
    if (length === 0) throw new FormatError(`${where}: 'length' must be at least 1`)
    return splitter(new RegExp(`[^]{1,${length}}`, 'gu'), 'Isolated')
  },
  Metaspace: metaspace,
  Punctuation: (record, where) =>
    splitter(PUNCTUATION, behaviorOf(textField(record, 'behavior', where, 'Isolated'), where)),
  Split: (record, where) =>
    splitter(
      patternOf(record, where),
      behaviorOf(textField(record, 'behavior', where), where),
      flagField(record, 'invert', where, false),
    ),
  Whitespace: () => splitter(new RegExp(`${WORD}+|(?:(?!${WORD})\\P{White_Space})+`, 'gu'), 'Removed', true),
  WhitespaceSplit: () => splitter(NO_SPACE, 'Removed', true),
}

/** The pre-tokenizer of a record of tokenizer.json. @throws FormatError for a kind that is not supported */
export function preTokenizerOf(record: JsonRecord, where: string): PreTokenizer {
  return partOf(record, 'pre-tokenizer', where, PRE_TOKENIZERS)
}

function splitter(pattern: RegExp, behavior: Behavior, isInverted = false): PreTokenizer {
  return ({ texts, isFirst }) => {
    const parts = texts.flatMap((text) => splitText(text, pattern, behavior, isInverted))
    return { texts: parts, isFirst: isFirst && parts.length > 0 && texts[0]!.startsWith(parts[0]!) }
  }
}

function byteLevel(record: JsonRecord, where: string): PreTokenizer {
  const hasPrefix = flagField(record, 'add_prefix_space', where, true)
  const usesPattern = flagField(record, 'use_regex', where, true)
  return ({ texts, isFirst }) => {
    const prefixed = hasPrefix ? texts.map((text) => (text.startsWith(' ') ? text : ` ${text}`)) : texts
    const words = usesPattern ? prefixed.flatMap((text) => splitText(text, GPT2_PATTERN, 'Isolated')) : prefixed
    return { texts: words.map(byteText), isFirst }
  }
}

function metaspace(record: JsonRecord, where: string): PreTokenizer {
  const replacement = textField(record, 'replacement', where, '▁')
  const scheme = prependScheme(record, where)
  const splits = flagField(record, 'split', where, true)
  const pattern = literalPattern(replacement)
  return ({ texts, isFirst }) => {
    const marked = texts.map((text, at) => {
      const spaced = text.replaceAll(' ', replacement)
      const prepends = scheme === 'always' || (scheme === 'first' && isFirst && at === 0)
      return prepends && !spaced.startsWith(replacement) ? replacement + spaced : spaced
    })
    return { texts: splits ? marked.flatMap((text) => splitText(text, pattern, 'MergedWithNext')) : marked, isFirst }
  }
}

/** When a space is put before a text. Files of old versions have the flag `add_prefix_space`. */
export function prependScheme(record: JsonRecord, where: string): 'always' | 'first' | 'never' {
  const scheme = textField(record, 'prepend_scheme', where, 'always')
  if (scheme !== 'always' && scheme !== 'first' && scheme !== 'never') {
    throw new FormatError(`${where}: 'prepend_scheme' must be 'always', 'first' or 'never', received '${scheme}'`)
  }
  return flagField(record, 'add_prefix_space', where, true) ? scheme : 'never'
}
