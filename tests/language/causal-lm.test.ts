// CausalLM compared with transformers and peft: texts, scores, training, adapters, and the files of both.
// modes: simd, relaxed

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { AdamW, tensor } from '../../src'
import { decodeContainer } from '../../src/files/containers/safetensors'
import { CausalLM, presetInfo, trainTokenizer } from '../../src/entries/language'
import type { Shape } from '../../src/core/shapes'
import { folderOf, presetOf } from '../helpers/language'

interface Case {
  readonly config: Readonly<Record<string, unknown>>
  readonly shapes: Readonly<Record<string, Shape>>
  readonly greedy: readonly number[]
  readonly beams: readonly number[]
  readonly penalized: readonly number[]
  readonly chat: readonly number[]
  readonly scores: readonly number[]
  readonly losses: readonly number[]
  readonly adapter: {
    readonly config: Readonly<Record<string, unknown>>
    readonly start: string
    readonly end: string
    readonly losses: readonly number[]
    readonly tokens: number[]
    readonly logits: readonly number[]
  }
}
interface Fixture {
  readonly tokenizer: Readonly<Record<string, unknown>>
  readonly texts: readonly string[]
  readonly cases: Readonly<Record<'llama' | 'gpt2' | 'gpt_neox', Case>>
}

const { tokenizer, texts, cases }: Fixture = JSON.parse(
  readFileSync(new URL('../golden/language/causal-lm.json', import.meta.url), 'utf8'),
)
const open = (name: keyof typeof cases): Promise<CausalLM> =>
  CausalLM.fromPreset(
    presetOf(cases[name].config, cases[name].shapes, {
      ...tokenizer,
      'generation_config.json': { eos_token_id: 1, min_p: 0.1 },
    }),
  )
const bytesOf = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'))
const adapterFolder = ({ adapter }: Case, at: 'start' | 'end'): string =>
  folderOf({ 'adapter_config.json': adapter.config, 'adapter_model.safetensors': bytesOf(adapter[at]) })
const distance = (a: ArrayLike<number>, b: readonly number[]): number =>
  Math.max(...b.map((each, i) => Math.abs(a[i]! - each)))

/** AdamW with five steps of warm-up and a limit of the norm: the loss of each step. */
async function losses(lm: CausalLM, steps: number): Promise<number[]> {
  const optimizer = new AdamW({ learningRate: 1e-3, weightDecay: 0.01, epsilon: 1e-9, globalClipnorm: 1 })
  lm.compile({ optimizer })
  const made: number[] = []
  for (let step = 0; step < steps; step++) {
    optimizer.learningRate = 1e-3 * Math.min(1, (step + 1) / 5)
    const batch = [(2 * step) % 8, (2 * step + 1) % 8].map((i) => texts[i]!)
    const { history } = await lm.fit(batch, { batchSize: 2, shuffle: false, verbose: 0 })
    made.push(history['loss']![0]!)
  }
  return made
}

/** The scores after the last of some tokens. */
async function lastScores({ model }: CausalLM, tokens: number[]): Promise<ArrayLike<number>> {
  const { data, shape } = await model.predict(tensor([tokens], [1, tokens.length], 'int32'))
  return data.slice(data.length - shape[2]!)
}

describe.each(Object.keys(cases) as (keyof typeof cases)[])('%s', (name) => {
  const expected = cases[name]

  it('continues texts as transformers does', async () => {
    const lm = await open(name)
    const text = (ids: readonly number[]): string => lm.tokenizer.decode(ids)
    const options = { stopTokens: [], maxTokens: 12 }
    expect(await lm.generate('Call me', { ...options, maxTokens: 30 })).toBe(text(expected.greedy))
    expect(await lm.generate('Call me', { ...options, beams: 3 })).toBe(text(expected.beams))
    expect(await lm.generate('Call me', { ...options, repetitionPenalty: 1.3 })).toBe(text(expected.penalized))
    const chat = [{ role: 'user', content: 'Who?' }]
    expect(await lm.chat(chat, { ...options, maxTokens: 10 })).toBe(text(expected.chat))
    expect(await lm.generate(['Call me', 'Call me'], { ...options, maxTokens: 30 })).toEqual([
      text(expected.greedy),
      text(expected.greedy),
    ])
    await lm.dispose()
  })

  it('scores texts', async () => {
    const lm = await open(name)
    const [score] = await lm.scoreSequences([texts[0]!])
    // The fixture has one more token, the end of the text.
    const known = expected.scores.slice(0, -1)
    expect(distance(score!.logProbabilities, known)).toBeLessThan(1e-4)
    expect(score!.perplexity).toBeCloseTo(Math.exp(-known.reduce((sum, each) => sum + each, 0) / known.length), 2)
    await lm.dispose()
  })

  it('trains as PyTorch does', async () => {
    const lm = await open(name)
    expect(distance(await losses(lm, 20), expected.losses)).toBeLessThan(1e-4)
    await lm.dispose()
  })

  it('trains adapters as peft does, with recompute too', async () => {
    for (const recompute of [false, true]) {
      const lm = await open(name)
      await lm.loadLora(adapterFolder(expected, 'start'))
      if (recompute) await lm.fit(texts.slice(0, 1), { recompute, verbose: 0, epochs: 1, initialEpoch: 1 })
      expect(distance(await losses(lm, 50), expected.adapter.losses)).toBeLessThan(1e-4)
      expect(distance(await lastScores(lm, expected.adapter.tokens), expected.adapter.logits)).toBeLessThan(1e-3)
      await lm.dispose()
    }
  })

  it('reads and writes the adapters of peft', async () => {
    const lm = await open(name)
    await lm.loadLora(adapterFolder(expected, 'start'))
    const start = Array.from(await lastScores(lm, expected.adapter.tokens))
    const written = await lm.saveLora()
    const original = decodeContainer(bytesOf(expected.adapter.start)).tensors
    const ours = decodeContainer(written.get('adapter_model.safetensors')!).tensors
    expect([...ours.keys()].sort()).toEqual([...original.keys()].sort())
    for (const [key, { shape, data }] of original) {
      expect(ours.get(key)!.shape).toEqual(shape)
      expect(Array.from(ours.get(key)!.data)).toEqual(Array.from(data))
    }
    await lm.loadLora(adapterFolder(expected, 'end'))
    expect(distance(await lastScores(lm, expected.adapter.tokens), expected.adapter.logits)).toBeLessThan(1e-5)
    const again = await open(name)
    await again.loadLora(folderOf(Object.fromEntries(written)))
    expect(distance(await lastScores(again, expected.adapter.tokens), start)).toBeLessThan(1e-6)
    lm.disableLora()
    const plain = await open(name)
    expect(Array.from(await lastScores(lm, [5, 6, 7]))).toEqual(Array.from(await lastScores(plain, [5, 6, 7])))
  })

  it('writes presets that it reads', async () => {
    const lm = await open(name)
    const files = await lm.saveToPreset()
    expect(JSON.parse(Buffer.from(files.get('generation_config.json')!).toString())).toEqual({
      eos_token_id: 1,
      min_p: 0.1,
    })
    const original = presetOf(expected.config, expected.shapes, tokenizer)
    const before = decodeContainer(readFileSync(join(original, 'model.safetensors'))).tensors
    const after = decodeContainer(files.get('model.safetensors')!).tensors
    // A tied head has no tensor of its own.
    for (const [key, { data }] of after) expect(Array.from(data)).toEqual(Array.from(before.get(key)!.data))
    const again = await CausalLM.fromPreset(folderOf(Object.fromEntries(files)))
    expect(await again.generate('Call me', { maxTokens: 8 })).toBe(await lm.generate('Call me', { maxTokens: 8 }))
  })
})

it('streams pieces whose join is the text, ends at stop texts, and with a signal', async () => {
  const lm = await open('llama')
  const options = { stopTokens: [], maxTokens: 30, temperature: 1.5, seed: 3 }
  const whole = await lm.generate('Call me', { ...options, stripPrompt: true })
  const pieces: string[] = []
  for await (const piece of lm.stream('Call me', options)) pieces.push(piece)
  expect(pieces.join('')).toBe(whole)
  const stop = whole.slice(6, 9)
  expect(await lm.generate('Call me', { ...options, stop, stripPrompt: true })).toBe(
    whole.slice(0, whole.indexOf(stop)),
  )
  for (const empty of ['', [stop, '']])
    await expect(lm.generate('Call me', { ...options, stop: empty })).rejects.toThrow(/stop.* non-empty string/)
  const control = new AbortController()
  let text = ''
  for await (const piece of lm.stream('Call me', { ...options, signal: control.signal })) {
    text += piece
    control.abort()
  }
  expect(text.length).toBeLessThan(whole.length)
  expect(whole.startsWith(text)).toBe(true)
})

it('a chat keeps what it has computed, and forgets it after training', async () => {
  const lm = await open('llama')
  const first = [{ role: 'user', content: 'Who are you, and what do you want here?' }]
  const reply = await lm.chat(first, { maxTokens: 5, stopTokens: [] })
  const second = [...first, { role: 'assistant', content: reply }, { role: 'user', content: 'Why?' }]
  const continued = await lm.chat(second, { maxTokens: 5, stopTokens: [] })
  const fresh = await open('llama')
  expect(await fresh.chat(second, { maxTokens: 5, stopTokens: [] })).toBe(continued)
  lm.compile({ optimizer: new AdamW({ learningRate: 0.05 }) })
  await lm.fit(texts, { epochs: 3, verbose: 0 })
  const after = await lm.chat(second, { maxTokens: 8, stopTokens: [] })
  const copy = await CausalLM.fromPreset(folderOf(Object.fromEntries(await lm.saveToPreset())))
  expect(after).toBe(await copy.chat(second, { maxTokens: 8, stopTokens: [] }))
})

it('the loss is the mean over tokens, of rows of any lengths in any batches, and the perplexity its exponential', async () => {
  const lm = await open('llama')
  const mixed = [...texts.slice(0, 4), { prompt: texts[4]!, response: 'a' }]
  const alone = await lm.evaluate(mixed, { batchSize: 8 })
  for (const batchSize of [1, 2, 3]) {
    const { loss, perplexity } = await lm.evaluate(mixed, { batchSize })
    expect(loss).toBeCloseTo(alone.loss, 5)
    expect(Math.log(perplexity)).toBeCloseTo(loss, 5)
  }
  lm.compile({ optimizer: 'sgd' })
  const { history } = await lm.fit(mixed, { batchSize: 2, verbose: 0, shuffle: false, validationData: mixed })
  expect(Math.log(history['perplexity']![0]!)).toBeCloseTo(history['loss']![0]!, 5)
  expect(Math.log(history['valPerplexity']![0]!)).toBeCloseTo(history['valLoss']![0]!, 5)
  await lm.dispose()
})

it('trains on responses alone', async () => {
  const lm = await open('llama')
  const { loss } = await lm.evaluate([{ prompt: 'Call me', response: ' Ishmael' }])
  const ids = lm.tokenizer.encode('Call me')
  const response = [...lm.tokenizer.encode(' Ishmael', { addSpecialTokens: false }), lm.tokenizer.eosTokenId!]
  const whole = [...ids, ...response]
  const { data, shape } = await lm.model.predict(tensor([whole], [1, whole.length], 'int32'))
  const tokens = shape[2]!
  let sum = 0
  for (let i = ids.length; i < whole.length; i++) {
    const row = Array.from(data.slice((i - 1) * tokens, i * tokens))
    sum += Math.log(row.reduce((total, each) => total + Math.exp(each), 0)) - row[whole[i]!]!
  }
  expect(loss).toBeCloseTo(sum / response.length, 4)
  const history = await lm.fit([{ prompt: 'Call me', response: ' Ishmael' }], {
    epochs: 40,
    verbose: 0,
    validationData: [{ prompt: 'Call me', response: ' Ishmael' }],
  })
  expect(history.history['valPerplexity']!.at(-1)!).toBeLessThan(history.history['perplexity']![0]!)
})

it('trains on replies to conversations, which the chat template writes', async () => {
  const lm = await open('llama')
  const messages = [{ role: 'user', content: 'Who?' }]
  const written = lm.tokenizer.applyChatTemplate(messages, { addGenerationPrompt: true })
  const chat = await lm.evaluate([{ prompt: messages, response: ' Ishmael' }])
  // The template writes the special tokens, so none is added; of the other prompt they are left out by its own tokens.
  const ids = lm.tokenizer.encodeChat(messages, { addGenerationPrompt: true })
  expect(ids).toEqual(lm.tokenizer.encode(written, { addSpecialTokens: false }))
  const response = [...lm.tokenizer.encode(' Ishmael', { addSpecialTokens: false }), lm.tokenizer.eosTokenId!]
  const scores = await lm.model.predict(tensor([[...ids, ...response]], undefined, 'int32'))
  const size = scores.shape[2]!
  const losses = response.map((token, i) => {
    const row = Array.from(scores.data.slice((ids.length + i - 1) * size, (ids.length + i) * size))
    return Math.log(row.reduce((total, each) => total + Math.exp(each), 0)) - row[token]!
  })
  expect(chat.loss).toBeCloseTo(losses.reduce((sum, each) => sum + each, 0) / losses.length, 4)
  // @ts-expect-error
  await expect(lm.fit([{ prompt: 5, response: '' }], { verbose: 0 })).rejects.toThrow(/list of messages/)
})

it('reports each new token, with the one that ends the text', async () => {
  const lm = await open('llama')
  const tokens: number[] = []
  const options = { maxTokens: 12, stripPrompt: true, stopTokens: [] }
  const text = await lm.generate('Call me', { ...options, onToken: (token) => tokens.push(token) })
  expect(lm.tokenizer.decode(tokens)).toBe(text)
  const [, , third] = tokens
  const counted: number[] = []
  await lm.generate('Call me', { ...options, stopTokens: [third!], onToken: (token) => counted.push(token) })
  expect(counted).toEqual(tokens.slice(0, tokens.indexOf(third!) + 1))
  // @ts-expect-error
  await expect(lm.generate('Call me', { onToken: 5 })).rejects.toThrow(/onToken/)
})

it.each(['llama', 'gpt2', 'gpt_neox'] as const)('tells what %s takes in memory before it is loaded', async (name) => {
  const folder = presetOf(cases[name].config, cases[name].shapes, tokenizer)
  const { modelType, bytes } = await presetInfo(folder)
  expect(modelType).toBe(name)
  for (const weights of ['float32', 'int8', 'int4'] as const) {
    const lm = await CausalLM.fromPreset(folder, { weights })
    const taken = lm.model.weights.reduce((sum, { view }) => sum + view.byteLength, 0)
    expect(bytes[weights] / taken, weights).toBeCloseTo(1, 1)
    await lm.dispose()
  }
  await expect(presetInfo(folderOf({ 'config.json': { model_type: 'mamba' } }))).rejects.toThrow(/'mamba'|"mamba"/)
  await expect(presetInfo(folderOf({ 'a.json': {} }))).rejects.toThrow(/has no config.json/)
})

it('can be scored, compiled and changed in any order', async () => {
  const lm = await open('llama')
  await lm.scoreSequences([texts[0]!])
  await lm.fit(texts.slice(0, 2), { verbose: 0 })
  lm.compile({ optimizer: 'sgd' })
  lm.enableLora(2)
  await lm.fit(texts.slice(0, 2), { verbose: 0 })
  lm.compile({ optimizer: new AdamW({ learningRate: 1e-3 }) })
  lm.disableLora()
  await expect(lm.fit(texts.slice(0, 2), { verbose: 0 })).rejects.toThrow(/Call compile with a new optimizer/)
  lm.compile()
  await lm.fit(texts.slice(0, 2), { verbose: 0 })
})

describe('errors', () => {
  it('name what is wrong and what to do', async () => {
    const lm = await open('llama')
    await expect(lm.generate('Call me', { maxTokens: 500 })).rejects.toThrow(/positions for 128.*at most/s)
    await expect(lm.generate('word '.repeat(200))).rejects.toThrow(/no token can follow/)
    // @ts-expect-error
    await expect(lm.generate('Call me', { maxToken: 5 })).rejects.toThrow(/maxTokens/)
    // Spelt as in Keras, an option is read.
    await expect(lm.generate('Call me', { repetition_penalty: 0 } as object)).rejects.toThrow(/repetitionPenalty/)
    await expect(lm.generate('Call me', { topK: 5 })).rejects.toThrow(/temperature/)
    await expect(lm.generate('Call me', { beams: 2, temperature: 1 })).rejects.toThrow(/exclude each other/)
    await expect(lm.fit([], { verbose: 0 })).rejects.toThrow(/no tokens/)
    // @ts-expect-error
    await expect(lm.fit([{ prompt: 'a' }], { verbose: 0 })).rejects.toThrow(/text 0 must be a string/)
    await expect(lm.fit(texts, { sequenceLength: 500 })).rejects.toThrow(/positions for 128/)
    await expect(lm.saveLora()).rejects.toThrow(/enableLora/)
    // @ts-expect-error
    await expect(lm.evaluate(texts, { maxLength: 5 })).rejects.toThrow(/maxLength/)
    // @ts-expect-error
    expect(() => lm.enableLora(4, { targets: ['q_proj'] })).toThrow(/query, key, value/)
    lm.enableLora(4)
    expect(() => lm.enableLora(4)).toThrow(/disableLora/)
  })

  it('adapters of another model change nothing', async () => {
    const lm = await open('llama')
    await expect(lm.loadLora(adapterFolder(cases.gpt2, 'end'))).rejects.toThrow(/no layer/)
    expect(lm.model.trainableWeights.length).toBe(lm.model.weights.length)
    const config = { ...cases.llama.adapter.config, use_dora: true }
    const other = folderOf({
      'adapter_config.json': config,
      'adapter_model.safetensors': bytesOf(cases.llama.adapter.end),
    })
    await expect(lm.loadLora(other)).rejects.toThrow(/use_dora/)
  })
})

it('enableLora trains only adapters, and its file has the sum of ranks where layers share a tensor', async () => {
  const lm = await open('gpt2')
  lm.enableLora(2, { targets: ['query', 'value', 'up'], alpha: 4, seed: 1 })
  const before = lm.model.weights.filter(({ trainable }) => !trainable).map(({ value }) => Array.from(value.data))
  const history = await lm.fit(texts, { epochs: 30, verbose: 0 })
  expect(history.history['loss']!.at(-1)!).toBeLessThan(history.history['loss']![0]!)
  const after = lm.model.weights.filter(({ trainable }) => !trainable).map(({ value }) => Array.from(value.data))
  expect(after).toEqual(before)
  const files = await lm.saveLora()
  const { tensors } = decodeContainer(files.get('adapter_model.safetensors')!)
  expect(tensors.get('base_model.model.transformer.h.0.attn.c_attn.lora_A.weight')!.shape).toEqual([4, 16])
  expect(tensors.get('base_model.model.transformer.h.0.mlp.c_fc.lora_A.weight')!.shape).toEqual([2, 16])
  const again = await open('gpt2')
  await again.loadLora(folderOf(Object.fromEntries(files)))
  const tokens = [5, 6, 7, 8]
  expect(distance(await lastScores(again, tokens), Array.from(await lastScores(lm, tokens)))).toBeLessThan(1e-5)
})

it('a new tokenizer fits a model of its size', async () => {
  const made = await trainTokenizer(texts, { vocabularySize: 300 })
  expect(made.decode(made.encode(texts[0]!))).toBe(texts[0]!)
})
