// TextEmbedder compared with sentence-transformers, and the folders that it refuses.
// modes: simd, relaxed

import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CausalLM, TextEmbedder, type EmbedOptions } from '../../src/entries/language'
import { encodeContainer } from '../../src/files/containers/safetensors'
import { drawnTensors, sentenceFolder, type SentencePreset } from '../helpers/language'

type Files = Readonly<Record<string, unknown>>
interface Case extends SentencePreset {
  readonly files: Files
  readonly results: readonly {
    readonly options: { prompt?: string; prompt_name?: string; normalize_embeddings?: boolean }
    readonly vectors: readonly (readonly number[])[]
  }[]
  readonly similarity: number
}

const golden = (name: string): URL => new URL(`../golden/language/${name}`, import.meta.url)
const { texts, cases }: { texts: string[]; cases: Record<string, Case> } = JSON.parse(
  gunzipSync(readFileSync(golden('sentences.json.gz'))).toString('utf8'),
)
const EVERY = 'every pooling, dense layers and a normalization'
const OLD = 'the switches of older files, and a prompt that does not count'
const ALONE = 'an encoder alone'

const open = (name: string, others: Files = {}): Promise<TextEmbedder> =>
  TextEmbedder.fromPreset(sentenceFolder(cases[name]!, others))

function distance(made: readonly ArrayLike<number>[], expected: readonly (readonly number[])[]): number {
  expect(made.map(({ length }) => length)).toEqual(expected.map(({ length }) => length))
  return Math.max(...expected.flatMap((row, r) => row.map((each, i) => Math.abs(made[r]![i]! - each))))
}

describe.each(Object.entries(cases))('%s', (name, { results, similarity }) => {
  it.each(results)('gives the vectors of sentence-transformers with $options', async ({ options, vectors }) => {
    const embedder = await open(name)
    const { prompt, prompt_name: promptName, normalize_embeddings: normalize } = options
    const given: EmbedOptions = { prompt: prompt ?? null, promptName: promptName ?? null, normalize: normalize ?? null }
    const longest = Math.max(1, ...vectors.flat().map(Math.abs))
    for (const batchSize of [32, 3, 1])
      expect(distance(await embedder.embed(texts, { ...given, batchSize }), vectors)).toBeLessThan(1e-5 * longest)
    expect(distance([await embedder.embed(texts[3]!, given)], [vectors[3]!])).toBeLessThan(1e-5 * longest)
    const [a, b] = await embedder.embed(texts.slice(0, 2))
    expect(embedder.similarity(a!, b!)).toBeCloseTo(similarity, 4)
    embedder.dispose()
  })
})

const MINILM = fileURLToPath(new URL('../../build/all-MiniLM-L6-v2', import.meta.url))

// python tests/golden/minilm.py fetches the folder.
describe.skipIf(!existsSync(MINILM))('all-MiniLM-L6-v2', () => {
  it('gives the vectors of sentence-transformers', async () => {
    const expected: { texts: string[]; vectors: number[][] } = JSON.parse(readFileSync(golden('minilm.json'), 'utf8'))
    const embedder = await TextEmbedder.fromPreset(MINILM)
    expect(embedder.maxLength).toBe(256)
    expect(distance(await embedder.embed(expected.texts), expected.vectors)).toBeLessThan(1e-5)
    embedder.dispose()
  })
})

describe('embed', () => {
  let embedder: TextEmbedder
  beforeAll(async () => {
    embedder = await open(EVERY)
  })
  afterAll(() => embedder.dispose())

  it('reports progress, and ends by a signal', async () => {
    const steps: number[][] = []
    await embedder.embed(texts, { batchSize: 3, onProgress: (done, all) => steps.push([done, all]) })
    expect(steps.at(-1)).toEqual([texts.length, texts.length])
    expect(steps.every(([done], i) => done! > (steps[i - 1]?.[0] ?? 0))).toBe(true)
    const controller = new AbortController()
    const onProgress = (): void => controller.abort(new Error('enough'))
    await expect(embedder.embed(texts, { batchSize: 3, onProgress, signal: controller.signal })).rejects.toThrow(
      'enough',
    )
    expect(await embedder.embed([])).toEqual([])
  })

  it('cuts texts, and leaves the normalization out', async () => {
    const [long] = await embedder.embed([`${'sea '.repeat(30)}ship`], { maxLength: 12 })
    const [other] = await embedder.embed(['sea '.repeat(30)], { maxLength: 12 })
    expect(long).toEqual(other)
    const plain = await embedder.embed('a cat', { normalize: false })
    const unit = await embedder.embed('a cat')
    const length = Math.hypot(...plain)
    expect(Math.abs(length - 1)).toBeGreaterThan(0.01)
    expect(Math.hypot(...unit)).toBeCloseTo(1, 5)
    expect(distance([plain.map((x) => x / length)], [[...unit]])).toBeLessThan(1e-6)
  })

  it('refuses wrong arguments', async () => {
    const refused = async (given: unknown, options: unknown, message: RegExp): Promise<void> => {
      await expect(embedder.embed(given as string, options as EmbedOptions)).rejects.toThrow(message)
    }
    await refused(3, {}, /texts must be a string or a list, received 3/)
    await refused(['a', null], {}, /text 1 must be a string, received null/)
    await refused('a', { batch: 3 }, /'batch'/)
    await refused('a', { batchSize: 0 }, /batchSize/)
    await refused('a', { normalize: 1 }, /normalize/)
    await refused('a', { maxLength: 101 }, /maxLength is 101, but the model has positions for 100/)
    await refused('a', { maxLength: 1 }, /maxLength must be at least 2/)
    await refused('a', { promptName: 'answer' }, /no prompt 'answer'; the preset has query, text/)
    expect(() => embedder.similarity([1, 2], [1])).toThrow(/received 2 and 1 numbers/)
  })
})

describe('fromPreset', () => {
  const refuses = async (others: Files, message: RegExp, name = EVERY): Promise<void> => {
    await expect(open(name, others)).rejects.toThrow(
      expect.objectContaining({ name: 'FormatError', message: expect.stringMatching(message) }),
    )
  }
  const modules = cases[EVERY]!.files['modules.json'] as readonly Record<string, unknown>[]
  const withModule = (index: number, changes: Record<string, unknown>): Files => ({
    'modules.json': modules.map((each, i) => (i === index ? { ...each, ...changes } : each)),
  })
  const dense = cases[EVERY]!.files['2_Dense/config.json'] as Record<string, unknown>

  it('refuses modules that it does not have', async () => {
    await refuses({ 'modules.json': {} }, /modules\.json must be a list/)
    await refuses({ 'modules.json': [] }, /modules\.json has no Transformer/)
    await refuses({ 'modules.json': [3] }, /modules\.json, module 0 must be a record, it is 3/)
    await refuses(withModule(0, { type: 'sentence_transformers.models.CLIPModel' }), /module 0 must be a Transformer/)
    await refuses(withModule(0, { path: '0_BERT' }), /module 0 is in the folder '0_BERT'/)
    await refuses(withModule(1, { type: 'models.CNN' }), /module 1 must be a Pooling, it is 'models\.CNN'/)
    await refuses(withModule(2, { type: 'models.LSTM' }), /module 2 is 'models\.LSTM'; supported after the pooling/)
    await refuses(
      withModule(1, { path: '../1_Pooling' }),
      /'path' must be the name of a folder, it is '\.\.\/1_Pooling'/,
    )
    await refuses(withModule(2, { path: 'https://other.example' }), /'path' must be the name of a folder/)
    await refuses({ '1_Pooling/config.json': null }, /has no 1_Pooling\/config\.json, which modules\.json names/)
    await refuses({ '1_Pooling/config.json': { pooling_mode: 'median' } }, /'pooling_mode' is 'median'; supported: cls/)
    await refuses({ '1_Pooling/config.json': { pooling_mode: 3 } }, /'pooling_mode' must be a list of texts/)
  })

  it('refuses dense layers whose files disagree', async () => {
    const withDense = (changes: Record<string, unknown>): Files => ({ '2_Dense/config.json': { ...dense, ...changes } })
    await refuses(withDense({ activation_function: 'mine.Wave' }), /'activation_function' is 'Wave'; supported: Tanh/)
    await refuses(
      withDense({ out_features: 13 }),
      /2_Dense\/model\.safetensors: 'linear\.weight' has the shape \[12, 96\], .*\[13, 96\]/,
    )
    await refuses(withDense({ use_residual: true }), /'use_residual' is true/)
    await refuses({ '2_Dense/model.safetensors': null }, /2_Dense\/model\.safetensors/)
  })

  it('refuses settings of texts that are wrong', async () => {
    await refuses({ 'config_sentence_transformers.json': { default_prompt_name: 'q' } }, /'default_prompt_name' is 'q'/)
    await refuses({ 'config_sentence_transformers.json': { prompts: { q: 3 } } }, /'q' must be text, it is 3/)
    await refuses({ 'config_sentence_transformers.json': { similarity_fn_name: 'odd' } }, /supported: cosine, dot/)
    await refuses({ 'sentence_bert_config.json': { max_seq_length: -1 } }, /'max_seq_length' must be an integer from 1/)
  })

  it('names the class for models of the other kind', async () => {
    await refuses(
      { 'config.json': { model_type: 'llama' } },
      /'llama' is not supported here\. Its models continue texts: use CausalLM/,
    )
    await expect(CausalLM.fromPreset(sentenceFolder(cases[ALONE]!))).rejects.toThrow(/'bert' .* use TextEmbedder/)
  })

  it('reads the names of old files', async () => {
    const { shapes, results } = cases[ALONE]!
    const drawn = drawnTensors(shapes['model.safetensors']!)
    const old = drawn.map(({ name, ...others }) => ({
      ...others,
      name: `bert.${name.replace(/LayerNorm\.weight$/, 'LayerNorm.gamma').replace(/LayerNorm\.bias$/, 'LayerNorm.beta')}`,
    }))
    // Such files also have a table of integers, which is no weight.
    const places = { name: 'bert.embeddings.position_ids', shape: [1, 100], data: new Int32Array(100) }
    const embedder = await open(ALONE, { 'model.safetensors': encodeContainer([...old, places], { format: 'pt' }) })
    expect(distance(await embedder.embed(texts), results[0]!.vectors)).toBeLessThan(1e-5)
    embedder.dispose()
  })
})

it('reads the settings of a preset', async () => {
  const embedder = await open(OLD)
  expect(embedder.maxLength).toBe(24)
  expect([...embedder.prompts]).toEqual([
    ['query', 'find the sea: '],
    ['text', ''],
  ])
  expect(embedder.config['model_type']).toBe('mpnet')
  embedder.dispose()
})
