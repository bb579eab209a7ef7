// The layers that read strings, as JavaScript: each is a function of the strings of one row, which writes their numbers.

import { ArgumentError } from '../../core/errors'
import { DateEncoding } from '../../layers/preprocessing/date-encoding'
import { StringLookup } from '../../layers/preprocessing/string-lookup'
import { TextVectorization } from '../../layers/preprocessing/text-vectorization'
import type { StringReader } from '../../ops/strings'
import { quote } from './quote'

/** The text of a function `(strings, to) => …`. @throws ArgumentError for a layer that has no such form, by name */
export function readerText(reader: StringReader): string {
  if (reader instanceof StringLookup) return lookupText(reader)
  if (reader instanceof TextVectorization) return vectorizationText(reader)
  if (reader instanceof DateEncoding) return DATES
  throw new ArgumentError(
    `${String(reader)}: an exported module has StringLookup, TextVectorization and DateEncoding of the layers that read strings. Give the model the numbers of this layer.`,
  )
}

/** The text of a Map from tokens to numbers. */
function numbersText(tokens: readonly string[], first: number): string {
  return `new Map(${quote(tokens)}.map((token, i) => [token, i + ${first}]))`
}

function lookupText(layer: StringLookup): string {
  const { maskToken, numOovIndices, outputMode } = layer
  if (numOovIndices > 1)
    throw new ArgumentError(
      `${String(layer)}: an exported module has no hash for several numOovIndices. Use one, which is the default.`,
    )
  const isMaskNumbered = maskToken !== null && outputMode === 'int'
  const unknown = Number(isMaskNumbered)
  const special = maskToken === null ? '' : ` token === ${quote(maskToken)} ? ${isMaskNumbered ? 0 : -1} :`
  const otherwise =
    numOovIndices === 1
      ? `${special} ${unknown}`
      : `${special} refuse(${quote(`${String(layer)}: not in the vocabulary: `)} + token)`
  return `((known) => (strings, to) => strings.forEach((token, i) => { to[i] = known.has(token) ? known.get(token) :${otherwise} }))(${numbersText(layer.getVocabulary(false), unknown + numOovIndices)})`
}

const SPLITS = {
  whitespace: String.raw`.split(/\s+/).filter((word) => word !== '')`,
  character: '',
} as const
const STRIP = String.raw`.replace(/[!"#$%&()*+,\-./:;\x3c=>?@[\\\]^_${'`'}{|}~']/g, '')`

function vectorizationText(layer: TextVectorization): string {
  const { standardize, split, ngrams, outputMode, outputSequenceLength } = layer
  if (typeof standardize === 'function' || typeof split === 'function')
    throw new ArgumentError(
      `${String(layer)}: an exported module cannot have functions of users, as standardize or split. Use one of the keywords.`,
    )
  if (outputSequenceLength === null)
    throw new ArgumentError(
      `${String(layer)}: an exported module needs to know how many words a text has. Set outputSequenceLength.`,
    )
  const isLower = standardize === 'lower' || standardize === 'lowerAndStripPunctuation'
  const isStripped = standardize === 'stripPunctuation' || standardize === 'lowerAndStripPunctuation'
  const plain = `text${isLower ? '.toLowerCase()' : ''}${isStripped ? STRIP : ''}`
  const words = { null: `[${plain}]`, whitespace: `${plain}${SPLITS.whitespace}`, character: `Array.from(${plain})` }
  const [padding, unknown] = outputMode === 'int' ? [0, 1] : [-1, 0]
  const known = numbersText(layer.getVocabulary(false), unknown + 1)
  const mask = outputMode === 'int' ? `token === '' ? 0 : ${unknown}` : `token === '' ? -1 : ${unknown}`
  return [
    '((known) => (strings, to) => {',
    `  const tokens = []`,
    `  for (const text of strings) {`,
    `    const words = ${words[split ?? 'null']}`,
    ...ngramLines(ngrams),
    '  }',
    `  for (let i = 0; i < to.length; i++) {`,
    '    const token = tokens[i]',
    `    to[i] = i >= tokens.length ? ${padding} : known.has(token) ? known.get(token) : ${mask}`,
    '  }',
    `})(${known})`,
  ].join('\n')
}

function ngramLines(ngrams: number | readonly number[] | null): readonly string[] {
  if (ngrams === null) return ['    tokens.push(...words)']
  const sizes = typeof ngrams === 'number' ? Array.from({ length: ngrams }, (_, i) => i + 1) : ngrams
  return [
    `    for (const size of ${quote(sizes)})`,
    "      for (let i = 0; i + size <= words.length; i++) tokens.push(words.slice(i, i + size).join(' '))",
  ]
}

/** As core/dates.ts and the layer: the day, the day of the week, milliseconds of the day, and whether there is a date. */
const DATES = String.raw`(strings, to) => strings.forEach((text, i) => {
  to.fill(0, 4 * i, 4 * i + 4)
  if (text === '') return
  const time = timeIn(text)
  if (time === null) refuse('not a date, such as 2024-05-31 or 2024-05-31T18:30:00Z: ' + text)
  const day = Math.floor(time / 864e5)
  to.set([day, day - 7 * Math.floor(day / 7), time - day * 864e5, 1], 4 * i)
})`

/** The function that readers of dates and tables with dates use. */
export const TIME_IN = String.raw`function timeIn(text) {
  const found = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3})\d*)?)?)?(Z|[+-]\d\d:?\d\d)?$/.exec(text.trim())
  if (found === null) return null
  const [year, month, day, hour, minute, second] = [1, 2, 3, 4, 5, 6].map((i) => Number(found[i] || 0))
  const time = Date.UTC(year, month - 1, day, hour, minute, second, Number(((found[7] || '') + '000').slice(0, 3)))
  const date = new Date(time)
  const isDay = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day
  if (!isDay || hour > 23 || minute > 59 || second > 59) return null
  const zone = /([+-])(\d\d):?(\d\d)$/.exec(found[8] || '')
  if (zone === null) return time
  if (Number(zone[2]) > 23 || Number(zone[3]) > 59) return null
  return time - Number(zone[1] + '1') * (Number(zone[2]) * 60 + Number(zone[3])) * 6e4
}`
