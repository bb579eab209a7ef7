// GGUF files that Python's gguf wrote: settings, names and numbers as transformers reads them, tokens as tokenizers makes them. And
// damaged files.
// modes: simd

import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { tensor } from '../../../src'
import { CausalLM } from '../../../src/entries/language'
import { sizeOf } from '../../../src/core/shapes'
import { packIntegers, packedShape, unpackRows } from '../../../src/engine/primitives/packed'
import { GGML_KINDS } from '../../../src/language/presets/gguf/blocks'
import { readHeader } from '../../../src/language/presets/gguf/header'
import { openPreset } from '../../../src/language/presets/open-preset'
import { openWeights } from '../../../src/language/presets/open-weights'
import type { PresetFile } from '../../../src/language/presets/preset-folder'
import { storedTensor } from '../../../src/language/presets/stored-tensor'
import { GGUF, ggufOf, type GgufPart } from '../../helpers/gguf'
import { drawnWeights, folderOf } from '../../helpers/language'

interface Expected {
  readonly config: Readonly<Record<string, unknown>>
  readonly tensors: Readonly<Record<string, readonly number[]>>
  readonly samples: readonly { readonly text: string; readonly ids: number[]; readonly decoded: string }[]
  readonly logits: readonly number[]
  readonly factors: readonly number[] | null
  /** Whether the matrices have 8 bits per number. */
  readonly isQuantized: boolean
}

const golden = (name: string): Buffer =>
  gunzipSync(readFileSync(new URL(`../../golden/language/gguf/${name}.gz`, import.meta.url)))
const { numbers, ...models } = JSON.parse(golden('expected.json').toString()) as Record<string, Expected> & {
  readonly numbers: never
}
const names = Object.keys(models)
const folder = folderOf(Object.fromEntries(names.map((name) => [`${name}.gguf`, golden(`${name}.gguf`)])))
const pathOf = (name: string): string => join(folder, `${name}.gguf`)

const fileOf = (bytes: Uint8Array, reads: number[] = []): PresetFile => ({
  name: 'tiny.gguf',
  size: bytes.length,
  read(start, end) {
    reads.push(end - start)
    return Promise.resolve(bytes.slice(start, end))
  },
})

/** The settings that both configurations have, but how rotations are described. */
const COMPARED = [
  'hidden_size',
  'intermediate_size',
  'num_hidden_layers',
  'num_attention_heads',
  'num_key_value_heads',
  'vocab_size',
  'max_position_embeddings',
  'tie_word_embeddings',
  'attn_logit_softcapping',
  'final_logit_softcapping',
  'query_pre_attn_scalar',
]

describe.each(names)('%s', (name) => {
  const expected = models[name]!

  it('has the settings of the model', async () => {
    const config = (await (await openPreset(pathOf(name), 'test')).json('config.json')) as Record<string, unknown>
    for (const key of COMPARED) expect([key, config[key] ?? null]).toEqual([key, expected.config[key] ?? null])
    expect(config['model_type']).toBe(expected.config['model_type'])
    const { hidden_size: width, num_attention_heads: heads, head_dim: size } = expected.config
    expect(config['head_dim']).toBe(size ?? Number(width) / Number(heads))
    expect(config['rms_norm_eps']).toBeCloseTo(1e-6, 12)
  })

  it('has its numbers under the names of Hugging Face, in whole and by rows', async () => {
    const tensors = await openWeights(await openPreset(pathOf(name), 'test'))
    expect([...tensors.keys()].toSorted()).toEqual(Object.keys(expected.tensors).toSorted())
    for (const [key, shape] of Object.entries(expected.tensors)) {
      const stored = tensors.get(key)!
      expect(stored.shape).toEqual(shape)
      const drawn = drawnWeights(key, shape, 0.25)
      const whole = await stored.read()
      // The vectors of tokens are float16, and 1 was added to the scales of Gemma.
      const isExact = !/embed|head/.test(key) && !(name.startsWith('gemma') && key.endsWith('norm.weight'))
      const distance = Math.max(...drawn.map((value, i) => Math.abs(value - whole[i]!)))
      const least = isExact ? 0 : 2 ** -12
      expect(distance).toBeLessThanOrEqual(expected.isQuantized && shape.length > 1 ? 2 ** -8 : least)
      const row = drawn.length / shape[0]!
      expect(await stored.read(1, 3)).toEqual(whole.subarray(row, 3 * row))
    }
  })

  it('makes the tokens of texts that Python makes', async () => {
    const { tokenizer } = await CausalLM.fromPreset(pathOf(name))
    for (const { text, ids, decoded } of expected.samples) {
      expect(tokenizer.encode(text)).toEqual(ids)
      expect(tokenizer.decode(ids)).toBe(decoded)
    }
  })

  it('predicts what transformers predicts', async () => {
    const { model } = await CausalLM.fromPreset(pathOf(name))
    const { data } = await model.predict(tensor([[3, 1, 4, 1, 5, 9, 2, 6]], [1, 8], 'int32'))
    const last = Array.from(data).slice(-expected.logits.length)
    expect(Math.max(...last.map((value, i) => Math.abs(value - expected.logits[i]!)))).toBeLessThan(1e-5)
  })
})

it('has the special tokens, the template, and the tokens that end a text', async () => {
  const opened = await openPreset(pathOf('llama3'), 'test')
  expect(await opened.json('tokenizer_config.json')).toMatchObject({
    bos_token: '<begin>',
    eos_token: '<end>',
    unk_token: null,
    chat_template: '{{ messages[0].content }}',
  })
  expect(await opened.json('generation_config.json')).toEqual({ bos_token_id: 290, eos_token_id: [291, 292] })
  expect(await opened.json('nothing.json')).toBeNull()
  expect(await opened.text('chat_template.jinja')).toBeNull()
})

it('has the factors of rotary positions in the settings', async () => {
  const config = await (await openPreset(pathOf('llama3'), 'test')).json('config.json')
  expect(config).toMatchObject({
    rope_theta: 10_000,
    rope_scaling: { rope_type: 'longrope', short_factor: models['llama3']!.factors, attention_factor: 1 },
  })
})

it.each([
  ['gemma2', 46, 4608, 32, 128, 144],
  ['gemma2', 42, 3584, 16, 256, 256],
  ['gemma3', 62, 5376, 32, 128, 168],
  ['gemma3', 48, 3840, 16, 256, 256],
])('the scores of %s with %i layers have the scale of its size', async (name, layers, width, heads, size, scale) => {
  const counts = { block_count: layers, embedding_length: width, feed_forward_length: 8, context_length: 8 }
  const others = { 'attention.head_count': heads, 'attention.key_length': size, 'attention.sliding_window': 4 }
  const keyed = Object.entries({ ...counts, ...others }).map(
    ([key, value]) => [`${name}.${key}`, GGUF.u32, value] as const,
  )
  const epsilon = [`${name}.attention.layer_norm_rms_epsilon`, GGUF.f32, 1e-6] as const
  const bytes = withValues(['general.architecture', GGUF.text, name], epsilon, ...keyed)
  const opened = await openPreset([new File([new Uint8Array(bytes)], 'x.gguf')], 'test')
  expect(await opened.json('config.json')).toMatchObject({ query_pre_attn_scalar: scale, head_dim: size })
})

it.each([
  [6, { sliding_window_pattern: 6 }],
  [[1, 1, 0], { layer_types: ['sliding_attention', 'sliding_attention', 'full_attention'] }],
  [[1, 1, 1], { layer_types: Array(3).fill('sliding_attention') }],
])('the layers of Gemma 3 with a window may be counted or listed: %j', async (windows, settings) => {
  const counts = ['block_count', 'embedding_length', 'feed_forward_length', 'context_length', 'attention.head_count']
  const keyed = [...counts, 'attention.sliding_window'].map((key) => [`gemma3.${key}`, GGUF.u32, 3] as const)
  const epsilon = ['gemma3.attention.layer_norm_rms_epsilon', GGUF.f32, 1e-6] as const
  const pattern = 'gemma3.attention.sliding_window_pattern'
  const given = Array.isArray(windows)
    ? ([pattern, GGUF.list, [GGUF.bool, ...windows]] as const)
    : ([pattern, GGUF.u32, windows] as const)
  const bytes = withValues(['general.architecture', GGUF.text, 'gemma3'], epsilon, ...keyed, given)
  const opened = await openPreset([new File([new Uint8Array(bytes)], 'x.gguf')], 'test')
  expect(await opened.json('config.json')).toMatchObject(settings)
})

it('reads the numbers of each type as Python does', async () => {
  const file = fileOf(golden('numbers.gguf'))
  const { extents } = await readHeader(file)
  expect(extents.map(({ kind }) => kind)).toEqual(expect.arrayContaining(Object.values(GGML_KINDS)))
  for (const extent of extents) {
    const bytes = Buffer.from(numbers[extent.name], 'base64')
    const expected = new Float32Array(new Uint8Array(bytes).buffer)
    const stored = storedTensor(file, extent)
    expect([extent.name, await stored.read()]).toEqual([extent.name, expected])
    expect(await stored.read(1)).toEqual(expected.subarray(256))
  }
})

it('keeps the integers of a type whose bits weights have', async () => {
  const file = fileOf(golden('numbers.gguf'))
  const { extents } = await readHeader(file)
  const kept: string[] = []
  for (const { name, shape, kind, at, bytes } of extents)
    for (const bits of [4, 8] as const) {
      const read = typeof kind === 'string' ? undefined : kind.asIntegers?.[bits]
      if (typeof kind === 'string' || read === undefined) continue
      const format = { outputs: shape[0]!, inputs: shape[1]!, bits }
      const stored = await file.read(at, at + bytes)
      const { integers, scales, minima } = read(stored)
      const packed = new Int8Array(sizeOf(packedShape(format)))
      packIntegers(packed, format, 0, integers, scales, minima)
      // −0 as 0
      const [received, expected] = [unpackRows(packed, format, 0, format.outputs), kind.read(stored)]
      expect([name, received.map((x) => x + 0)]).toEqual([name, expected.map((x) => x + 0)])
      kept.push(`${kind.name} ${bits}`)
    }
  expect(kept.sort()).toEqual(['Q4_0 4', 'Q4_0 8', 'Q4_1 4', 'Q4_K 4', 'Q8_0 8'])
})

describe('sources', () => {
  it('are a path, a URL, a folder with one file, and files that a user chose', async () => {
    const bytes = golden('smollm.gguf')
    const single = folderOf({ 'a b.gguf': bytes, 'README.md': 'a model' })
    const path = join(single, 'a b.gguf')
    for (const source of [single, path, pathToFileURL(path), [new File([new Uint8Array(bytes)], 'x.gguf')]])
      expect((await openWeights(await openPreset(source, 'test'))).has('model.norm.weight')).toBe(true)
    await expect(openPreset(folder, 'test')).rejects.toThrow(/several models: .*gemma2.gguf.*path of one/)
    await expect(openPreset(join(single, 'no.gguf'), 'test')).rejects.toThrow(/no file 'no.gguf'/)
  })

  it('are an address, of which only the header and the tensors that are needed are fetched', async () => {
    const bytes = golden('llama.gguf')
    const ranges: string[] = []
    const server = createServer((request, response) => {
      if (request.url !== '/models/tiny.gguf?key=1') return void response.writeHead(404).end()
      const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
      if (start === undefined) return void response.end(bytes)
      ranges.push(request.headers.range!)
      const range = `bytes ${start}-${end}/${bytes.length}`
      response.writeHead(206, { 'content-range': range }).end(bytes.subarray(Number(start), Number(end) + 1))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/models/`
    const opened = await openPreset(new URL(`${address}tiny.gguf?key=1`), 'test', { cache: false })
    const local = await openWeights(await openPreset(pathOf('llama'), 'test'))
    for (const [name, stored] of await openWeights(opened))
      expect(await stored.read()).toEqual(await local.get(name)!.read())
    expect(ranges.length).toBeGreaterThan(1)
    const missing = openPreset(`${address}no.gguf`, 'test', { cache: false })
    await expect(missing).rejects.toThrow(/no file 'no.gguf'/)
    server.close()
  })

  it('of which only the header and the rows that are needed are read', async () => {
    const header = { values: [], tensors: [{ name: 'a', extents: [256, 8192] }] }
    const reads: number[] = []
    const file = fileOf(ggufOf(header), reads)
    const { extents } = await readHeader(file)
    await storedTensor(file, extents[0]!).read(100, 102)
    expect(reads).toEqual([2 ** 20, 2048])
  })

  it('with a header that is longer than the first part', async () => {
    const long = 'x'.repeat(700_000)
    const values = ['a', 'b', 'c'].map((key) => [key, GGUF.text, long] as const)
    const reads: number[] = []
    const file = fileOf(ggufOf({ values, tensors: [{ name: 't', extents: [8] }] }), reads)
    const { metadata, extents } = await readHeader(file)
    expect(metadata.text('c')).toBe(long)
    expect(extents[0]!.name).toBe('t')
    expect(reads.reduce((sum, each) => sum + each)).toBeLessThanOrEqual(file.size)
  })
})

/** A file with a vocabulary, in which some values are replaced. */
function withValues(...others: GgufPart['values']): Uint8Array {
  const values = new Map<string, readonly [string, number, unknown]>(
    [
      ['general.architecture', GGUF.text, 'llama'] as const,
      ['tokenizer.ggml.model', GGUF.text, 'gpt2'] as const,
      ['tokenizer.ggml.tokens', GGUF.list, [GGUF.text, 'a', 'b']] as const,
      ['tokenizer.ggml.merges', GGUF.list, [GGUF.text]] as const,
      ...['embedding_length', 'block_count', 'feed_forward_length', 'attention.head_count', 'context_length'].map(
        (key) => [`llama.${key}`, GGUF.u32, 1] as const,
      ),
      ['llama.attention.layer_norm_rms_epsilon', GGUF.f32, 1e-5] as const,
      ...others,
    ].map((each) => [each[0], each]),
  )
  return ggufOf({ values: [...values.values()], tensors: [{ name: 'token_embd.weight', extents: [1, 2] }] })
}

describe('files that are refused', () => {
  const good: GgufPart = {
    values: [['general.architecture', GGUF.text, 'llama']],
    tensors: [{ name: 'a', extents: [8, 2] }],
  }
  const tensorsOf = (...tensors: GgufPart['tensors']): Uint8Array => ggufOf({ values: [], tensors }, 3, 4096)
  const changed = (at: number, ...bytes: number[]): Uint8Array => {
    const file = ggufOf(good)
    file.set(bytes, at)
    return file
  }
  const huge = [255, 255, 255, 255, 255, 255, 255, 127]

  it.each([
    ['nothing', new Uint8Array(0), /ends after 0 bytes/],
    ['another format', new TextEncoder().encode('PK nonsense'), /not a GGUF file/],
    ['an old version', ggufOf(good, 1), /version 1 .* supported: versions 2 and 3/],
    ['big-endian numbers', ggufOf(good, 3 * 2 ** 24), /big-endian/],
    ['too many tensors', changed(8, ...huge), /too few/],
    ['too many values', changed(16, ...huge), /too few/],
    ['a long text', changed(24, ...huge), /bytes of a text, for which its \d+ bytes are too few/],
    ['an unknown type', changed(24 + 8 + 20, 99), /type 99/],
    ['bytes that are no text', changed(24 + 8, 0xff), /not UTF-8/],
    ['truncated data', ggufOf(good, 3, 8), /'a' ends at byte/],
    ['a truncated header', ggufOf(good).subarray(0, 60), /truncated/],
    ['a tensor twice', tensorsOf({ name: 'a', extents: [8] }, { name: 'a', extents: [8] }), /'a' twice/],
    ['overlaps', tensorsOf({ name: 'a', extents: [16] }, { name: 'b', extents: [16], offset: 32 }), /'b' overlap/],
    [
      'a type that is not supported',
      tensorsOf({ name: 'a', extents: [256], type: 11 }),
      /'a' .*Q3_K; supported: .*Q4_K/,
    ],
    ['half a block', tensorsOf({ name: 'a', extents: [48, 2], type: 8 }), /Q8_0 has the shape \[2, 48\]/],
    ['too many axes', tensorsOf({ name: 'a', extents: [1, 1, 1, 1, 1] }), /5 axes/],
    ['an empty tensor', tensorsOf({ name: 'a', extents: [0, 8] }), /shape \[8, 0\]/],
    ['a huge tensor', tensorsOf({ name: 'a', extents: [2 ** 40, 2 ** 40] }), /shape/],
    ['a huge alignment', ggufOf({ ...good, values: [['general.alignment', GGUF.u32, 2 ** 30]] }), /alignment/],
    ['no alignment', ggufOf({ ...good, values: [['general.alignment', GGUF.u32, 0]] }), /general.alignment/],
    ['a key twice', ggufOf({ ...good, values: [...good.values, ...good.values] }), /'general.architecture' twice/],
  ])('%s', async (_name, bytes, message) => {
    // Nothing is allocated for lengths that the file only states.
    await expect(readHeader(fileOf(bytes, []))).rejects.toThrow(message)
  })

  it('lists in lists without end', async () => {
    let value: unknown = [GGUF.u32, 1]
    for (let i = 0; i < 9; i++) value = [GGUF.list, value]
    await expect(readHeader(fileOf(ggufOf({ ...good, values: [['deep', GGUF.list, value]] })))).rejects.toThrow(
      /levels/,
    )
  })

  it.each([
    ['another architecture', [['general.architecture', GGUF.text, 'mamba']], /'mamba'; supported: llama, qwen2/],
    ['experts', [['llama.expert_count', GGUF.u32, 8]], /mixture of 8 experts/],
    ['a part of a model', [['split.count', GGUF.u64, 3]], /llama-gguf-split --merge/],
    ['heads that differ', [['llama.attention.head_count', GGUF.list, [GGUF.u32, 1, 2]]], /same for all layers/],
    ['an unknown scaling', [['llama.rope.scaling.type', GGUF.text, 'magic']], /'magic'; supported: none/],
    ['an unknown vocabulary', [['tokenizer.ggml.model', GGUF.text, 'rwkv']], /'rwkv'; supported: gpt2/],
    ['unknown words', [['tokenizer.ggml.pre', GGUF.text, 'tekken']], /'tekken'; supported: default/],
    ['tokens that are no texts', [['tokenizer.ggml.tokens', GGUF.list, [GGUF.u32, 1]]], /list of texts/],
    ['types of other tokens', [['tokenizer.ggml.token_type', GGUF.list, [GGUF.u32, 1]]], /2 tokens, and types of 1/],
    ['a token beyond the others', [['tokenizer.ggml.bos_token_id', GGUF.u32, 9]], /is 9, it has 2 tokens/],
    ['no scores', [['tokenizer.ggml.model', GGUF.text, 'llama']], /no 'tokenizer.ggml.scores'/],
  ] as const)('%s', async (_name, values, message) => {
    const path = join(folderOf({ 'x.gguf': withValues(...values) }), 'x.gguf')
    await expect(openPreset(path, 'test')).rejects.toThrow(message)
  })

  it('a vocabulary of which the merges would fill the memory', async () => {
    // All parts of one word are tokens, so that their pairs grow with the third power of its length.
    const word = Array.from({ length: 320 }, (_, i) => String.fromCodePoint(0x4e00 + i)).join('')
    const parts = Array.from(word).flatMap((_, from) =>
      Array.from({ length: word.length - from }, (_each, i) => word.slice(from, from + i + 1)),
    )
    const bytes = withValues(
      ['tokenizer.ggml.model', GGUF.text, 'llama'],
      ['tokenizer.ggml.tokens', GGUF.list, [GGUF.text, ...parts]],
      ['tokenizer.ggml.scores', GGUF.list, [GGUF.f32, ...parts.map(() => 0)]],
    )
    const opening = openPreset([new File([new Uint8Array(bytes)], 'x.gguf')], 'test')
    await expect(opening).rejects.toThrow(/x.gguf: its vocabulary has more than \d+ merges/)
  })

  it('an unknown tensor, and none for tokens', async () => {
    const place = folderOf({ 'x.gguf': withValues() })
    expect((await openWeights(await openPreset(place, 'test'))).size).toBe(1)
    const bytes = Buffer.from(withValues())
    const at = bytes.indexOf('token_embd')
    writeFileSync(join(place, 'x.gguf'), bytes.fill('x', at, at + 5))
    await expect(openPreset(place, 'test')).rejects.toThrow(/no tensor 'token_embd.weight'/)
    const llama = golden('llama.gguf')
    const name = llama.indexOf('ffn_gate')
    writeFileSync(join(place, 'x.gguf'), llama.fill('x', name, name + 3))
    await expect(openPreset(place, 'test')).rejects.toThrow(/'blk.0.xxx_gate.weight'.*not known/)
  })

  it('random bytes end in typed errors', async () => {
    const bytes = golden('smollm.gguf')
    const end = bytes.indexOf('output_norm') + 60
    let state = 11
    const random = (): number => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) / 2 ** 32
    const place = folderOf({})
    for (let round = 0; round < 300; round++) {
      const damaged = Buffer.from(bytes)
      for (let i = 0; i < 3; i++) damaged[Math.floor(random() * end)] = Math.floor(random() * 256)
      writeFileSync(join(place, 'x.gguf'), random() < 0.2 ? damaged.subarray(0, Math.floor(random() * end)) : damaged)
      const outcome = await openPreset(join(place, 'x.gguf'), 'test').then(
        () => 'read',
        (error: Error) => error.name,
      )
      expect(['read', 'FormatError']).toContain(outcome)
    }
  })
})
