// Language models with weights of 8 and 4 bits, compared with the same model in the float32 numbers that the integers stand for.
// modes: simd, relaxed

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { AdamW, tensor } from '../../src'
import type { Shape } from '../../src/core/shapes'
import { CausalLM, PackedReversibleEmbedding, Projection, type WeightKind } from '../../src/entries/language'
import { folderOf, presetOf } from '../helpers/language'

interface Case {
  readonly config: Readonly<Record<string, unknown>>
  readonly shapes: Readonly<Record<string, Shape>>
}
interface Fixture {
  readonly tokenizer: Readonly<Record<string, unknown>>
  readonly texts: readonly string[]
  readonly cases: Readonly<Record<'llama' | 'gpt2' | 'gpt_neox', Case>>
}
const { tokenizer, texts, cases }: Fixture = JSON.parse(
  readFileSync(new URL('../golden/language/causal-lm.json', import.meta.url), 'utf8'),
)
const FAMILIES = ['llama', 'gpt2', 'gpt_neox'] as const
const BITS = ['int8', 'int4'] as const
const both = FAMILIES.flatMap((family) => BITS.map((weights) => [family, weights] as const))

const folder = (family: keyof typeof cases): string => presetOf(cases[family].config, cases[family].shapes, tokenizer)

/** The model with integers, and the one with the numbers that they stand for. */
async function pairOf(family: keyof typeof cases, weights: WeightKind): Promise<[packed: CausalLM, plain: CausalLM]> {
  const packed = await CausalLM.fromPreset(folder(family), { weights })
  const files = await packed.saveToPreset()
  return [packed, await CausalLM.fromPreset(folderOf(Object.fromEntries(files)))]
}

/** The losses of some steps that train adapters of all layers. */
async function adapterLosses(lm: CausalLM): Promise<number[]> {
  lm.enableLora(4, { targets: ['query', 'key', 'value', 'output', 'up', 'down'], seed: 3 })
  lm.compile({ optimizer: new AdamW({ learningRate: 1e-2, epsilon: 1e-9 }) })
  const { history } = await lm.fit(texts, { batchSize: 4, epochs: 4, shuffle: false, verbose: 0 })
  return [...history['loss']!]
}

const ids = (lm: CausalLM) => tensor([lm.tokenizer.encode(texts.join(' ')).slice(0, 24)], undefined, 'int32')

describe.each(both)('%s with %s', (family, weights) => {
  it('trains adapters as over the float32 numbers', async () => {
    const [packed, plain] = await pairOf(family, weights)
    const [received, expected] = [await adapterLosses(packed), await adapterLosses(plain)]
    received.forEach((loss, i) => expect(Math.abs(loss - expected[i]!)).toBeLessThan(2e-5))
    expect(received.at(-1)).toBeLessThan(received[0]!)
  })

  it('predicts as the float32 numbers, up to rounded activations', async () => {
    const [packed, plain] = await pairOf(family, weights)
    const [received, expected] = [await packed.model.predict(ids(packed)), await plain.model.predict(ids(plain))]
    const norm = (data: ArrayLike<number>): number => Math.hypot(...Array.from(data))
    const error = norm(Array.from(received.data, (each, i) => each - expected.data[i]!))
    expect(error / norm(expected.data)).toBeLessThan(0.03)
    expect(error).toBeGreaterThan(0)
  })

  it('continues with the likeliest token of predict, step by step', async () => {
    const packed = await CausalLM.fromPreset(folder(family), { weights })
    const prompt = texts[0]!
    const start = packed.tokenizer.encode(prompt)
    const whole = await packed.generate(prompt, { maxTokens: 12, temperature: 0, repetitionPenalty: 1 })
    const made = [...start]
    for (let i = 0; i < 12; i++) {
      const { data, shape } = await packed.model.predict(tensor([made], undefined, 'int32'))
      const last = Array.from(data.slice(data.length - shape[2]!))
      const next = last.indexOf(Math.max(...last))
      if (packed.generationConfig.stopTokens.includes(next)) break
      made.push(next)
    }
    expect(whole).toBe(packed.tokenizer.decode(made))
  })
})

it('takes less memory', async () => {
  const bytes = (lm: CausalLM): number => lm.model.weights.reduce((sum, { view }) => sum + view.byteLength, 0)
  // The widths of the other models here are not multiples of 32, so that their groups are padded.
  const config = {
    model_type: 'llama',
    hidden_size: 64,
    intermediate_size: 128,
    num_hidden_layers: 1,
    num_attention_heads: 2,
  }
  const { tokenizer: tokens } = await CausalLM.fromPreset(folder('llama'))
  const files = folderOf(Object.fromEntries(await CausalLM.fromConfig(config, tokens, { seed: 1 }).saveToPreset()))
  const [float, int8, int4] = await Promise.all(
    (['float32', 'int8', 'int4'] as const).map((weights) => CausalLM.fromPreset(files, { weights })),
  )
  expect(bytes(int8!)).toBeLessThan(0.32 * bytes(float!))
  expect(bytes(int4!)).toBeLessThan(bytes(int8!))
})

it('refuses to train integers, and other kinds of weights', async () => {
  const packed = await CausalLM.fromPreset(folder('llama'), { weights: 'int8' })
  await expect(packed.fit(texts, { verbose: 0 })).rejects.toThrow('enableLora')
  // @ts-expect-error there are no such weights
  await expect(CausalLM.fromPreset(folder('llama'), { weights: 'int3' })).rejects.toThrow(/weights.*'int8'/)
})

it('draws integers for layers that no file fills', () => {
  const layer = new Projection({ units: 16, storage: 'int8' })
  const x = tensor(
    Array.from({ length: 40 }, (_, i) => Math.sin(i)),
    [1, 40],
  )
  expect(layer.apply(x).data.some((each) => each !== 0)).toBe(true)
  const table = new PackedReversibleEmbedding({ inputDim: 10, outputDim: 40, storage: 'int4' })
  const vectors = table.apply(tensor([[3, -1, 11]], undefined, 'int32'))
  expect(vectors.shape).toEqual([1, 3, 40])
  expect(table.apply(vectors, { reverse: true }).shape).toEqual([1, 3, 10])
})
