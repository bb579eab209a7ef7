// A tiny model of each family: scores, features and continuations compared with transformers.
// modes: simd, relaxed

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { generate, tensor } from '../../src'
import type { Shape } from '../../src/core/shapes'
import { CausalLM } from '../../src/entries/language'
import { beamSearch, type BeamScorer } from '../../src/generation/beams'
import { Decoding } from '../../src/generation/decoding'
import { familyOf, type Kind } from '../../src/language/families'
import { ModelConfig } from '../../src/language/families/config'
import { fillNetwork, transformerOf } from '../../src/language/preset'
import { recordOf, type JsonRecord } from '../../src/files/containers/json'
import { TextDecoding } from '../../src/language/text-decoding'
import { drawnStore, presetOf } from '../helpers/language'

interface Described {
  readonly config: JsonRecord
  readonly shapes: Readonly<Record<string, Shape>>
  readonly ids: readonly (readonly number[])[]
}
interface DecoderCase extends Described {
  readonly logits: string
  readonly continued: readonly number[]
}
interface EncoderCase extends Described {
  readonly mask: readonly (readonly number[])[]
  readonly types: readonly (readonly number[])[] | null
  /** Zeros where there is padding. */
  readonly features: string
}

const {
  decoders,
  encoders,
  crossed,
}: {
  decoders: Readonly<Record<string, DecoderCase>>
  encoders: Readonly<Record<string, EncoderCase>>
  crossed: DecoderCase & { readonly short: string }
} = JSON.parse(
  gunzipSync(readFileSync(new URL('../golden/language/families.json.gz', import.meta.url))).toString('utf8'),
)
const PROMPT = 8
/** The most by which a score may differ. */
const TOLERANCE = 2e-5

const numbersOf = (base64: string): Float32Array => {
  const bytes = Buffer.from(base64, 'base64')
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i))
}
const integers = (rows: readonly (readonly number[])[]) => tensor(rows.flat(), [rows.length, rows[0]!.length], 'int32')

async function made<Of extends Kind>({ config, shapes }: Described, kind: Of, name: string) {
  const [network, family] = transformerOf(config, kind, { name })
  await fillNetwork(network, family, drawnStore(shapes), { where: name })
  return network
}

/** The largest difference between numbers of one row of a batch, in its first steps. */
function distance(made: ArrayLike<number>, expected: ArrayLike<number>, from = 0, to = expected.length): number {
  let worst = 0
  for (let i = from; i < to; i++) worst = Math.max(worst, Math.abs(made[i]! - expected[i]!))
  return worst
}

describe('the layers of Gemma 3 that have a window', () => {
  const patterns: readonly { settings: JsonRecord; windows: readonly (number | null)[] | null }[] = JSON.parse(
    readFileSync(new URL('../golden/language/layer-types.json', import.meta.url), 'utf8'),
  )
  const windowsOf = (settings: JsonRecord): readonly (number | null | undefined)[] => {
    const config = ModelConfig.of({ ...decoders['gemma3']!.config, ...settings }, 'config.json')
    return familyOf('gemma3_text', 'decoder')
      .describe(config)
      .blocks.map(({ slidingWindow }) => slidingWindow)
  }
  const plain = { num_hidden_layers: 8, layer_types: null, sliding_window: 4096, _sliding_window_pattern: null }
  const refusal = (message: RegExp) =>
    expect.objectContaining({ name: 'FormatError', message: expect.stringMatching(message) })

  it.each(patterns.map(({ settings, windows }) => [JSON.stringify(settings), settings, windows] as const))(
    'are those of transformers: %s',
    (_name, settings, windows) => {
      const described = () => windowsOf({ ...plain, ...settings })
      if (windows === null) expect(described).toThrow(refusal(/sliding_window_pattern' must|layer_types' must/))
      else expect(described()).toEqual(windows)
    },
  )

  it('are refused where transformers reads something else than the file says', () => {
    const refused: readonly (readonly [JsonRecord, RegExp])[] = [
      [{ sliding_window_pattern: true }, /'sliding_window_pattern' must be an integer/],
      [{ _sliding_window_pattern: 3 }, /'_sliding_window_pattern' is 3, which transformers reads as 6/],
      [{ layer_types: Array(8).fill('chunked_attention') }, /it has 'chunked_attention' for layer 0/],
      [{ use_bidirectional_attention: true }, /'use_bidirectional_attention' is true; supported: false/],
    ]
    for (const [settings, message] of refused)
      expect(() => windowsOf({ ...plain, ...settings }), JSON.stringify(settings)).toThrow(refusal(message))
  })

  it('and other settings have the defaults of transformers, which its files leave out', () => {
    const text = { model_type: 'gemma3_text', hidden_size: 2560, intermediate_size: 10240, num_hidden_layers: 34 }
    const config = ModelConfig.of(
      { model_type: 'gemma3', text_config: { ...text, sliding_window: 1024 } },
      'config.json',
    )
    const { vocabularySize, longest, blocks } = familyOf('gemma3', 'decoder').describe(config)
    expect([vocabularySize, longest, blocks.length]).toEqual([262_208, 131_072, 34])
    expect(blocks[0]).toMatchObject({ numHeads: 8, numKeyValueHeads: 4, headDim: 256, slidingWindow: 1024 })
    expect(blocks[5]).toMatchObject({ slidingWindow: null })
  })
})

it('a config of Mistral without a window has that of transformers, and none with null', () => {
  const { sliding_window: _, ...config } = decoders['mistral']!.config
  const windowOf = (settings: JsonRecord) =>
    familyOf('mistral', 'decoder').describe(ModelConfig.of(settings, 'config.json')).blocks[0]!.slidingWindow
  expect(windowOf(config)).toBe(4096)
  expect(windowOf({ ...config, sliding_window: null })).toBeNull()
})

describe.each(Object.entries(decoders))('%s', (name, { logits, continued, ...described }) => {
  const { ids } = described
  const steps = ids[0]!.length

  it('gives the scores of transformers at each position, in padded batches too', async () => {
    const { model, description } = await made(described, 'decoder', name)
    const expected = numbersOf(logits)
    const scores = await model.predict(integers(ids))
    expect(scores.shape).toEqual([ids.length, steps, description.vocabularySize])
    expect(distance(scores.data, expected)).toBeLessThan(TOLERANCE)
    // Of the second row only the first tokens are left.
    const kept = 13
    const padded = [ids[0]!, ids[1]!.map((id, i) => (i < kept ? id : 0))]
    const again = await model.predict(integers(padded))
    const row = steps * description.vocabularySize
    expect(distance(again.data, expected, 0, row)).toBeLessThan(TOLERANCE)
    expect(distance(again.data, expected, row, row + kept * description.vocabularySize)).toBeLessThan(TOLERANCE)
    model.dispose()
  })

  it('continues a text as transformers does', async () => {
    const { model } = await made(described, 'decoder', name)
    const maxTokens = continued.length - PROMPT
    expect(await generate(model, continued.slice(0, PROMPT), { maxTokens })).toEqual(continued)
    const decoding = new Decoding(model, 1, continued.length)
    const greedy = async (length: number, to: number): Promise<number[]> => {
      const tokens = continued.slice(0, length)
      while (tokens.length < to) {
        const [scores] = await decoding.next([tokens])
        tokens.push(scores!.indexOf(Math.max(...scores!)))
      }
      return tokens
    }
    // A prompt of its own, one that is a part of what came before, longer ones that continue it, and a short one.
    for (const [length, to] of [
      [PROMPT, 72],
      [11, 40],
      [40, 48],
      [70, 72],
      [PROMPT + 1, 12],
    ] as const)
      expect(await greedy(length, to)).toEqual(continued.slice(0, to))
    const [other] = await decoding.next([[5, 6, 7, 8]])
    const whole = await model.predict(integers([[5, 6, 7, 8]]))
    expect(distance(other!, whole.data.slice(-other!.length))).toBeLessThan(TOLERANCE)
    await decoding.dispose()
    model.dispose()
  })
})

describe('texts longer than the original length of LongRoPE', () => {
  const ORIGINAL = 12
  const { ids, logits, short, continued } = crossed
  const prompt = continued.slice(0, PROMPT)
  const best = (scores: ArrayLike<number>): number => Array.from(scores).indexOf(Math.max(...Array.from(scores)))

  it('have other rotations', async () => {
    const { model, description } = await made(crossed, 'decoder', 'crossed')
    expect(description.longest).toBe(96)
    expect(distance((await model.predict(integers(ids))).data, numbersOf(logits))).toBeLessThan(TOLERANCE)
    const cut = integers(ids.map((row) => row.slice(0, ORIGINAL)))
    expect(distance((await model.predict(cut)).data, numbersOf(short))).toBeLessThan(TOLERANCE)
    model.dispose()
  })

  it('continue shorter ones as in transformers, and a shorter one follows again', async () => {
    const { model } = await made(crossed, 'decoder', 'crossed')
    const decoding = new TextDecoding(model, { batch: 1, capacity: 80, originalLength: ORIGINAL })
    expect(decoding.fits(80) && !decoding.fits(81)).toBe(true)
    for (const [from, to] of [
      [PROMPT, 72],
      [40, 50],
      [3, 11],
    ] as const) {
      const expected = continued.slice(from, to)
      if (from < PROMPT) {
        const whole = await model.predict(integers([continued.slice(0, from)]))
        const [scores] = await decoding.next([continued.slice(0, from)])
        expect(distance(scores!, whole.data.slice(-scores!.length))).toBeLessThan(TOLERANCE)
      } else {
        const tokens = continued.slice(0, from)
        while (tokens.length < to) tokens.push(best((await decoding.next([tokens]))[0]!))
        expect(tokens.slice(from)).toEqual(expected)
      }
    }
    await decoding.dispose()
    model.dispose()
  })

  it('are continued by beams that are reordered before', async () => {
    const { model } = await made(crossed, 'decoder', 'crossed')
    const options = {
      beams: 3,
      maxTokens: 10,
      stops: new Set<number>(),
      lengthPenalty: 1,
      repetitionPenalty: 1,
      isOver: () => false,
    }
    const whole: BeamScorer = {
      async next(rows) {
        const { data, shape } = await model.predict(integers(rows))
        const [, steps, size] = shape
        return rows.map((_, i) =>
          Float32Array.from(data.slice(((i + 1) * steps! - 1) * size!, (i + 1) * steps! * size!)),
        )
      },
      reorder: () => undefined,
    }
    const decoding = new TextDecoding(model, { batch: 3, capacity: 20, originalLength: ORIGINAL })
    expect(await beamSearch(decoding, prompt, options)).toEqual(await beamSearch(whole, prompt, options))
    await decoding.dispose()
    model.dispose()
  })

  it('with generate of a model, have the rotations of the length that is planned', async () => {
    const { model } = await made(crossed, 'decoder', 'crossed')
    expect(await generate(model, prompt, { maxTokens: 4 })).toEqual(continued.slice(0, ORIGINAL))
    const tokens = [...prompt]
    while (tokens.length < 20) {
      const { data, shape } = await model.predict(integers([[...tokens, ...Array<number>(20 - tokens.length).fill(0)]]))
      tokens.push(best(data.slice((tokens.length - 1) * shape[2]!, tokens.length * shape[2]!)))
    }
    expect(await generate(model, prompt, { maxTokens: 12 })).toEqual(tokens)
    model.dispose()
  })

  it('are continued by a CausalLM', async () => {
    const vocab = Object.fromEntries(Array.from({ length: 61 }, (_, id) => [`w${id}`, id]))
    const tokenizer = { model: { type: 'WordLevel', vocab, unk_token: 'w0' }, pre_tokenizer: { type: 'Whitespace' } }
    const lm = await CausalLM.fromPreset(presetOf(crossed.config, crossed.shapes, { 'tokenizer.json': tokenizer }))
    const text = (tokens: readonly number[]): string => tokens.map((id) => `w${id}`).join(' ')
    expect(lm.maxLength).toBe(96)
    expect(await lm.generate(text(prompt), { maxTokens: 30, stopTokens: [] })).toContain(text(continued.slice(8, 38)))
    await lm.dispose()
  })

  it('are limited to the original length without factors for them', async () => {
    const rope_parameters = { ...recordOf(crossed.config['rope_parameters']), long_factor: null }
    const limited = ModelConfig.of({ ...crossed.config, rope_parameters }, 'config.json')
    expect(familyOf('phi3', 'decoder').describe(limited).longest).toBe(ORIGINAL)
    const wrong = { ...rope_parameters, long_factor: [1, 2] }
    const config = ModelConfig.of({ ...crossed.config, rope_parameters: wrong }, 'config.json')
    expect(() => familyOf('phi3', 'decoder').describe(config)).toThrow(/'long_factor' must have 4 numbers above 0/)
  })
})

describe.each(Object.entries(encoders))('%s', (name, { mask, types, features, ...described }) => {
  it('gives the features of transformers, whatever the padding is', async () => {
    const { model, description } = await made(described, 'encoder', name)
    const expected = numbersOf(features)
    const featuresOf = async (count: number, padding: number | null): Promise<ArrayLike<number>> => {
      const ids = described.ids.map((row, r) =>
        row.map((id, i) => (mask[r]![i] === 0 && padding !== null ? padding : id)).slice(0, count),
      )
      const cut = (rows: EncoderCase['mask']) => integers(rows.map((row) => row.slice(0, count)))
      const kinds = description.tokenTypes === undefined ? {} : { tokenTypes: cut(types!) }
      return (await model.predict({ tokens: integers(ids), mask: cut(mask), ...kinds })).data
    }
    const { width } = description
    const steps = mask[0]!.length
    const kept = mask[1]!.filter((each) => each === 1).length
    for (const padding of [null, 7]) {
      const all = await featuresOf(steps, padding)
      expect(distance(all, expected, 0, steps * width)).toBeLessThan(TOLERANCE)
      expect(distance(all, expected, steps * width, (steps + kept) * width)).toBeLessThan(TOLERANCE)
    }
    // Without padding, the second row has the same features.
    const short = Array.from(await featuresOf(kept, null)).slice(kept * width)
    expect(distance(short, expected.slice(steps * width, (steps + kept) * width))).toBeLessThan(TOLERANCE)
    model.dispose()
  })
})
