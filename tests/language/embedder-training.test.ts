// Training of a TextEmbedder compared with sentence-transformers, and the folders that it writes.
// modes: simd, relaxed

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { AdamW, runtimeInfo } from '../../src'
import { TextEmbedder, type EmbedderFitOptions, type TextPair, type TextPairs } from '../../src/entries/language'
import { decodeContainer } from '../../src/files/containers/safetensors'
import { folderOf, sentenceFolder, type SentencePreset } from '../helpers/language'

interface Case extends SentencePreset {
  readonly scale: number
  readonly losses: readonly number[]
  /** Those of some texts after the training. */
  readonly vectors: readonly (readonly number[])[]
  readonly adapter?: Readonly<Record<string, unknown>>
  /** The weights of the adapter before the training. */
  readonly start?: string
}
interface Fixture {
  readonly texts: readonly string[]
  readonly pairs: readonly (readonly [string, string])[]
  readonly batch: number
  readonly cases: Readonly<Record<string, Case>>
}

const fixture: Fixture = JSON.parse(
  gunzipSync(readFileSync(new URL('../golden/language/pairs.json.gz', import.meta.url))).toString('utf8'),
)
const { cases, texts, batch } = fixture
const pairs = fixture.pairs.map(([anchor, positive]): TextPair => ({ anchor, positive }))
const [FULL, BIASED, ADAPTED] = ['in full', 'with a bias of positions', 'with an adapter'] as const
const open = (name: string): Promise<TextEmbedder> => TextEmbedder.fromPreset(sentenceFolder(cases[name]!))
const distance = (a: ArrayLike<number>, b: readonly number[]): number =>
  Math.max(...b.map((each, i) => Math.abs(a[i]! - each)))
const farthest = (made: readonly ArrayLike<number>[], expected: readonly (readonly number[])[]): number =>
  Math.max(...expected.map((row, i) => distance(made[i]!, row)))
const plain = (vectors: readonly Float32Array[]): number[][] => vectors.map((vector) => [...vector])

/** AdamW with five steps of warm-up and a limit of the norm: the loss of each step. */
async function losses(embedder: TextEmbedder, { scale, losses: expected }: Case, options: EmbedderFitOptions = {}) {
  const optimizer = new AdamW({ learningRate: 1e-3, weightDecay: 0.01, epsilon: 1e-9, globalClipnorm: 1 })
  embedder.compile({ optimizer, scale })
  const made: number[] = []
  for (let step = 0; step < expected.length; step++) {
    optimizer.learningRate = 1e-3 * Math.min(1, (step + 1) / 5)
    const rows = Array.from({ length: batch }, (_, i) => pairs[(batch * step + i) % pairs.length]!)
    const { history } = await embedder.fit(rows, { batchSize: batch, shuffle: false, verbose: 0, ...options })
    made.push(history['loss']![0]!)
  }
  return made
}

const adapterFolder = ({ adapter, start }: Case): string =>
  folderOf({
    'adapter_config.json': adapter,
    'adapter_model.safetensors': new Uint8Array(Buffer.from(start!, 'base64')),
  })

describe('fit', () => {
  it.each([FULL, BIASED])('trains %s as sentence-transformers does', async (name) => {
    const embedder = await open(name)
    const expected = cases[name]!
    expect(distance(await losses(embedder, expected), expected.losses)).toBeLessThan(1e-4)
    expect(farthest(await embedder.embed(texts), expected.vectors)).toBeLessThan(1e-3)
    embedder.dispose()
  })

  it('trains an adapter as peft does, with recompute too', async () => {
    const expected = cases[ADAPTED]!
    for (const recompute of [false, true]) {
      const embedder = await open(ADAPTED)
      await embedder.loadLora(adapterFolder(expected))
      expect(distance(await losses(embedder, expected, { recompute }), expected.losses)).toBeLessThan(1e-4)
      expect(farthest(await embedder.embed(texts), expected.vectors)).toBeLessThan(1e-3)
      embedder.dispose()
    }
  })

  it('makes texts of a pair similar, with adapters over integers too', async () => {
    const embedder = await TextEmbedder.fromPreset(sentenceFolder(cases[FULL]!), { weights: 'int8' })
    await expect(embedder.fit(pairs, { verbose: 0 })).rejects.toThrow(/int8, which is not trained. Call enableLora/)
    embedder.enableLora(4, { targets: ['query', 'value', 'up', 'down'], seed: 1 })
    expect(embedder.model.trainableWeights.length).toBe(2 * 2 * 4)
    embedder.compile({ optimizer: new AdamW({ learningRate: 0.01 }) })
    const before = await embedder.evaluate(pairs, { batchSize: 8 })
    const { history } = await embedder.fit(pairs, { batchSize: 8, epochs: 20, verbose: 0, validationData: pairs })
    const after = await embedder.evaluate(pairs, { batchSize: 8 })
    expect(after.loss).toBeLessThan(0.8 * before.loss)
    expect(history['valLoss']!.at(-1)).toBeCloseTo(after.loss, 5)
    embedder.dispose()
  })

  it('refuses what it cannot train', async () => {
    const embedder = await open(FULL)
    const refused = async (given: unknown, options: object, message: RegExp): Promise<void> => {
      await expect(embedder.fit(given as TextPairs, { verbose: 0, ...options })).rejects.toThrow(message)
    }
    await refused(['a'], {}, /pair 0 must be a record of two texts, anchor and positive; received 'a'/)
    await refused([pairs[0], { anchor: 'a', positive: 3 }], {}, /pair 1 must be a record/)
    await refused([{ ...pairs[0], negative: 'a' }], {}, /pair 0 must be a record/)
    await refused([pairs[0]], {}, /two pairs at least.* received 1 pairs and batchSize 16/)
    await refused(pairs, { batchSize: 1 }, /two pairs at least.* batchSize 1/)
    await refused(pairs, { maxLength: 101 }, /maxLength is 101, but the model has positions for 100/)
    await refused(pairs, { sequenceLength: 5 }, /sequenceLength/)
    expect(() => embedder.compile({ scale: 0 })).toThrow(/scale/)
    // @ts-expect-error
    await expect(embedder.evaluate(pairs, { sequenceLength: 5 })).rejects.toThrow(/sequenceLength/)
    await expect(embedder.saveLora()).rejects.toThrow(/Call enableLora before/)
    embedder.dispose()
  })
})

describe('the files of an adapter', () => {
  it('are those of peft', async () => {
    const embedder = await open(ADAPTED)
    const { adapter, start } = cases[ADAPTED]!
    await embedder.loadLora(adapterFolder(cases[ADAPTED]!))
    const files = await embedder.saveLora()
    const written = JSON.parse(Buffer.from(files.get('adapter_config.json')!).toString())
    expect(written).toMatchObject({
      task_type: 'FEATURE_EXTRACTION',
      r: adapter!['r'],
      lora_alpha: adapter!['lora_alpha'],
    })
    const [ours, theirs] = [files.get('adapter_model.safetensors')!, Buffer.from(start!, 'base64')].map(
      (bytes) => decodeContainer(new Uint8Array(bytes)).tensors,
    )
    expect([...ours!.keys()].sort()).toEqual([...theirs!.keys()].sort())
    for (const [key, { data }] of theirs!) expect([key, [...ours!.get(key)!.data]]).toEqual([key, [...data]])
    const adapted = plain(await embedder.embed([...texts]))
    embedder.disableLora()
    const other = await open(ADAPTED)
    expect(plain(await embedder.embed([...texts]))).toEqual(plain(await other.embed([...texts])))
    await other.loadLora(folderOf(Object.fromEntries(files)))
    expect(plain(await other.embed([...texts]))).toEqual(adapted)
    embedder.dispose()
    other.dispose()
  })
})

describe('saveToPreset', () => {
  it.each([FULL, BIASED])('writes what fromPreset opens, trained %s', async (name) => {
    const embedder = await open(name)
    await embedder.fit(pairs, { batchSize: 8, verbose: 0 })
    const folder = folderOf({})
    const files = await embedder.saveToPreset(folder)
    const { files: source, shapes } = cases[name]!
    // The pooler of BERT is no part of the features.
    for (const file of ['modules.json', '1_Pooling/config.json', 'config_sentence_transformers.json'])
      expect(JSON.parse(Buffer.from(files.get(file)!).toString())).toEqual(source[file])
    for (const [file, tensors] of Object.entries(shapes)) {
      const written = decodeContainer(files.get(file)!).tensors
      for (const [key, { shape }] of written) expect([key, shape]).toEqual([key, tensors[key]])
      const missing = Object.keys(tensors).filter((key) => !written.has(key))
      expect(missing.filter((key) => !key.startsWith('pooler.'))).toEqual([])
    }
    const again = await TextEmbedder.fromPreset(folder)
    expect(plain(await again.embed([...texts]))).toEqual(plain(await embedder.embed([...texts])))
    expect([...again.prompts]).toEqual([...embedder.prompts])
    embedder.dispose()
    again.dispose()
  })

  it('writes the mean over tokens of an encoder alone', async () => {
    const { files, shapes, ...others } = cases[ADAPTED]!
    const kept = Object.entries(files).filter(([name]) => !/modules|sentence|_Pooling/.test(name))
    const embedder = await TextEmbedder.fromPreset(
      sentenceFolder({ ...others, shapes, files: Object.fromEntries(kept) }),
    )
    const written = await embedder.saveToPreset()
    const json = (name: string): unknown => JSON.parse(Buffer.from(written.get(name)!).toString())
    expect(json('modules.json')).toHaveLength(2)
    expect(json('1_Pooling/config.json')).toEqual({ word_embedding_dimension: 16, pooling_mode_mean_tokens: true })
    expect(json('sentence_bert_config.json')).toEqual({ max_seq_length: embedder.maxLength, do_lower_case: false })
    const again = await TextEmbedder.fromPreset(folderOf(Object.fromEntries(written)))
    expect(plain(await again.embed([...texts]))).toEqual(plain(await embedder.embed([...texts])))
    embedder.dispose()
    again.dispose()
  })
})

it('dispose frees the memory of all weights', async () => {
  const used = () => runtimeInfo().memory.usedBytes
  const run = async (): Promise<void> => {
    const embedder = await open(FULL)
    await embedder.embed(texts)
    embedder.dispose()
  }
  await run()
  const before = used()
  await run()
  expect(used()).toBe(before)
})
