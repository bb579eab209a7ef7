// trainTokenizer learns the merges of Python's BpeTrainer.
// modes: simd

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { Tokenizer, trainTokenizer } from '../../../src/language/tokens'

interface Trained {
  readonly size: number
  readonly least: number
  readonly specials: string[]
  /** Whether each line of the book is a text. */
  readonly lines: boolean
  readonly merges: string[]
  readonly rows: { readonly text: string; readonly ids: number[] }[]
}

const golden: { readonly trained: Trained[] } = JSON.parse(
  gunzipSync(readFileSync(new URL('../../golden/tokenizer-kinds.json.gz', import.meta.url))).toString(),
)
const book = readFileSync(new URL('../../../examples/data/moby-dick.txt', import.meta.url), 'utf8')

function mergesOf(tokenizer: Tokenizer): string[] {
  const { model } = JSON.parse(JSON.stringify(tokenizer.toFiles().tokenizer))
  return model.merges.map((merge: string[]) => merge.join(' '))
}

describe('trainTokenizer', () => {
  it.each(golden.trained)(
    'learns $size tokens as Python does',
    async ({ size, least, specials, lines, merges, rows }) => {
      const texts = lines ? book.split('\n') : [book]
      const tokenizer = await trainTokenizer(texts, {
        vocabularySize: size,
        specialTokens: specials,
        minFrequency: least,
      })
      expect(mergesOf(tokenizer)).toEqual(merges)
      expect(tokenizer.vocabularySize).toBe(specials.length + 256 + merges.length)
      for (const { text, ids } of rows) expect(tokenizer.encode(text)).toEqual(ids)
    },
  )

  it('gives files of which the same tokenizer is made', async () => {
    const tokenizer = await trainTokenizer([book.slice(0, 20_000)], { vocabularySize: 500 })
    const again = Tokenizer.fromFiles({ ...JSON.parse(JSON.stringify(tokenizer.toFiles())), name: 'again' })
    expect(again.encode(`${book.slice(0, 2_000)}<|endoftext|>`)).toEqual(
      tokenizer.encode(`${book.slice(0, 2_000)}<|endoftext|>`),
    )
    expect(again.eosTokenId).toBe(0)
    expect(again.decode(again.encode(book))).toBe(book)
  })

  it('takes texts as they come, tells of its progress, and stops', async () => {
    async function* later(): AsyncIterable<string> {
      for (const line of book.slice(0, 50_000).split('\n')) yield line
    }
    const heard: number[] = []
    const options = { vocabularySize: 600, onProgress: (tokens: number) => void heard.push(tokens) }
    const tokenizer = await trainTokenizer(later(), options)
    expect(mergesOf(tokenizer)).toEqual(
      mergesOf(await trainTokenizer(book.slice(0, 50_000).split('\n'), { vocabularySize: 600 })),
    )
    expect(heard.at(-1)).toBe(600)
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(trainTokenizer(later(), { vocabularySize: 600, signal })).rejects.toThrow('enough')
  })

  it('refuses what it cannot train', async () => {
    await expect(trainTokenizer(['a'], { vocabularySize: 256 })).rejects.toThrow(
      'vocabularySize must be a whole number from 257',
    )
    await expect(trainTokenizer(['a'], { vocabularySize: 300, specialTokens: ['a', 'a'] })).rejects.toThrow(
      'must be different',
    )
    await expect(trainTokenizer(['a'], { vocabularySize: 300, minFrequency: -1 })).rejects.toThrow('minFrequency')
    await expect(trainTokenizer('a', { vocabularySize: 300 })).rejects.toThrow('expected a list of texts')
  })
})
