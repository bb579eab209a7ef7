// Normalizers of tokenizer.json: functions of texts that come before the split into words.

import { itemsOf, valueAt, type JsonRecord } from '../../files/containers/json'
import { byteText } from './byte-alphabet'
import { byWords } from './cache'
import {
  CONTROL,
  IDEOGRAPHS,
  LEADING_SPACE,
  MARKS,
  NONSPACING_MARKS,
  SPACE_TO_BERT,
  lowercase,
  normalizeForm,
} from './characters'
import { flagField, partOf, textField, type PartTable } from './fields'
import { patternOf } from './patterns'
import { precompiled } from './precompiled'
import { trimEndOf } from './spaces'

export type Normalizer = (text: string) => string

const NORMALIZERS: PartTable<Normalizer> = {
  Sequence: (record, where) => {
    const steps = itemsOf(valueAt(record, 'normalizers')).map((each) => partOf(each, 'normalizer', where, NORMALIZERS))
    return (text) => steps.reduce((result, step) => step(result), text)
  },
  BertNormalizer: bert,
  ByteLevel: () => byteText,
  Lowercase: () => lowercase,
  NFC: () => (text) => normalizeForm(text, 'NFC'),
  NFD: () => (text) => normalizeForm(text, 'NFD'),
  NFKC: () => (text) => normalizeForm(text, 'NFKC'),
  NFKD: () => (text) => normalizeForm(text, 'NFKD'),
  Nmt: () => nmt,
  Precompiled: (record, where) => precompiled(textField(record, 'precompiled_charsmap', where, ''), where),
  Prepend: (record, where) => {
    const prefix = textField(record, 'prepend', where)
    return (text) => (text === '' ? '' : prefix + text)
  },
  Replace: (record, where) => {
    const pattern = patternOf(record, where)
    const content = textField(record, 'content', where)
    return (text) => text.replace(pattern, () => content)
  },
  Strip: (record, where) => {
    const left = flagField(record, 'strip_left', where, true)
    const right = flagField(record, 'strip_right', where, true)
    return (text) => {
      const begun = left ? text.replace(LEADING_SPACE, '') : text
      return right ? trimEndOf(begun) : begun
    }
  },
  StripAccents: () => (text) => text.replace(MARKS, ''),
}

/** The normalizer of a record of tokenizer.json. @throws FormatError for a kind that is not supported */
export function normalizerOf(record: JsonRecord, where: string): Normalizer {
  return partOf(record, 'normalizer', where, NORMALIZERS)
}

function bert(record: JsonRecord, where: string): Normalizer {
  const cleans = flagField(record, 'clean_text', where, true)
  const splits = flagField(record, 'handle_chinese_chars', where, true)
  const lowers = flagField(record, 'lowercase', where, true)
  const strips = flagField(record, 'strip_accents', where, lowers)
  return byWords((word) => {
    if (/^[ -~]*$/.test(word)) return lowers ? word.toLowerCase() : word
    let result = word
    if (cleans) result = result.replace(CONTROL, '').replace(SPACE_TO_BERT, ' ')
    if (splits) result = result.replace(IDEOGRAPHS, ' $& ')
    if (strips) result = normalizeForm(result, 'NFD').replace(NONSPACING_MARKS, '')
    return lowers ? lowercase(result) : result
  })
}

/** The normalizer of Google's neural machine translation: removes controls, and makes other invisible characters spaces. */
function nmt(text: string): string {
  return (
    text
      // oxlint-disable-next-line no-control-regex -- these are removed
      .replace(/[\u0001-\u0008\u000b\u000e-\u001f\u007f\u008f\u009f]/g, '')
      .replace(/[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/g, ' ')
  )
}
