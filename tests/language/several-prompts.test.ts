// CausalLM with several prompts, which are computed together.
// modes: simd, relaxed

import { beforeAll, describe, expect, it } from 'vitest'
import { CausalLM, trainTokenizer, type GenerateTextsOptions } from '../../src/entries/language'

const texts = [
  'The sky is blue.',
  'The sea is blue, too.',
  'The grass is green, and so are the trees.',
  'Snow is white.',
]
const prompts = ['The', 'The sea is', 'Snow', 'The grass is green, and', 'Green']
const config = {
  model_type: 'llama',
  hidden_size: 32,
  intermediate_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 4,
}

let lm: CausalLM
beforeAll(async () => {
  const tokenizer = await trainTokenizer(texts, { vocabularySize: 280 })
  lm = CausalLM.fromConfig({ ...config, max_position_embeddings: 64 }, tokenizer, { seed: 1 })
  await lm.fit(texts, { batchSize: 4, epochs: 40, verbose: 0 })
})

const alone = async (options: GenerateTextsOptions): Promise<string[]> => {
  const made: string[] = []
  for (const prompt of prompts) made.push(await lm.generate(prompt, options))
  return made
}

describe('several prompts', () => {
  it('get the texts that they get alone, in any batches', async () => {
    const options = { maxTokens: 12, stopTokens: [] }
    const expected = await alone(options)
    expect(new Set(expected).size).toBe(prompts.length)
    for (const batchSize of [undefined, 1, 2, 3, 4, 5, 100])
      expect(await lm.generate(prompts, { ...options, ...(batchSize && { batchSize }) })).toEqual(expected)
  })

  it('end each at its own token, and text', async () => {
    const options = { maxTokens: 30, stop: ['e', '.'] }
    const expected = await alone(options)
    const lengths = expected.map((text, i) => text.length - prompts[i]!.length)
    expect(new Set(lengths).size).toBeGreaterThan(1)
    expect(await lm.generate(prompts, options)).toEqual(expected)
    expect(await lm.generate(prompts, { ...options, stripPrompt: true })).toEqual(
      expected.map((text, i) => text.slice(prompts[i]!.length)),
    )
  })

  it('draw differently, and again the same with a seed', async () => {
    const same = Array.from({ length: 6 }, () => 'The')
    const options = { maxTokens: 10, temperature: 2, seed: 5, stopTokens: [], batchSize: 3 }
    const first = await lm.generate(same, options)
    expect(new Set(first).size).toBe(same.length)
    expect(await lm.generate(same, options)).toEqual(first)
    expect(await lm.generate(same, { ...options, seed: 6 })).not.toEqual(first)
  })

  it('report each of their tokens once', async () => {
    const tokens: number[] = []
    const options = { maxTokens: 7, stopTokens: [], batchSize: 2 }
    await lm.generate(prompts, { ...options, onToken: (token) => tokens.push(token) })
    expect(tokens.length).toBe(7 * prompts.length)
  })

  it('search beams one after the other', async () => {
    const options = { maxTokens: 8, beams: 2, stopTokens: [] }
    expect(await lm.generate(prompts, options)).toEqual(await alone(options))
  })

  it('end early, and may be none', async () => {
    const control = new AbortController()
    control.abort()
    expect(await lm.generate(prompts, { signal: control.signal })).toEqual(prompts)
    expect(await lm.generate([])).toEqual([])
  })

  it('have errors of their own', async () => {
    await expect(lm.generate(prompts, { batchSize: 0 })).rejects.toThrow(/batchSize/)
    await expect(lm.generate('The', { batchSize: 2 } as object)).rejects.toThrow(/batchSize needs a list of prompts/)
    await expect(lm.generate(['The', 'The sea '.repeat(40)])).rejects.toThrow(/positions for 64/)
    await expect(lm.generate(prompts, { maxTokens: 60 })).rejects.toThrow(/maxTokens/)
  })
})
