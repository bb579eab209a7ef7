// The scanner of tokenizer.json finds what JSON.parse and the models find.
// modes: simd
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeUtf8 } from '../../../src/core/text'
import { Tokenizer } from '../../../src/language/tokens'
import { TokenTable } from '../../../src/language/tokens/token-table'
import { tokenizerContent } from '../../../src/language/tokens/tokenizer-content'

const letters = ['a', 'b', '"', '\\', 'é', '世', '\u{1f600}', '\n', '0', '<', '\ud800']
const word = fc.array(fc.constantFrom(...letters), { minLength: 1, maxLength: 3 }).map((each) => each.join(''))

/** Vocabularies with all letters and merges of two tokens, as tokenizer.json has them. */
const models = fc
  .record({ words: fc.uniqueArray(word, { maxLength: 20 }), areTexts: fc.boolean(), indent: fc.constantFrom(0, 2) })
  .map(({ words, areTexts, indent }) => {
    const tokens = [...new Set([...letters, ...words])]
    const merges: string[][] = []
    for (const left of tokens)
      for (const right of tokens) if (words.includes(left + right) && merges.length < 12) merges.push([left, right])
    const model = {
      type: 'BPE',
      vocab: Object.fromEntries(tokens.map((token, id) => [token, 3 * id])),
      merges: areTexts ? merges.map((pair) => pair.join(' ')) : merges,
    }
    const added_tokens = [{ id: 2, content: '<', special: true }]
    return { json: JSON.stringify({ added_tokens, model, padding: null }, null, indent), tokens }
  })

function tokenizerOf(json: string): Tokenizer {
  const { value, tables } = tokenizerContent(encodeUtf8(json))
  const files = { tokenizer: value as never, config: null, name: 'test' }
  return tables === null ? Tokenizer.fromFiles(files) : Tokenizer.fromTables(files, tables)
}

/** A file of BPE with other text in the place of a part. */
const fileWith = ({ vocab = '{"a": 0, "b": 1, "ab": 2}', merges = '[["a", "b"]]', more = '' }): string =>
  `{"version": "1.0", "model": {"type": "BPE", "vocab": ${vocab}, "merges": ${merges}${more}}}`

describe('tokenizerContent', () => {
  it('makes the tokenizer that the parsed file makes', () => {
    fc.assert(
      fc.property(models, fc.array(word, { maxLength: 5 }), ({ json, tokens }, words) => {
        const [ours, plain] = [
          tokenizerOf(json),
          Tokenizer.fromFiles({ tokenizer: JSON.parse(json), config: null, name: 'test' }),
        ]
        expect(ours.vocabularySize).toBe(plain.vocabularySize)
        for (const text of [words.join(''), ...words]) expect(ours.encode(text)).toEqual(plain.encode(text))
        for (const token of [...tokens, 'none']) expect(ours.tokenToId(token)).toBe(plain.tokenToId(token))
        for (let id = -1; id < 3 * tokens.length; id++) expect(ours.idToToken(id)).toBe(plain.idToToken(id))
        expect(ours.toFiles().tokenizer).toEqual(JSON.parse(json))
      }),
      { numRuns: 200 },
    )
  })

  it('takes tables of an ordinary file', () => {
    for (const merges of ['[["a", "b"]]', '["a b"]', '[]', ' [ [ "a" , "\\u0062" ] ] '])
      expect(tokenizerContent(encodeUtf8(fileWith({ merges }))).tables, merges).not.toBeNull()
  })

  it.each([
    ['a token of two numbers', { vocab: '{"a": 0, "b": 1, "ab": 2, "a": 3}' }],
    ['a number of two tokens', { vocab: '{"a": 0, "b": 0, "ab": 2}' }],
    ['a number that is not whole', { vocab: '{"a": 0, "b": 1.5, "ab": 2}' }],
    ['a number that is too large', { vocab: '{"a": 0, "b": 4194304, "ab": 2}' }],
    ['a merge of an unknown token', { merges: '[["a", "c"]]' }],
    ['a merge that makes an unknown token', { merges: '[["b", "a"]]' }],
    ['a merge of three tokens', { merges: '[["a", "b", "b"]]' }],
    ['a text of three tokens', { merges: '["a b b"]' }],
    ['a version between merges', { merges: '["#version: 0.2", "a b"]' }],
    ['a prefix of tokens', { more: ', "continuing_subword_prefix": "#"' }],
    ['two vocabularies', { more: ', "vocab": {"a": 5, "b": 1, "ab": 2}' }],
    ['another kind of model', { more: ', "type": "Unigram"' }],
  ])('leaves %s to the models', (_, parts) => {
    const json = fileWith(parts)
    const { value, tables } = tokenizerContent(encodeUtf8(json))
    expect(tables).toBeNull()
    expect(value).toEqual(JSON.parse(json))
  })

  it('refuses text that is no JSON wherever it is cut, and wherever a unit is another one', () => {
    const json = fileWith({ more: ', "unk_token": null, "dropout": [1, {"a": "\\n"}]' })
    for (let end = 0; end < json.length; end++)
      expect(() => tokenizerContent(encodeUtf8(json.slice(0, end))), json.slice(0, end)).toThrow(SyntaxError)
    fc.assert(
      fc.property(fc.nat(json.length - 1), fc.constantFrom(...'{}[]",:\\ a0-\n'), (at, unit) => {
        const changed = json.slice(0, at) + unit + json.slice(at + 1)
        let parsed: unknown
        try {
          parsed = JSON.parse(changed)
        } catch {
          expect(() => tokenizerContent(encodeUtf8(changed)), changed).toThrow(SyntaxError)
          return
        }
        const { value, tables } = tokenizerContent(encodeUtf8(changed))
        expect(tables === null ? value : tables.whole(), changed).toEqual(parsed)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('TokenTable', () => {
  it('has the texts and numbers of a Map', () => {
    const entries = fc.array(
      fc.tuple(fc.string({ maxLength: 4, unit: fc.constantFrom('a', 'b', '\ud800') }), fc.nat(900)),
    )
    fc.assert(
      fc.property(entries, (pairs) => {
        const [table, map] = [new TokenTable(), new Map<string, number>()]
        for (const [text, id] of pairs) {
          table.set(text, id)
          map.set(text, id)
        }
        // Of several texts of a number, the last.
        const texts = new Map([...map].map(([text, id]) => [id, text]))
        for (const [id, text] of texts) expect(table.textOf(id)).toBe(text)
        expect([...table]).toEqual([...map])
        expect(table.size).toBe(map.size)
        for (const [text] of pairs) expect([table.get(text), table.has(text)]).toEqual([map.get(text), true])
        expect(table.get('c')).toBeUndefined()
        const parts = `x${pairs.map(([text]) => text).join('')}`
        for (let from = 0; from < parts.length; from++)
          expect(table.findJoined(parts, from, from + 1, parts, 0, 0)).toBe(map.get(parts[from]!) ?? -1)
      }),
      { numRuns: 100 },
    )
  })

  it('grows', () => {
    const table = new TokenTable()
    for (let id = 0; id < 5000; id++) table.set(`token ${id}`, 2 * id)
    for (let id = 0; id < 5000; id++)
      expect([table.get(`token ${id}`), table.textOf(2 * id)]).toEqual([2 * id, `token ${id}`])
    expect(table.textOf(1)).toBeUndefined()
  })
})

it('gives long texts back', () => {
  const table = new TokenTable()
  const text = 'é'.repeat(300_000)
  table.set(text, 1)
  expect(table.textOf(1)).toBe(text)
})
