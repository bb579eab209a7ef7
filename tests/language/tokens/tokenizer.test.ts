// Tokenizers of each kind compared with Python's tokenizers, and chat templates with transformers. TOKENIZERS=FOLDER compares the strings
// that `tests/golden/tokenizer_kinds.py many COUNT FOLDER` wrote, too.
// modes: simd

import { readFileSync, readdirSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { Tokenizer, trainTokenizer } from '../../../src/entries/language'
import { wellFormed } from '../../../src/core/text'
import type { JsonRecord } from '../../../src/files/containers/json'
import { readDocument } from '../../helpers/documented'

/** A text, its tokens, those without special tokens, other tokens, and the texts of both, without special tokens and with them. */
type Row = readonly [text: string, ids: number[], bare: number[], others: number[], decoded: string[]]
/** Texts or pairs, the length of rows, and their tokens, masks and types. */
type Pairs = readonly [
  texts: (string | [string, string])[],
  length: number,
  ids: number[][],
  mask: number[][],
  types: number[][],
]
interface Trained {
  readonly size: number
  readonly least: number
  readonly specials: readonly string[]
  readonly lines: boolean
  readonly merges: readonly string[]
  readonly rows: readonly { readonly text: string; readonly ids: readonly number[] }[]
}
interface Fixture {
  readonly trained: readonly Trained[]
  readonly kinds: Readonly<
    Record<string, { readonly tokenizer: JsonRecord; readonly rows: readonly Row[]; readonly pairs: readonly Pairs[] }>
  >
}

const golden = (name: string): URL => new URL(`../../golden/${name}`, import.meta.url)
const { trained, kinds }: Fixture = JSON.parse(gunzipSync(readFileSync(golden('tokenizer-kinds.json.gz'))).toString())

/** With a token of padding, which encodeBatch needs. */
const open = (tokenizer: JsonRecord, name: string): Tokenizer =>
  Tokenizer.fromFiles({
    tokenizer: { ...tokenizer, padding: tokenizer['padding'] ?? { pad_id: 0, pad_type_id: 0, direction: 'Right' } },
    config: null,
    name,
  })

function requireRow(tokenizer: Tokenizer, [text, ids, bare, others, decoded]: Row): void {
  expect(tokenizer.encode(text)).toEqual(ids)
  expect(tokenizer.encode(text, { addSpecialTokens: false })).toEqual(bare)
  let at = 0
  for (const each of [ids, others])
    for (const skipSpecialTokens of [true, false]) {
      expect(tokenizer.decode(each, { skipSpecialTokens })).toBe(decoded[at++])
      const stream = tokenizer.decoder({ skipSpecialTokens })
      const pieces = each.map((id) => stream.push(id))
      for (const piece of pieces) expect(wellFormed(piece)).toBe(piece)
      expect(pieces.join('') + stream.end()).toBe(decoded[at - 1])
    }
}

describe.each(Object.keys(kinds))('%s', (kind) => {
  const { tokenizer: files, rows, pairs } = kinds[kind]!
  const tokenizer = open(files, kind)

  it('encodes and decodes', () => {
    for (const row of rows) requireRow(tokenizer, row)
  })

  it('encodes pairs within a length', () => {
    for (const [texts, length, ids, mask, types] of pairs) {
      const batch = tokenizer.encodeBatch(texts, { maxLength: length })
      const counted = (values: readonly number[][], of: readonly number[][]): number[][] =>
        values.map((row, i) => row.map((value, j) => (of[i]![j] === 1 ? value : -1)))
      expect(counted(batch.ids, batch.mask)).toEqual(counted(ids, mask))
      expect(batch.tokenTypes).toEqual(types)
    }
  })

  const { TOKENIZERS } = process.env
  it.skipIf(TOKENIZERS === undefined)(
    'encodes and decodes many strings',
    () => {
      const large = open(JSON.parse(readFileSync(`${TOKENIZERS}/${kind}.tokenizer.json`, 'utf8')), kind)
      for (const line of readFileSync(`${TOKENIZERS}/${kind}.rows.jsonl`, 'utf8').split('\n'))
        if (line !== '') requireRow(large, JSON.parse(line))
    },
    600_000,
  )
})

describe('trainTokenizer', () => {
  it.each(trained)('$size tokens, at least $least times', async ({ size, least, specials, lines, merges, rows }) => {
    const book = readDocument('examples/data/moby-dick.txt')
    const tokenizer = await trainTokenizer(lines ? book.split('\n') : [book], {
      vocabularySize: size,
      minFrequency: least,
      specialTokens: specials,
    })
    const model = tokenizer.toFiles().tokenizer['model'] as { readonly merges: readonly (string | readonly string[])[] }
    expect(model.merges.map((each) => (typeof each === 'string' ? each : each.join(' ')))).toEqual(merges)
    for (const { text, ids } of rows) expect(tokenizer.encode(text)).toEqual(ids)
  })
})

describe('time', () => {
  it.each(['gpt2', 'llama2', 't5', 'bert'].filter((kind) => kind in kinds))(
    '%s takes long words in linear time',
    (kind) => {
      const tokenizer = open(kinds[kind]!.tokenizer, kind)
      const timeOf = (length: number): number => {
        const text = Array.from({ length }, (_, i) => String.fromCharCode(97 + ((i * i * 7) % 26))).join('')
        const from = performance.now()
        tokenizer.encode(text)
        return performance.now() - from
      }
      timeOf(1000)
      expect(timeOf(80_000)).toBeLessThan(3000)
    },
  )
})

it('every kind of the fixture is one of tokenizer.json', () => {
  expect(Object.keys(kinds).length).toBeGreaterThan(10)
  expect(readdirSync(new URL('.', golden('x'))).includes('tokenizer-kinds.json.gz')).toBe(true)
})
